/* sonde.probe.tools._calls: the call graph of this process. What it is for is said in probe/tools/calls.py.
 */
#include "../../python/module_of.h"

#include "events.h"
#include "graph.h"
#include "marks.h"
#include "stacks.h"

static bool running;
static struct {
    uint64_t ticks, ns;
} started, ended;

static void forget(void) {
    running = false;
    marks_end();
    stacks_end();
    graph_end();
}

static PyObject *begin(PyObject *Py_UNUSED(module), PyObject *args) {
    int functions, tool, c_functions;
    PyObject *endpoint, *trace;
    if (!PyArg_ParseTuple(args, "iipOO", &functions, &tool, &c_functions, &endpoint, &trace))
        return NULL;
    if (running || graph.edges) {
        PyErr_SetString(PyExc_RuntimeError, "a call graph is being made already");
        return NULL;
    }
    if (functions < 1 || functions > 1 << 20) {
        PyErr_Format(PyExc_ValueError, "room for %d functions: 1 to 1048576 is possible", functions);
        return NULL;
    }
    ticks_of_processor = ticks_find();
    if (marks_begin(endpoint == Py_None ? NULL : endpoint, trace == Py_None ? NULL : trace) < 0 ||
        graph_begin((uint32_t)functions) < 0 || stacks_begin() < 0)
        goto failed;
    started.ns = ended.ns = ticks_clock_ns();
    started.ticks = ended.ticks = ticks_now();
    if (events_on(tool, c_functions) < 0)
        goto failed;
    running = true;
    return PyBool_FromLong(events_by_thread());
failed:;
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    forget();
    PyErr_Restore(type, error, traceback);
    return NULL;
}

static PyObject *end(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    if (running) {
        events_off();
        stacks_close_all();
        ended.ticks = ticks_now();
        ended.ns = ticks_clock_ns();
        running = false;
    }
    return PyLong_FromUnsignedLongLong(ended.ns - started.ns);
}

static PyObject *forget_all(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    if (running)
        events_off();
    forget();
    Py_RETURN_NONE;
}

static PyObject *after_fork(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    if (running)
        events_off();
    running = false;
    marks_end();
    stacks_after_fork();
    graph_end();
    Py_RETURN_NONE;
}

static PyObject *adopt(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    return PyLong_FromLong(running ? events_adopt() : 0);
}

static PyObject *adopt_here(PyObject *Py_UNUSED(module), PyObject *const *Py_UNUSED(args),
                            Py_ssize_t Py_UNUSED(count)) {
    if (running)
        events_adopt_here();
    Py_RETURN_NONE;
}

static PyObject *counts(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    return Py_BuildValue("{s:K,s:K,s:I,s:I,s:K,s:K}", "events", graph.events, "cut", graph.cut, "functions",
                         graph.function_count, "edges", graph.edge_count, "beyond", stacks_beyond, "aside",
                         stacks_aside);
}

/* -- the result, piece by piece: others run between two of them -- */

static unsigned long long ns_of(uint64_t ticks) {
    double tick_ns = (double)(ended.ns - started.ns) / (double)(ended.ticks - started.ticks);
    return (unsigned long long)((double)ticks * (ticks_of_processor ? tick_ns : 1));
}

/* As the result counts them: −1 is outside, and what shares a function comes first. */
static long long number_of(uint32_t function) {
    return (long long)function - FUNCTION_MORE;
}

typedef PyObject *RowOf(uint32_t number);

static PyObject *rows(PyObject *args, uint32_t first, uint32_t count, RowOf *row_of) {
    unsigned from, room;
    if (!PyArg_ParseTuple(args, "II", &from, &room))
        return NULL;
    PyObject *list = PyList_New(0);
    for (uint32_t at = first + from; list && !running && at < count && at - first - from < room; at++) {
        PyObject *row = row_of(at);
        if (!row || PyList_Append(list, row) < 0)
            Py_CLEAR(list);
        Py_XDECREF(row);
    }
    return list;
}

static PyObject *function_row(uint32_t number) {
    const Function *function = &graph.functions[number];
    unsigned long long waiting = ns_of(function->waiting);
    if (number == FUNCTION_MORE)
        return Py_BuildValue("(ssiK)", "(others)", "", 0, waiting);
    if (!function->file)
        return Py_BuildValue("(OsiK)", function->name, "", 0, waiting);
    return Py_BuildValue("(OOiK)", function->name, function->file, function->line, waiting);
}

static PyObject *edge_row(uint32_t number) {
    const Edge *edge = &graph.edges[number];
    return Py_BuildValue("(LLKKK)", number_of(edge->caller), number_of(edge->callee), edge->calls,
                         ns_of(edge->inclusive), ns_of(edge->exclusive));
}

static PyObject *functions(PyObject *Py_UNUSED(module), PyObject *args) {
    return rows(args, FUNCTION_MORE, graph.function_count, function_row);
}

static PyObject *edges(PyObject *Py_UNUSED(module), PyObject *args) {
    return rows(args, FUNCTION_MORE, graph.edge_count, edge_row);
}

static PyMethodDef methods[] = {
    {"begin", begin, METH_VARARGS,
     "Watch the calls of all threads but this one; whether those that begin have to be adopted."},
    {"end", end, METH_NOARGS, "Watch no longer; nanoseconds that it lasted."},
    {"forget", forget_all, METH_NOARGS, "Watch no longer, and give the memory back."},
    {"after_fork", after_fork, METH_NOARGS, "In a child: the same, where other threads are gone."},
    {"adopt", adopt, METH_NOARGS, "Watch threads that began meanwhile."},
    {"adopt_here", METHOD(adopt_here), METH_FASTCALL,
     "Watch this thread; has the shape of a profile function."},
    {"counts", counts, METH_NOARGS, "How much was seen so far."},
    {"functions", functions, METH_VARARGS, "So many, from a number on: name, file, line, ns of waiting."},
    {"edges", edges, METH_VARARGS,
     "So many, from a number on: caller, callee, calls, inclusive and exclusive ns."},
    {0},
};

static int ready(PyObject *Py_UNUSED(module)) {
    return events_init();
}

MODULE_OF_MAIN_INTERPRETER(_calls, "The call graph.", methods, ready,
                           "the call graph is of the main interpreter only")
