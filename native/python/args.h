/* Arguments of a function called by the vectorcall convention, by position or by name. */
#ifndef SONDE_ARGS_H
#define SONDE_ARGS_H

#include "compat.h"

typedef struct {
    const char *function;
    const char *const *names;         /* NULL at the end */
    Py_ssize_t required, by_position; /* how many must be there; how many may come without their name */
} Signature;

/* Put each argument at its place in `out`, NULL for what is missing.
   GIL: held. Refs: borrowed. Returns 0, or -1 with a TypeError set. */
int args_read(const Signature *signature, PyObject *const *args, Py_ssize_t count, PyObject *names,
              PyObject **out);

#endif
