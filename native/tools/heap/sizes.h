/* Bytes of an object itself, as sys.getsizeof() has them for the types of Python's own. For any other type,
   what it takes up in its class's layout: no method is called, since it might be the application's. */
#ifndef SONDE_HEAP_SIZES_H
#define SONDE_HEAP_SIZES_H

#include "../../python/compat.h"

/* Types that are in no header. Once, before an image is taken. */
void sizes_init(PyObject *deque, PyObject *array);

/* Allocates nothing. */
size_t size_of(PyObject *object);

#endif
