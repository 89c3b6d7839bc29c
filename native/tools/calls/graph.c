#include "graph.h"

#include <stdlib.h>

#include "labels.h"

enum { EDGES_PER_FUNCTION = 8 };

Graph graph;

static const char more; /* its address is the key of what has no room of its own */

static uint32_t hash(uint32_t caller, const void *key) {
    uint64_t mixed = ((uintptr_t)key >> 3 ^ (uint64_t)caller << 44) * 0x9E3779B97F4A7C15ull;
    return (uint32_t)(mixed >> 32);
}

static uint32_t mask_for(uint32_t entries) {
    uint32_t size = 1024;
    while (size < 2 * entries)
        size *= 2;
    return size - 1;
}

int graph_begin(uint32_t functions) {
    graph = (Graph){0};
    graph.function_room = functions + FIRST_FUNCTION;
    graph.function_mask = mask_for(graph.function_room);
    graph.edge_room = graph.function_room * EDGES_PER_FUNCTION;
    graph.edge_mask = mask_for(graph.edge_room);
    graph.functions = calloc(graph.function_room, sizeof *graph.functions);
    graph.edges = calloc(graph.edge_room, sizeof *graph.edges);
    graph.function_index = calloc(graph.function_mask + 1, sizeof *graph.function_index);
    graph.edge_index = calloc(graph.edge_mask + 1, sizeof *graph.edge_index);
    if (!graph.functions || !graph.edges || !graph.function_index || !graph.edge_index) {
        graph_end();
        PyErr_NoMemory();
        return -1;
    }
    graph.function_count = FIRST_FUNCTION;
    graph.edges[FUNCTION_MORE] = (Edge){.key = &more, .caller = FUNCTION_MORE, .callee = FUNCTION_MORE};
    graph.edge_count = FIRST_FUNCTION;
    return 0;
}

void graph_end(void) {
    Graph old = graph;
    graph = (Graph){0};
    for (uint32_t at = 0; old.functions && at < old.function_count; at++) {
        Py_XDECREF(old.functions[at].name);
        Py_XDECREF(old.functions[at].file);
        Py_XDECREF(old.functions[at].owner);
    }
    free(old.functions);
    free(old.edges);
    free(old.function_index);
    free(old.edge_index);
}

/* Where the function stands in the index, or would. */
static uint32_t *function_place(const void *key) {
    for (uint32_t at = hash(0, key);; at++) {
        uint32_t *place = &graph.function_index[at & graph.function_mask];
        if (!*place || graph.functions[*place].key == key)
            return place;
    }
}

static uint32_t *edge_place(uint32_t caller, const void *key) {
    for (uint32_t at = hash(caller, key);; at++) {
        uint32_t *place = &graph.edge_index[at & graph.edge_mask];
        if (!*place || (graph.edges[*place].key == key && graph.edges[*place].caller == caller))
            return place;
    }
}

/* Its number; FUNCTION_MORE: no room. */
static uint32_t function_of(const void *key, PyObject *callable) {
    uint32_t *place = function_place(key);
    if (*place)
        return *place;
    if (graph.function_count == graph.function_room)
        return FUNCTION_MORE;
    Function made = {.key = key};
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback); /* a call is also seen while an exception is on its way */
    int result = label_make(callable, &made.name, &made.file, &made.line, &made.owner);
    PyErr_Restore(type, error, traceback);
    if (result < 0)
        return FUNCTION_MORE;
    graph.functions[graph.function_count] = made;
    return *place = graph.function_count++;
}

static Edge *edge_of(uint32_t caller, uint32_t callee, const void *key) {
    uint32_t *place = edge_place(caller, key);
    if (!*place) {
        if (graph.edge_count == graph.edge_room)
            return &graph.edges[FUNCTION_MORE];
        graph.edges[graph.edge_count] = (Edge){.key = key, .caller = caller, .callee = callee};
        *place = graph.edge_count++;
    }
    return &graph.edges[*place];
}

Edge *graph_find(Edge *from, const void *key, PyObject *callable) {
    uint32_t caller = from->callee;
    uint32_t known = *edge_place(caller, key);
    Edge *edge = &graph.edges[known];
    if (!known) {
        uint32_t callee = function_of(key, callable);
        edge = edge_of(caller, callee, callee == FUNCTION_MORE ? &more : key);
        graph.cut += edge->callee == FUNCTION_MORE;
    }
    from->last = edge;
    return edge;
}
