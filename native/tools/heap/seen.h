/* What an earlier image held, for the next one to be compared with: which objects by address and type, and
   how many of each type. Shared memory: written by the process that looks at the first image, read by that of
   the second. An object whose address another of its type has taken over looks like the same. */
#ifndef SONDE_HEAP_SEEN_H
#define SONDE_HEAP_SEEN_H

#include "../../python/compat.h"

#include <stdbool.h>
#include <stdint.h>

enum { SEEN_TYPES = 1 << 13 };

typedef struct {
    uintptr_t type;
    uint64_t objects, bytes;
} SeenType;

typedef struct {
    size_t room_bytes;
    uint64_t mask, count, left_out;
    SeenType types[SEEN_TYPES]; /* hash table by address */
    uint32_t slots[];           /* hash table of prints; 0: free */
} Seen;

/* For so many objects. NULL: no memory. */
Seen *seen_new(uint64_t objects);
void seen_end(Seen *seen);

void seen_add(Seen *seen, const PyObject *object, uint64_t bytes);
bool seen_has(const Seen *seen, const PyObject *object);

/* Of a type; NULL: there was none. */
const SeenType *seen_type(const Seen *seen, const PyTypeObject *type);

#endif
