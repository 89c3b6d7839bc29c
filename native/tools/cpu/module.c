/* sonde.probe.tools._cpu: the sampler for Python. What it is for and what its options mean is said in cpu.py.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "../../python/module_of.h"
#include "../frames/frames.h"
#include "../frames/spans.h"
#include "functions.h"
#include "sampler.h"
#include "tree.h"

static PyObject *module_init(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    frames_init();
    return PyUnicode_FromString(frames_why_not());
}

static PyObject *module_way(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    return PyUnicode_FromString(frames_way());
}

static PyObject *module_spans(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    return PyBool_FromLong(frames_spans_init());
}

/* -- start -- */

/* A sequence of native ids; None: -1. Returns 0, or -1 with an exception set. */
static int read_tids(PyObject *given, pid_t *tids, int *count) {
    *count = -1;
    if (given == Py_None)
        return 0;
    PyObject *fast = PySequence_Fast(given, "native ids of threads are needed");
    if (!fast)
        return -1;
    Py_ssize_t most =
        PySequence_Fast_GET_SIZE(fast) < MAX_CHOSEN ? PySequence_Fast_GET_SIZE(fast) : MAX_CHOSEN;
    for (Py_ssize_t at = 0; at < most; at++)
        tids[at] = (pid_t)PyLong_AsLong(PySequence_Fast_GET_ITEM(fast, at));
    Py_DECREF(fast);
    *count = (int)most;
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *module_choose(PyObject *Py_UNUSED(module), PyObject *args) {
    static pid_t tids[MAX_CHOSEN], never[MAX_CHOSEN]; /* the GIL is held all the while */
    PyObject *chosen, *excluded;
    int chosen_count, excluded_count;
    if (!PyArg_ParseTuple(args, "OO", &chosen, &excluded) || read_tids(chosen, tids, &chosen_count) < 0 ||
        read_tids(excluded, never, &excluded_count) < 0)
        return NULL;
    sampler_choose(tids, chosen_count, never, excluded_count);
    Py_RETURN_NONE;
}

static PyObject *module_start(PyObject *Py_UNUSED(module), PyObject *args, PyObject *names) {
    static char *parameters[] = {"hz",        "max_nodes", "wall",     "keep_idle",
                                 "by_thread", "endpoint",  "trace_id", NULL};
    SamplerOptions options = {0};
    unsigned hz, max_nodes;
    int wall, keep_idle, by_thread;
    const char *endpoint, *trace_id;
    Py_ssize_t endpoint_bytes, trace_bytes;
    if (!PyArg_ParseTupleAndKeywords(args, names, "IIppps#y#", parameters, &hz, &max_nodes, &wall, &keep_idle,
                                     &by_thread, &endpoint, &endpoint_bytes, &trace_id, &trace_bytes))
        return NULL;
    if (hz < 1 || hz > 1000 || max_nodes < 1 || max_nodes > 1 << 20 || endpoint_bytes >= ENDPOINT_ROOM ||
        (trace_bytes && trace_bytes != sizeof options.trace_id)) {
        PyErr_SetString(PyExc_ValueError, "an option of the sampler is out of range");
        return NULL;
    }
    if (!frames_init()) {
        PyErr_SetString(PyExc_RuntimeError, frames_why_not());
        return NULL;
    }
    options.hz = hz;
    options.max_nodes = max_nodes;
    options.wall = wall;
    options.keep_idle = keep_idle;
    options.by_thread = by_thread;
    options.has_trace = trace_bytes > 0;
    memcpy(options.trace_id, trace_id, (size_t)trace_bytes);
    memcpy(options.endpoint, endpoint, (size_t)endpoint_bytes);
    int error = sampler_start(&options);
    if (error) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    Py_RETURN_NONE;
}

/* -- what it saw -- */

static PyObject *module_counts(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    SamplerCounts counts = sampler_counts();
    return Py_BuildValue("{s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K}", "rounds", counts.rounds,
                         "missed", counts.missed, "samples", counts.samples, "idle", counts.idle, "elsewhere",
                         counts.elsewhere, "torn", counts.torn, "dropped", counts.dropped, "cut", counts.cut,
                         "weight_ns", counts.weight, "dropped_ns", counts.dropped_weight, "unseen_ns",
                         counts.unseen, "own_cpu_ns", counts.own_cpu_ns);
}

static PyObject *decoded(const char *text) {
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

/* Appends a new reference, which may be NULL. Returns 0, or -1 with an exception set. */
static int append(PyObject *list, PyObject *item) {
    int result = item ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return result;
}

static PyObject *function_list(void) {
    PyObject *list = PyList_New(0);
    for (uint32_t at = 0; list && at < functions_count(); at++) {
        const Function *function = functions_at(at);
        if (append(list, Py_BuildValue("(NNi)", decoded(functions_text(function->name)),
                                       decoded(functions_text(function->file)), function->first_line)) < 0)
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *thread_list(void) {
    const SamplerThread *threads;
    int count = sampler_threads(&threads);
    PyObject *list = PyList_New(0);
    for (int at = 0; list && at < count; at++) {
        const SamplerThread *one = &threads[at];
        if (append(list, Py_BuildValue("(iKKKIIII)", (int)one->tid, one->thread_id, one->cpu_ns, one->weight,
                                       one->samples, one->idle, one->looks, one->gil)) < 0)
            Py_CLEAR(list);
    }
    return list;
}

/* The tree as bytes of int32 (parent, function, line) and uint64 (count, weight) per node: quick to make, and
   read by Python piece by piece. */
static PyObject *node_bytes(void) {
    uint32_t count = tree_count();
    PyObject *places = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)count * 3 * (Py_ssize_t)sizeof(int32_t));
    PyObject *seen = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)count * 2 * (Py_ssize_t)sizeof(uint64_t));
    if (!places || !seen) {
        Py_XDECREF(places);
        Py_XDECREF(seen);
        return NULL;
    }
    char *place = PyBytes_AS_STRING(places), *what = PyBytes_AS_STRING(seen);
    for (uint32_t at = 0; at < count; at++) {
        const TreeNode *node = tree_at(at);
        int32_t three[] = {node->parent, (int32_t)node->function, node->line};
        uint64_t two[] = {node->count, node->weight};
        memcpy(place + at * sizeof three, three, sizeof three);
        memcpy(what + at * sizeof two, two, sizeof two);
    }
    return Py_BuildValue("(NN)", places, seen);
}

