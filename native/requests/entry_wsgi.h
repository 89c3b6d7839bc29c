/* WSGI (PEP 3333), see plugins/wsgi.py. GIL: held. */
#ifndef SONDE_ENTRY_WSGI_H
#define SONDE_ENTRY_WSGI_H

#include "entry.h"

/* serve_wsgi(application, environ, start_response) of the module. */
PyObject *entry_serve_wsgi(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* Returns 0, or -1 with an exception set. */
int entry_wsgi_types_ready(void);

#endif
