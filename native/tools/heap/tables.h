/* The most of something, and what there is of each type. */
#ifndef SONDE_HEAP_TABLES_H
#define SONDE_HEAP_TABLES_H

#include "walk.h"

enum { TOP_ROWS = 100, TYPE_ROWS = 1000, TYPE_ROOM = 1 << 15 };

/* The nodes with the greatest values, the greatest first. */
typedef struct {
    int count, room; /* room: at most TOP_ROWS */
    Node node[TOP_ROWS];
    uint64_t value[TOP_ROWS];
} Top;

void top_add(Top *top, Node node, uint64_t value);

typedef struct {
    PyTypeObject *type;
    uint64_t objects, bytes;
} TypeCount;

typedef struct {
    TypeCount *rows; /* those with most bytes first */
    uint32_t count;
    uint32_t left_out; /* objects of types that found no room */
} TypeTable;

/* False: no memory. */
bool types_count(TypeTable *types, const Walk *walk);

/* How many things are in a container; 0 for anything else. */
uint64_t items_of(PyObject *object);

Node walk_frame_roots(const Walk *walk);

#endif
