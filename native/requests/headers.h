/* What an outgoing request carries: `traceparent` and `sw8` are written here, everything else by Python, see
   propagation.py. GIL: held. */
#ifndef SONDE_HEADERS_H
#define SONDE_HEADERS_H

#include "../spans/span.h"

/* propagate(w3c, sw8, sw8_always, more, always) of the module: which headers are written. None, or NULL with
 * an exception set. */
PyObject *headers_configure(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* Whether one of the headers that `span` writes may name the callee: else its address need not be looked for.
 */
bool headers_name_a_peer(const Span *span);

/* Methods of Span: headers(peer=""), into_lines(list, peer=""), into_pairs(list, peer=""). New reference, or
   NULL with an exception set. */
PyObject *span_headers(Span *span, PyObject *const *args, Py_ssize_t count);
PyObject *span_into_lines(Span *span, PyObject *const *args, Py_ssize_t count);
PyObject *span_into_pairs(Span *span, PyObject *const *args, Py_ssize_t count);

#endif
