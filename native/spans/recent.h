/* What was found lately for an object and a key: both are compared by identity, the object is not kept alive.
   GIL: held. No code of the user's runs in here. */
#ifndef SONDE_RECENT_H
#define SONDE_RECENT_H

#include "../python/compat.h"

enum { RECENT_KEYS = 8 };

typedef struct {
    PyObject *object; /* only compared; it is the one that `reference` leads to, or gone */
    PyObject *reference;
    struct {
        PyObject *key, *value; /* owned, or NULL */
    } found[RECENT_KEYS];
} Recent;

/* Borrowed; NULL: it was not, or that is forgotten. */
PyObject *recent_find(const Recent *recent, PyObject *object, PyObject *key);

/* From now on it is `value`. An object that cannot be referred to weakly is not remembered. */
void recent_keep(Recent *recent, PyObject *object, PyObject *key, PyObject *value);

void recent_clear(Recent *recent);

#endif
