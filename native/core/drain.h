/* Taking finished spans out where no sender does: for tests and benchmarks. */
#ifndef SONDE_DRAIN_H
#define SONDE_DRAIN_H

#include "../python/compat.h"

/* drain() of the module: a list of encoded Spans. New reference, or NULL with an exception set. */
PyObject *drain(PyObject *module, PyObject *nothing);

#endif
