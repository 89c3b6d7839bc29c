#include "recorder.h"

#include "../sending/connection.h"
#include "counters.h"
#include "../sending/rings.h"
#include "../sending/sender.h"

Recorder recorder = {
    .max_value_bytes = 1024, .exit_flush_ms = 500, .slow_ns = UINT64_MAX, .follows_parent = true};

PyObject *recorder_exit_hook;

/* The first finished span of a process: it is known now what kind of process this is (see exits.py). */
static int start_sender(void) {
    static bool starting;
    if (starting)
        return 0; /* the import below finished a span */
    starting = true;
    PyObject *module = IS_FINALIZING() ? NULL : PyImport_ImportModule("sonde.probe.core.exits");
    PyObject *result =
        module ? PyObject_CallMethod(module, "in_this_process", "O", recorder_exit_hook) : NULL;
    Py_XDECREF(module);
    Py_XDECREF(result);
    int failed = PyErr_Occurred() ? recorder_fault() : 0;
    sender_start();
    starting = false;
    return failed;
}

int recorder_wrote(Ring *ring, RingState state) {
    count_alone(&ring->finished);
    if (state == RING_FULL)
        count_alone(recorder.has_sender && !connection_is_open() ? &ring->dropped_no_agent
                                                                 : &ring->dropped_ring_full);
    if (!recorder.has_sender)
        return 0;
    if (atomic_load(&sender_asleep)) {
        if (!sender_is_running())
            return start_sender();
        sender_wake(false);
    } else if (state == RING_FILLS_UP) {
        sender_hurry();
    }
    return 0;
}

int recorder_tallied(void) {
    if (!recorder.has_sender || !atomic_load(&sender_asleep) || sender_is_running())
        return 0;
    return start_sender();
}

int recorder_unencodable(const char *what, PyObject *value) {
    count(COUNT_unencodable_values);
    if (!recorder.debug)
        return 0;
    PyErr_Format(PyExc_TypeError, "%s: %.100s", what, Py_TYPE(value)->tp_name);
    return -1;
}

int recorder_fault(void) {
    count(COUNT_internal_errors);
    if (recorder.debug || !PyErr_ExceptionMatches(PyExc_Exception))
        return -1;
    PyErr_Clear();
    return 0;
}

void recorder_after_fork_in_child(void) {
    recorder.generation++;
}
