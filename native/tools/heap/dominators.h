/* Who keeps what alive: node a dominates b where every way from a root to b goes through a. What an object
   retains is the bytes of all that it dominates: what would be free if it went. */
#ifndef SONDE_HEAP_DOMINATORS_H
#define SONDE_HEAP_DOMINATORS_H

#include "walk.h"

typedef struct {
    Node *dominator;    /* [node]: its nearest one; 0: a root, or several roots lead to it */
    uint64_t *retained; /* [node]: bytes, its own included */
} Dominators;

/* Bytes for so many objects. */
size_t dominators_bytes(Node objects);

/* False: no memory. */
bool dominators_find(const Walk *walk, Dominators *found);

#endif
