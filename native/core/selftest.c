#include "selftest.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../spans/protobuf.h"
#include "../spans/span.h"

static Operation *known_operation(void) {
    PyObject *arguments[3] = {PyUnicode_FromString("self-test"), PyLong_FromLong(CLIENT),
                              Py_BuildValue("{s:s}", "db.system.name", "sonde")};
    PyObject *operation = NULL;
    if (arguments[0] && arguments[1] && arguments[2])
        operation = operation_make(NULL, arguments, 3, NULL);
    for (int at = 0; at < 3; at++)
        Py_XDECREF(arguments[at]);
    return (Operation *)operation;
}

/* One attribute of each kind. */
static bool set_known(Span *span) {
    PyObject *values = Py_BuildValue("{s:s,s:i,s:d,s:O,s:[s,i]}", "text", "gr\xc3\xbc\xc3\x9f", "integer",
                                     -42, "double", 0.5, "bool", Py_True, "list", "a", 1);
    bool done = values && attributes_put_all(&span->attributes, SPAN_ATTRIBUTES, values, 1024) == 0;
    Py_XDECREF(values);
    return done;
}

static Span *known_span(void) {
    Operation *operation = known_operation();
    if (!operation)
        return NULL;
    Remote remote = {.parent.flags = FLAG_SAMPLED};
    memset(remote.parent.trace_id, 0xa5, TRACE_ID_BYTES);
    memset(remote.parent.span_id, 0x5a, SPAN_ID_BYTES);
    Span *span = span_new(operation, NULL, &remote);
    Py_DECREF(operation);
    if (!span)
        return NULL;
    memset(span->span_id, 0x3c, SPAN_ID_BYTES);
    span->flags = FLAG_SAMPLED | FLAG_PARENT_REMOTE;
    span->start_ns = 1000;
    span->start_unix_ns = 1700000000000000000u;
    if (!set_known(span))
        Py_CLEAR(span);
    return span;
}

PyObject *self_test(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    Span *span = known_span();
    Ring *ring = span ? ring_new(1) : NULL;
    PyObject *result = NULL;
    if (ring) {
        atomic_store(&ring->head, ring->room - 100); /* the record will wrap */
        atomic_store(&ring->tail, ring->room - 100);
        ring->tail_seen = ring->room - 100;
        struct iovec pieces[2];
        size_t size;
        span_write(span, span->start_ns + 1500000, ring);
        ring_peek(ring, 1, pieces, &size);
        result = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
        if (result) {
            uint8_t *at = (uint8_t *)PyBytes_AS_STRING(result);
            put_bytes(put_bytes(at, pieces[0].iov_base, pieces[0].iov_len), pieces[1].iov_base,
                      pieces[1].iov_len);
        }
        munmap(ring->bytes, ring->room);
        free(ring);
    } else if (!PyErr_Occurred()) {
        PyErr_NoMemory();
    }
    Py_XDECREF((PyObject *)span);
    return result;
}
