/* ASGI, see plugins/asgi.py. GIL: held. */
#ifndef SONDE_ENTRY_ASGI_H
#define SONDE_ENTRY_ASGI_H

#include "entry.h"

/* serve_asgi(application, scope, receive, send) of the module: a coroutine. */
PyObject *entry_serve_asgi(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* Returns 0, or -1 with an exception set. */
int entry_asgi_types_ready(void);

#endif
