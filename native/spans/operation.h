/* What all spans of one wrap point have in common, encoded once. */
#ifndef SONDE_OPERATION_H
#define SONDE_OPERATION_H

#include "../python/compat.h"

#include "attributes.h"
#include "buffer.h"

enum { INTERNAL = 1, SERVER, CLIENT, PRODUCER, CONSUMER }; /* opentelemetry.proto.trace.v1.Span.SpanKind */

typedef struct {
    PyObject_HEAD PyObject *name;
    int kind;
    Buffer name_and_kind; /* Span.name, Span.kind */
    Attributes constants;
} Operation;

extern PyTypeObject OperationType;

/* operation(name, kind, attributes=None) of the module. New reference, or NULL with an exception set. */
PyObject *operation_make(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names);

/* GIL: held. Returns 0, or -1 with an exception set. */
int operation_type_ready(void);

#endif
