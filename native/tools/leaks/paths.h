/* Who holds what: the shortest way from given roots to given addresses. GIL: held. */
#ifndef SONDE_LEAKS_PATHS_H
#define SONDE_LEAKS_PATHS_H

#include "stack.h"

/* `paths(addresses, roots, most)`: for each address a list of objects from a root to the object there, or to
   the one whose memory it is; None where none of `roots`, a list, leads to it within `most` objects. The
   addresses are only compared with, never followed. Runs no Python code; takes some 100 ns per object. */
PyObject *paths_find(PyObject *module, PyObject *args);

/* What memory an object has beside its own block; NULL: none that is known. */
void *paths_buffer(PyObject *object);

#endif
