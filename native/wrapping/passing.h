/* Gates that nearly every call passes untouched: what is needed to see that costs no call of Python's.
   GIL: held. Each returns a new reference, or NULL with an exception set. */
#ifndef SONDE_PASSING_H
#define SONDE_PASSING_H

#include "../python/compat.h"

/* if_awaited(find, packages): a finder's `find_spec`. `find` is called for modules of `packages` alone, a set
   that may grow; for others the answer is None. */
PyObject *passing_if_awaited(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* if_in_scope(wrapped, instead, outer, inner): `instead` is called where the second argument, a scope of
   ASGI, has under `outer` a dict that has something under `inner`. */
PyObject *passing_if_in_scope(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* if_newer(wrapped, instead): OpenTelemetry's `get_current`. `instead` is called where our span is newer than
   their context, and not yet shown to them, see plugins/opentelemetry.py. */
PyObject *passing_if_newer(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* show(type, variable): from now on the two are kept one; contexts of theirs that were made current are of
   `type`, and `variable` has what was shown last: (their context, our span, shown). None, None: no longer. */
PyObject *passing_show(PyObject *module, PyObject *const *args, Py_ssize_t count);

#endif
