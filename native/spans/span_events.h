/* What happens to a span while it runs: events, links, failure. Methods of Span, see twin/span.py.
   GIL: held. Each returns None, or NULL with an exception set. */
#ifndef SONDE_SPAN_EVENTS_H
#define SONDE_SPAN_EVENTS_H

#include "span.h"

PyObject *span_event(Span *span, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *span_link(Span *span, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *span_fail(Span *span, PyObject *const *args, Py_ssize_t count, PyObject *names);

/* The same without the checks; both may be NULL. Returns 0, or -1 with an exception set. */
int span_fail_with(Span *span, PyObject *error, PyObject *message);

#endif
