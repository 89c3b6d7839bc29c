#include "tick.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "../spans/clock.h"
#include "../sending/frame_queue.h"
#include "recorder.h"
#include "../spans/tally.h"
#include "../sending/work.h"

static const uint64_t SOON_NS = 2000000000u;

static PyObject *function, *command_function;
static uint64_t whole_every_ns = 10000000000u;
static _Atomic bool on, hears, asked;
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

PyObject *tick_configure_commands(PyObject *Py_UNUSED(module), PyObject *wanted) {
    if (wanted != Py_None && !PyCallable_Check(wanted)) {
        PyErr_SetString(PyExc_TypeError, "a function or None is needed");
        return NULL;
    }
    Py_XSETREF(command_function, wanted == Py_None ? NULL : Py_NewRef(wanted));
    atomic_store(&hears, command_function != NULL);
    Py_RETURN_NONE;
}

PyObject *tick_ask(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    atomic_store(&asked, true);
    if (recorder_tallied() < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* When the next one would be due if nothing else was there. */
static uint64_t due_at_ns(void) {
    if (!atomic_load(&on))
        return UINT64_MAX;
    uint64_t whole = atomic_load(&whole_at_ns), soon = atomic_load(&soon_at_ns);
    return (tally_waits() || atomic_load(&asked)) && soon < whole ? soon : whole;
}

uint64_t tick_at_ns(void) {
    bool heard =
        (queue_waits(&inbox) && atomic_load(&on)) || (queue_waits(&command_inbox) && atomic_load(&hears));
    uint64_t due = heard ? 0 : due_at_ns(), possible = work_possible_at_ns();
    return due > possible ? due : possible;
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

/* An exception may be set: count it, or show it while debugging. */
static void settle(PyObject *of) {
    if (PyErr_Occurred() && recorder_fault() < 0)
        PyErr_WriteUnraisable(of);
}

static void hear_commands(void) {
    Frame *frame;
    while (command_function && (frame = queue_take(&command_inbox))) {
        PyObject *ours = Py_NewRef(command_function);
        PyObject *result =
            PyObject_CallFunction(ours, "y#", (const char *)frame->bytes, (Py_ssize_t)frame->size);
        settle(ours);
        Py_XDECREF(result);
        Py_DECREF(ours);
        free(frame);
    }
}

/* What else the agent said: a list of (kind, payload). New reference, or NULL with an exception set. */
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

/* With the GIL. `due`: also where the agent has said nothing. */
static void collect(uint64_t gil_wait_ns, bool due, bool whole) {
    PyObject *ours = Py_XNewRef(function), *said = ours ? taken_inbox() : NULL, *frames = NULL;
    if (said && (due || PyList_GET_SIZE(said))) {
        atomic_store(&asked, false);
        frames = PyObject_CallFunction(ours, "KOO", (unsigned long long)gil_wait_ns,
                                       whole ? Py_True : Py_False, said);
        if (frames)
            (void)add_all(frames);
    }
    settle(ours);
    Py_XDECREF(frames);
    Py_XDECREF(said);
    Py_XDECREF(ours);
}

static bool begun_due, begun_whole; /* of the work that begins, or is under way */

static void work(void) {
    uint64_t began_ns = clock_monotonic_ns();
    if (IS_FINALIZING()) {
        tick_never_again();
        return;
    }
    PyGILState_STATE state = PyGILState_Ensure();
    uint64_t waited_ns = clock_monotonic_ns() - began_ns;
    /* The interpreter may have begun to end meanwhile. */
    if (atomic_load(&hears))
        hear_commands();
    if (atomic_load(&on))
        collect(waited_ns, begun_due, begun_whole);
    PyGILState_Release(state);
}

void tick_begin_if_due(void) {
    uint64_t now_ns = clock_monotonic_ns();
    if (now_ns < tick_at_ns())
        return;
    begun_due = now_ns >= due_at_ns();
    begun_whole = atomic_load(&on) && now_ns >= atomic_load(&whole_at_ns);
    if (begun_whole)
        atomic_store(&whole_at_ns, now_ns + whole_every_ns);
    if (begun_due)
        atomic_store(&soon_at_ns, now_ns + SOON_NS);
    work_begin(work);
}

void tick_now(void) {
    if (!atomic_load(&on))
        return;
    collect(0, true, false);
}

void tick_never_again(void) {
    atomic_store(&on, false);
    atomic_store(&hears, false);
}

void tick_after_fork_in_child(void) {
    atomic_store(&whole_at_ns, clock_monotonic_ns() + whole_every_ns);
}
