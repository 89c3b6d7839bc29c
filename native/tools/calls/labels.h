/* What a called thing is known by, and what people read. No code of the application runs for it. */
#ifndef SONDE_CALLS_LABELS_H
#define SONDE_CALLS_LABELS_H

#include "../../python/compat.h"

/* What all calls of the same function have in common: for a C function its PyMethodDef (a bound one is a
   fresh object at each call), for a class itself, for any other object its type, marked. NULL: a Python
   function, which tells by itself when it begins. */
const void *label_key(PyObject *callable);

/* Qualified name; `file` and `line` are set for code objects only, else NULL and 0. `owner` is what keeps the
   key alive, NULL where nothing need. All are new references. GIL: held. Returns 0, or -1 with an exception
   set. */
int label_make(PyObject *callable, PyObject **name, PyObject **file, int *line, PyObject **owner);

#endif
