/* What stands in the place of a framework's own way in, a method of the application: its requests are served
   by entry_wsgi.c and entry_asgi.c. GIL: held. Each returns a new reference, or NULL with an exception set.
 */
#ifndef SONDE_ENTRY_GATES_H
#define SONDE_ENTRY_GATES_H

#include "../python/compat.h"

/* serving_wsgi(wrapped, instead): `wrapped(self, environ, start_response)` under a server span. `instead` is
   for calls of any other form. */
PyObject *entry_gates_wsgi(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* serving_asgi(wrapped, instead): `wrapped(self, scope, receive, send)`, likewise. */
PyObject *entry_gates_asgi(PyObject *module, PyObject *const *args, Py_ssize_t count);

#endif
