/* Who called whom: functions, and edges between them with counts and times. One graph in a process, guarded
   by the GIL; the tables have a fixed room, so that a call of a known edge allocates nothing and moves
   nothing. */
#ifndef SONDE_CALLS_GRAPH_H
#define SONDE_CALLS_GRAPH_H

#include "../../python/compat.h"

#include <stdbool.h>
#include <stdint.h>

/* The first ones are no functions: where outermost calls come from, and what all calls without room share. */
enum { FUNCTION_OUTSIDE, FUNCTION_MORE, FIRST_FUNCTION };

/* Code whose time between a yield and a resumption is told. */
#define WAITING_KINDS (CO_COROUTINE | CO_ITERABLE_COROUTINE | CO_ASYNC_GENERATOR)

typedef struct {
    const void *key;
    PyObject *owner;       /* keeps the key alive; owned, may be NULL */
    PyObject *name, *file; /* owned; file NULL: C */
    uint64_t waiting;      /* ticks between a coroutine's yields and its resumptions */
    int line;
} Function;

typedef struct Edge {
    const void *key; /* of the callee */
    uint32_t caller, callee;
    uint64_t calls, inclusive, exclusive; /* times in ticks */
    struct Edge *last;                    /* what the callee called last: often it is next again */
} Edge;

typedef struct {
    Function *functions;
    Edge *edges;
    uint32_t *function_index, *edge_index; /* hash tables of numbers; 0: free */
    uint32_t function_count, function_room, function_mask;
    uint32_t edge_count, edge_room, edge_mask;
    uint64_t events, cut; /* cut: calls that found no room of their own */
} Graph;

extern Graph graph;

/* Empty tables with room for so many functions. GIL: held. Returns 0, or -1 with an exception set. */
int graph_begin(uint32_t functions);

/* Give everything back. GIL: held; runs code of the application where this was all that kept a class alive.
 */
void graph_end(void);

/* The edge that stands for whatever calls the outermost one: its callee is FUNCTION_OUTSIDE. */
static inline Edge *graph_outside(void) {
    return &graph.edges[FUNCTION_OUTSIDE];
}

Edge *graph_find(Edge *from, const void *key, PyObject *callable);

/* The edge from the function that `from` leads to, to what `key` is; made at the first call. `callable`: for
   its name. GIL: held. Never fails: what has no room shares an edge. An exception that is set stays set. */
static inline Edge *graph_edge(Edge *from, const void *key, PyObject *callable) {
    Edge *last = from->last;
    return last && last->key == key ? last : graph_find(from, key, callable);
}

#endif
