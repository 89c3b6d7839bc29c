/* Places for Python. GIL: held. Each gives a new reference, or NULL with an exception set. */
#ifndef SONDE_WATCH_LISTED_H
#define SONDE_WATCH_LISTED_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "places.h"

/* A list of (name, file, first line, line). */
PyObject *places_list(const Places *places);

/* Their numbers as a tuple. */
PyObject *places_numbers(const uint16_t *from, int count);

#endif
