/* Start, stop and what lies between: the module's functions of the same names, see twin/__init__.py.
   GIL: held by the caller; those that wait let it go meanwhile. Each returns a new reference, or NULL with an
   exception set. */
#ifndef SONDE_LIFECYCLE_H
#define SONDE_LIFECYCLE_H

#include "../python/compat.h"

PyObject *lifecycle_start(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *lifecycle_agent_path(PyObject *module, PyObject *nothing);
PyObject *lifecycle_set_resource(PyObject *module, PyObject *resource);
PyObject *lifecycle_stop(PyObject *module, PyObject *timeout_s);
PyObject *lifecycle_flush(PyObject *module, PyObject *timeout_s);
PyObject *lifecycle_flush_at_exit(PyObject *module, PyObject *nothing);

/* Called around the forks that Python knows of, in the parent. */
PyObject *lifecycle_before_fork(PyObject *module, PyObject *nothing);
PyObject *lifecycle_after_fork(PyObject *module, PyObject *nothing);

#endif
