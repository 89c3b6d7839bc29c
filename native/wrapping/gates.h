/* Wrappers without a span of their own, see twin/around.py. GIL: held. Each returns a new reference, or NULL
   with an exception set. */
#ifndef SONDE_GATES_H
#define SONDE_GATES_H

#include "../python/compat.h"

/* unless_calling(wrapped, instead): `instead` is called, but `wrapped` while a library above makes a call. */
PyObject *gates_unless_calling(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* injecting(wrapped, instead, lines, peer, fault): the same, and the call gets its headers, in the list that
   is the attribute `lines` of the first argument. */
PyObject *gates_injecting(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* routing(wrapped, rule, mapping, fault): afterwards, the entry in the mapping is told the rule; both are
   paths of attributes from the first argument. */
PyObject *gates_routing(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* routing_scope(wrapped, instead, fault): Starlette's `Route.handle(scope, receive, send)`: before, the entry
   in the scope is told the route's path. `instead` is called for a scope that is no dict. */
PyObject *gates_routing_scope(PyObject *module, PyObject *const *args, Py_ssize_t count);

#endif
