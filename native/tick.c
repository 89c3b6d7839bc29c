#include "tick.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "clock.h"
#include "frame_queue.h"
#include "recorder.h"
#include "tally.h"

static const uint64_t SOON_NS = 2000000000u;

static PyObject *function;
static uint64_t whole_every_ns = 10000000000u;
static _Atomic bool on, asked;
static _Atomic uint64_t whole_at_ns, soon_at_ns;

PyObject *tick_configure(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    double every_s = count > 1 ? PyFloat_AsDouble(args[1]) : 10;
    if (PyErr_Occurred())
        return NULL;
    if (count < 1 || count > 2 || !(every_s > 0 && every_s < 1e6)) {
        PyErr_SetString(PyExc_ValueError, "a function or None is needed, and seconds");
        return NULL;
    }
    whole_every_ns = (uint64_t)(every_s * 1e9);
    Py_XSETREF(function, args[0] == Py_None ? NULL : Py_NewRef(args[0]));
    uint64_t now_ns = clock_monotonic_ns();
    atomic_store(&whole_at_ns, now_ns + whole_every_ns);
    atomic_store(&soon_at_ns, now_ns + SOON_NS);
    atomic_store(&on, function != NULL);
    Py_RETURN_NONE;
}

PyObject *tick_ask(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    atomic_store(&asked, true);
    if (recorder_tallied() < 0)
        return NULL;
    Py_RETURN_NONE;
}

uint64_t tick_at_ns(void) {
    if (!atomic_load(&on))
        return UINT64_MAX;
    uint64_t whole = atomic_load(&whole_at_ns), soon = atomic_load(&soon_at_ns);
    if (queue_waits(&inbox))
        return 0;
    return (tally_waits() || atomic_load(&asked)) && soon < whole ? soon : whole;
}

static int add_all(PyObject *frames) {
    PyObject *fast = PySequence_Fast(frames, "frames are needed");
    if (!fast)
        return -1;
    int result = 0;
    for (Py_ssize_t at = 0; result == 0 && at < PySequence_Fast_GET_SIZE(fast); at++) {
        unsigned char kind;
        const char *bytes;
        Py_ssize_t size;
        if (PyArg_ParseTuple(PySequence_Fast_GET_ITEM(fast, at), "by#", &kind, &bytes, &size))
            queue_add(&outbox, kind, bytes, (size_t)size);
        else
            result = -1;
    }
    Py_DECREF(fast);
    return result;
}

/* What the agent said: a list of (kind, payload). New reference, or NULL with an exception set. */
static PyObject *taken_inbox(void) {
    PyObject *list = PyList_New(0);
    Frame *frame;
    while (list && (frame = queue_take(&inbox))) {
        PyObject *one =
            Py_BuildValue("(iy#)", (int)frame->kind, (const char *)frame->bytes, (Py_ssize_t)frame->size);
        if (!one || PyList_Append(list, one) < 0)
            Py_CLEAR(list);
        Py_XDECREF(one);
        free(frame);
    }
    return list;
}

/* With the GIL. */
static void collect(uint64_t gil_wait_ns, bool whole) {
    PyObject *ours = Py_XNewRef(function), *said = ours ? taken_inbox() : NULL, *frames = NULL;
    atomic_store(&asked, false);
    if (said)
        frames = PyObject_CallFunction(ours, "KOO", (unsigned long long)gil_wait_ns,
                                       whole ? Py_True : Py_False, said);
    if (ours && (!frames || add_all(frames) < 0)) {
        if (recorder_fault() < 0)
            PyErr_WriteUnraisable(ours); /* only while debugging */
    }
    Py_XDECREF(frames);
    Py_XDECREF(said);
    Py_XDECREF(ours);
}

void tick_if_due(void) {
    uint64_t now_ns = clock_monotonic_ns();
    if (now_ns < tick_at_ns())
        return;
    bool whole = now_ns >= atomic_load(&whole_at_ns);
    if (whole)
        atomic_store(&whole_at_ns, now_ns + whole_every_ns);
    atomic_store(&soon_at_ns, now_ns + SOON_NS);
    PyGILState_STATE state = PyGILState_Ensure();
    if (atomic_load(&on)) /* the interpreter may have begun to end meanwhile */
        collect(clock_monotonic_ns() - now_ns, whole);
    PyGILState_Release(state);
}

void tick_now(void) {
    if (!atomic_load(&on))
        return;
    collect(0, false);
}

void tick_never_again(void) {
    atomic_store(&on, false);
}

void tick_after_fork_in_child(void) {
    atomic_store(&whole_at_ns, clock_monotonic_ns() + whole_every_ns);
}
