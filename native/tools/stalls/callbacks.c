#include "callbacks.h"

#include "../watch/ticks.h"
#include "loops.h"
#include "watchdog.h"

static PyObject *original, *ours, *type, *describe;
static vectorcallfunc direct;
static bool on;
static unsigned long long untold;

/* After the callback, which may have set an exception. Returns a new reference or NULL; what it does is
 * hidden. */
static PyObject *described(PyObject *handle) {
    PyObject *kind, *value, *trace, *said = NULL;
    PyErr_Fetch(&kind, &value, &trace);
    if (describe) {
        said = PyObject_CallOneArg(describe, handle);
        if (!said) {
            untold++;
            PyErr_Clear();
        }
    }
    PyErr_Restore(kind, value, trace);
    return said;
}

/* The clock is read only for one that the watchdog has found late: it looks from half of the threshold on. */
static void was_late(Loop *loop, PyObject *handle, uint64_t since) {
    uint64_t ticks = ticks_between(since, ticks_now());
    if (ticks < atomic_load_explicit(&stall_threshold, memory_order_relaxed))
        return;
    PyObject *said = described(handle);
    if (on && loops_own == loop)
        watchdog_ended(loop, since, ticks, said);
    else
        Py_XDECREF(said);
}

static PyObject *call_original(PyObject *handle) {
    PyObject *args[] = {NULL, handle}; /* as PyObject_CallOneArg() does it, without its looking around */
    return direct ? direct(original, args + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL)
                  : PyObject_CallOneArg(original, handle);
}

/* A callback that runs the loop again, as nest_asyncio's do, waits in there for what the loop waits for: from
   then on it is not judged. */
static PyObject *run_nested(Loop *loop, PyObject *handle) {
    atomic_store_explicit(&loop->since, 0, memory_order_release);
    PyObject *result = call_original(handle);
    atomic_store_explicit(&loop->since, 0, memory_order_release);
    return result;
}

static PyObject *run(PyObject *handle, PyObject *Py_UNUSED(nothing)) {
    if (!on)
        return call_original(handle);
    Loop *loop = loops_own;
    if (!loop) {
        loop = loops_enter(LOOP_CALLBACKS);
        if (!loop)
            return call_original(handle);
        watchdog_needed();
    }
    if (loop->kind != LOOP_CALLBACKS)
        loop->kind = LOOP_CALLBACKS; /* a uvloop ran here before, and has left its last iteration behind */
    else if (atomic_load_explicit(&loop->since, memory_order_relaxed))
        return run_nested(loop, handle);
    uint64_t since = ticks_now();
    atomic_store_explicit(&loop->since, since, memory_order_release);
    PyObject *result = call_original(handle);
    bool is_judged = atomic_load_explicit(&loop->since, memory_order_relaxed) == since;
    atomic_store_explicit(&loop->since, 0, memory_order_release);
    if (__builtin_expect(atomic_load_explicit(&loop->looked, memory_order_relaxed) == since, 0) && is_judged)
        was_late(loop, handle, since);
    return result;
}

static PyMethodDef method = {"_run", run, METH_NOARGS, NULL};

int callbacks_on(PyObject *handle_type, PyObject *describing) {
    if (!PyType_Check(handle_type)) {
        PyErr_SetString(PyExc_TypeError, "a class of handles is needed");
        return -1;
    }
    PyObject *now = PyObject_GetAttrString(handle_type, "_run");
    if (!now)
        return -1;
    if (now != ours) {
        PyObject *made = PyDescr_NewMethod((PyTypeObject *)handle_type, &method);
        if (!made || PyObject_SetAttrString(handle_type, "_run", made) < 0) {
            Py_XDECREF(made);
            Py_DECREF(now);
            return -1;
        }
        Py_XSETREF(original, Py_NewRef(now));
        direct = PyVectorcall_Function(original);
        Py_XSETREF(ours, made);
        Py_XSETREF(type, Py_NewRef(handle_type));
    }
    Py_DECREF(now);
    Py_XSETREF(describe, Py_NewRef(describing));
    on = true;
    return 0;
}

int callbacks_off(void) {
    on = false;
    if (!type)
        return 0;
    PyObject *now = PyObject_GetAttrString(type, "_run");
    if (!now)
        return -1;
    bool stands = now == ours;
    Py_DECREF(now);
    /* Where somebody has wrapped it since, ours stays inside of theirs, and only hands on. */
    if (stands && PyObject_SetAttrString(type, "_run", original) < 0)
        return -1;
    Py_CLEAR(describe);
    return stands;
}

unsigned long long callbacks_untold(void) {
    return untold;
}
