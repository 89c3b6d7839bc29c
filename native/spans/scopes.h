/* Spans of the module's functions: leaves, scopes, and what is current. What each means is said in
   twin/__init__.py. GIL: held. Those with a PyObject result return a new reference, or NULL with an exception
   set. */
#ifndef SONDE_SCOPES_H
#define SONDE_SCOPES_H

#include "span.h"

/* scope() without a name: below `remote` (NULL or None: the current span), and current from now on. */
Span *scope_begin(Operation *operation, PyObject *remote);

/* silence() */
Span *scope_silence(Operation *operation);

PyObject *scopes_leaf(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *scopes_scope(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *scopes_silence(PyObject *module, PyObject *operation);
PyObject *scopes_calling(PyObject *module, PyObject *nothing);
PyObject *scopes_sample(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *scopes_current(PyObject *module, PyObject *nothing);

#endif