static PyObject *module_stop(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    const SamplerThread *threads;
    Py_BEGIN_ALLOW_THREADS;
    sampler_stop();
    Py_END_ALLOW_THREADS;
    if (!sampler_threads(&threads) && !threads) {
        PyErr_SetString(PyExc_RuntimeError, "the sampler has not been started");
        return NULL;
    }
    PyObject *functions = function_list(), *nodes = functions ? node_bytes() : NULL,
             *all = nodes ? thread_list() : NULL;
    if (!all) {
        Py_XDECREF(functions);
        Py_XDECREF(nodes);
        return NULL;
    }
    return Py_BuildValue("(NNN)", functions, nodes, all);
}

static PyObject *module_close(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    Py_BEGIN_ALLOW_THREADS;
    sampler_close();
    Py_END_ALLOW_THREADS;
    Py_RETURN_NONE;
}

static PyObject *module_running(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    return PyBool_FromLong(sampler_runs());
}

static PyObject *module_after_fork(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    sampler_after_fork();
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"init", METHOD(module_init), METH_NOARGS, "Why frames cannot be read here; empty: they can."},
    {"way", METHOD(module_way), METH_NOARGS, "How memory is read."},
    {"spans", METHOD(module_spans), METH_NOARGS, "Whether a thread's span can be read here."},
    {"start", METHOD(module_start), METH_VARARGS | METH_KEYWORDS, "Begin to sample."},
    {"choose", METHOD(module_choose), METH_VARARGS,
     "Which threads: native ids or None for all, and those left out."},
    {"counts", METHOD(module_counts), METH_NOARGS, "What was counted so far."},
    {"running", METHOD(module_running), METH_NOARGS, "Whether it samples."},
    {"stop", METHOD(module_stop), METH_NOARGS, "End it: functions, (nodes, counts and weights), threads."},
    {"close", METHOD(module_close), METH_NOARGS, "End it, and give the memory back."},
    {"after_fork", METHOD(module_after_fork), METH_NOARGS, "In a child: forget the parent's run."},
    {0},
};

MODULE_OF_MAIN_INTERPRETER(_cpu, "A sampler without the GIL.", functions, begins_empty,
                           "only the main interpreter's frames can be read")
