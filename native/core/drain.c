#include "drain.h"

#include "../spans/protobuf.h"
#include "recorder.h"
#include "../sending/rings.h"

/* The next span of the ring, or NULL with or without an exception set. */
static PyObject *take_one(Ring *ring) {
    struct iovec pieces[2];
    size_t size;
    if (!ring_peek(ring, 1, pieces, &size))
        return NULL;
    PyObject *record = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    if (!record)
        return NULL;
    uint8_t *bytes = (uint8_t *)PyBytes_AS_STRING(record);
    put_bytes(put_bytes(bytes, pieces[0].iov_base, pieces[0].iov_len), pieces[1].iov_base, pieces[1].iov_len);
    uint64_t length;
    const uint8_t *span = get_varint(bytes + 1, &length);
    PyObject *result = PyBytes_FromStringAndSize((const char *)span, (Py_ssize_t)length);
    Py_DECREF(record);
    if (result)
        ring_discard(ring, size);
    return result;
}

PyObject *drain(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    if (recorder.has_sender) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the sender takes the spans; start with an empty socket_path to drain them");
        return NULL;
    }
    PyObject *spans = PyList_New(0);
    for (Ring *ring = rings_first(); spans && ring; ring = ring->next) {
        PyObject *span;
        while (spans && (span = take_one(ring))) {
            if (PyList_Append(spans, span) < 0)
                Py_CLEAR(spans);
            Py_DECREF(span);
        }
        if (PyErr_Occurred())
            Py_CLEAR(spans);
    }
    return spans;
}
