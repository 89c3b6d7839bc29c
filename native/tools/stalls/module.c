/* sonde.probe.tools._stalls: the watchdog of event loops for Python. What it is for is said in
 * stalls/watch.py.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <errno.h>

#include "../../python/module_of.h"
#include "../frames/frames.h"
#include "../frames/spans.h"
#include "../watch/slots.h"
#include "../watch/ticks.h"
#include "callbacks.h"
#include "collections.h"
#include "iterations.h"
#include "loops.h"
#include "watchdog.h"

static PyObject *module_init(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    frames_init();
    return PyUnicode_FromString(frames_why_not());
}

static PyObject *module_start(PyObject *Py_UNUSED(module), PyObject *threshold) {
    unsigned long long ns = PyLong_AsUnsignedLongLong(threshold);
    if (PyErr_Occurred())
        return NULL;
    if (!frames_init()) {
        PyErr_SetString(PyExc_RuntimeError, frames_why_not());
        return NULL;
    }
    ticks_init();
    frames_spans_init();
    collections_threshold(ticks_of_ns(ns));
    int error = watchdog_start(ns);
    if (error) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    Py_RETURN_NONE;
}

static PyObject *module_callbacks(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *type, *describe;
    if (!PyArg_ParseTuple(args, "OO", &type, &describe) || callbacks_on(type, describe) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *module_iterations(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    unsigned filled;
    Py_BEGIN_ALLOW_THREADS;
    filled = iterations_on();
    Py_END_ALLOW_THREADS;
    return PyLong_FromUnsignedLong(filled);
}

static PyObject *module_stop(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    int stood = callbacks_off();
    Py_BEGIN_ALLOW_THREADS;
    iterations_off();
    watchdog_stop();
    Py_END_ALLOW_THREADS;
    collections_threshold(UINT64_MAX);
    if (stood < 0)
        return NULL;
    return PyBool_FromLong(stood);
}

static PyObject *module_taken(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    return watchdog_taken();
}

static PyObject *module_ongoing(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    return watchdog_ongoing();
}

static PyObject *module_pauses(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    return collections_taken();
}

static PyObject *module_counts(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    WatchdogCounts found = watchdog_counts();
    CollectionCounts gc = collections_counts();
    SlotCounts slots = slots_counts();
    return Py_BuildValue("{s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:I,s:I,s:I,s:(KKK),s:(KKK),s:K,s:K}", "stalls",
                         found.stalls, "stalled_ns", found.stalled_ns, "unseen", found.unseen, "dropped",
                         found.dropped, "looks", found.looks, "own_cpu_ns", found.own_cpu_ns, "untold",
                         callbacks_untold(), "loops", loops_count(), "refused_loops", loops_refused(),
                         "foreign_slots", slots.foreign, "gc_count", gc.count[0], gc.count[1], gc.count[2],
                         "gc_ns", gc.ns[0], gc.ns[1], gc.ns[2], "gc_longest_ns", gc.longest_ns, "gc_dropped",
                         gc.dropped);
}

static PyObject *module_forget(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    watchdog_forget(false);
    collections_forget();
    Py_RETURN_NONE;
}

static PyObject *module_after_fork(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    loops_after_fork();
    watchdog_forget(true);
    collections_forget();
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"init", METHOD(module_init), METH_NOARGS, "Why loops cannot be watched here; empty: they can."},
    {"start", METHOD(module_start), METH_O, "Watch, or with another threshold, in ns."},
    {"callbacks", METHOD(module_callbacks), METH_VARARGS, "Time the callbacks of asyncio's own loops."},
    {"iterations", METHOD(module_iterations), METH_NOARGS,
     "Time uvloop's iterations; how many slots are ours."},
    {"collection", METHOD(collections_callback), METH_FASTCALL, "What stands in gc.callbacks."},
    {"stop", METHOD(module_stop), METH_NOARGS, "Put all back; whether Handle._run was still ours."},
    {"taken", METHOD(module_taken), METH_NOARGS, "Stalls that have ended; they are forgotten."},
    {"ongoing", METHOD(module_ongoing), METH_NOARGS, "Stalls that go on."},
    {"pauses", METHOD(module_pauses), METH_NOARGS, "Pauses of the collector; they are forgotten."},
    {"counts", METHOD(module_counts), METH_NOARGS, "What was counted so far."},
    {"forget", METHOD(module_forget), METH_NOARGS, "Counts and what waits."},
    {"after_fork", METHOD(module_after_fork), METH_NOARGS, "In a child: nothing is the parent's any more."},
    {0},
};

MODULE_OF_MAIN_INTERPRETER(_stalls, "A watchdog of event loops.", functions, begins_empty,
                           "only the main interpreter's loops can be watched")
