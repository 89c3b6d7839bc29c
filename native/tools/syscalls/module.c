/* sonde.probe.tools._syscalls: slow system calls for Python. What it is for is said in syscalls/watch.py. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string.h>

#include "../../python/module_of.h"
#include "../frames/frames.h"
#include "../frames/spans.h"
#include "../watch/slots.h"
#include "../watch/ticks.h"
#include "calls.h"
#include "slow.h"

static bool with_locks;

/* The C library calls itself by other ways, and we and what else reads memory from afar must not call
 * ourselves. */
static bool is_wanted(const char *path) {
    static const char *const never[] = {"libc.so", "libc-",   "ld-linux", "ld-2",    "libpthread",
                                        "libdl.",  "librt.",  "libm.so",  "libm-",   "libresolv",
                                        "libnss_", "libasan", "libubsan", "libtsan", "libgcc_s"};
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    for (size_t at = 0; at < sizeof never / sizeof *never; at++)
        if (!strncmp(name, never[at], strlen(never[at])))
            return false;
    return !strstr(path, "/sonde/probe/");
}

static PyObject *module_init(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    frames_init();
    const char *why_not = frames_why_not();
    if (!*why_not && slots_why_not())
        why_not = slots_why_not();
    return PyUnicode_FromString(why_not);
}

static void fill(void) {
    size_t count;
    const Hook *hooks = calls_hooks(with_locks, &count);
    slots_find(hooks, count);
    slots_fill(hooks, count, is_wanted);
}

static PyObject *module_start(PyObject *Py_UNUSED(module), PyObject *args) {
    unsigned long long ns;
    int locks;
    if (!PyArg_ParseTuple(args, "Kp", &ns, &locks))
        return NULL;
    if (!frames_init() || slots_why_not()) {
        PyErr_SetString(PyExc_RuntimeError, "the slots of this process's libraries cannot be filled");
        return NULL;
    }
    ticks_init();
    frames_spans_init();
    with_locks = locks;
    slow_begin(ticks_of_ns(ns));
    Py_BEGIN_ALLOW_THREADS;
    fill();
    Py_END_ALLOW_THREADS;
    return PyLong_FromUnsignedLong(slots_counts().filled);
}

static PyObject *module_rescan(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    bool stale;
    Py_BEGIN_ALLOW_THREADS;
    stale = slots_are_stale();
    if (stale)
        fill();
    Py_END_ALLOW_THREADS;
    return PyBool_FromLong(stale);
}

static PyObject *module_test(PyObject *Py_UNUSED(module), PyObject *on) {
    slow_test(PyObject_IsTrue(on) == 1);
    Py_RETURN_NONE;
}

static PyObject *module_stop(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    slow_end();
    Py_BEGIN_ALLOW_THREADS;
    slots_restore();
    Py_END_ALLOW_THREADS;
    Py_RETURN_NONE;
}

static PyObject *module_taken(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    return slow_taken();
}

static PyObject *module_counts(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    SlowCounts found = slow_counts();
    SlotCounts slots = slots_counts();
    PyObject *calls = PyDict_New();
    for (int at = 0; calls && at < CALLS; at++) {
        if (!found.count[at])
            continue;
        PyObject *one =
            Py_BuildValue("(KK)", (unsigned long long)found.count[at], (unsigned long long)found.ns[at]);
        if (!one || PyDict_SetItemString(calls, call_name((Call)at), one) < 0)
            Py_CLEAR(calls);
        Py_XDECREF(one);
    }
    return Py_BuildValue("{s:N,s:K,s:I,s:I,s:I,s:I}", "calls", calls, "dropped",
                         (unsigned long long)found.dropped, "slots", slots.filled, "foreign_slots",
                         slots.foreign, "refused_slots", slots.refused, "libraries", slots.libraries);
}

static PyObject *module_forget(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    slow_forget(false);
    Py_RETURN_NONE;
}

static PyObject *module_after_fork(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    slow_forget(true);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"init", METHOD(module_init), METH_NOARGS, "Why calls cannot be timed here; empty: they can."},
    {"start", METHOD(module_start), METH_VARARGS,
     "Time calls: threshold in ns, and whether of locks, too. How many slots are ours."},
    {"rescan", METHOD(module_rescan), METH_NOARGS,
     "Libraries that were loaded since; whether there were any."},
    {"test", METHOD(module_test), METH_O, "Whether every call of this thread counts as slow."},
    {"stop", METHOD(module_stop), METH_NOARGS, "Put all slots back."},
    {"taken", METHOD(module_taken), METH_NOARGS, "Slow calls; they are forgotten. One thread at a time."},
    {"counts", METHOD(module_counts), METH_NOARGS, "What was counted so far."},
    {"forget", METHOD(module_forget), METH_NOARGS, "Counts and what waits."},
    {"after_fork", METHOD(module_after_fork), METH_NOARGS, "In a child: nothing is the parent's any more."},
    {0},
};

MODULE_OF_MAIN_INTERPRETER(_syscalls, "Slow system calls.", functions, begins_empty,
                           "only the main interpreter can time system calls")
