/* What the allocators say of themselves. */
#ifndef SONDE_HEAP_MEMORY_H
#define SONDE_HEAP_MEMORY_H

#include "../../python/compat.h"

/* What sys._debugmallocstats() prints of the allocator of objects. New reference to a text, or NULL with an
   exception set. GIL: held, for as long as it takes to look at each of its pools. */
PyObject *memory_objects(void);

/* mallinfo2() of the C library: a dict, empty where that has none. New reference, or NULL with an exception
 * set. */
PyObject *memory_native(void);

#endif
