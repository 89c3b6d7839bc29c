/* A function of a library with a leaf span around each call: what stands at a plugin's wrap point. The twin
   is twin/around.py.

   GIL: held. The wrapped call's result and exception pass as they are. What raises on our side is told to the
   plugins' `fault`, and never replaces either; only what that raises in turn (KeyboardInterrupt, or
   everything while debugging) goes on. */
#ifndef SONDE_AROUND_H
#define SONDE_AROUND_H

#include "../python/compat.h"

#include <stdbool.h>

#include "../spans/span.h"

typedef struct {
    PyObject_HEAD vectorcallfunc call;
    PyObject *wrapped, *start, *result, *failed, *fault; /* result: None where the plugin has none */
    PyObject *place;                                     /* for `fault` */
    PyObject *attributes, *weakrefs; /* its __dict__: name, doc, what functools.wraps copies */
} Around;

extern PyTypeObject AroundType;

/* around(wrapped, start, result, failed, fault) of the module, and the same for coroutine functions.
   New reference, or NULL with an exception set. */
PyObject *around_make(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *around_make_async(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* One of five parts, called by `how`. New reference, or NULL with an exception set. */
PyObject *around_new(PyObject *const *parts, vectorcallfunc how);

/* Our own exception is set: tell the plugins' `fault`. Returns 0, or -1 with an exception set. */
int around_fault(Around *self);

/* GIL: held. Returns 0, or -1 with an exception set. */
int around_types_ready(void);

#endif
