#include "report.h"

#include "chains.h"
#include "growth.h"
#include "room.h"
#include "tables.h"

enum { PASSES_ON_PERCENT = 90 };

static void write_entry(Writer *writer, const Walk *walk, const Dominators *dominators, Node node) {
    PyObject *object = walk->object[node];
    write_open(writer, '{');
    write_key(writer, "type");
    write_type(writer, Py_TYPE(object));
    write_key(writer, "bytes");
    write_number(writer, walk->bytes[node]);
    if (dominators) {
        write_key(writer, "retained_bytes");
        write_number(writer, dominators->retained[node]);
    }
    write_key(writer, "items");
    write_number(writer, items_of(object));
    write_key(writer, "chain");
    write_chain(writer, walk, node);
    write_close(writer, '}');
}

static void write_top(Writer *writer, const char *key, const Walk *walk, const Dominators *dominators,
                      const Top *top) {
    write_key(writer, key);
    write_open(writer, '[');
    for (int at = 0; at < top->count; at++)
        write_entry(writer, walk, dominators, top->node[at]);
    write_close(writer, ']');
}

static void write_largest(Writer *writer, const Walk *walk, const Dominators *dominators) {
    Top top = {.room = TOP_ROWS};
    for (Node node = 1; node < walk->count; node++)
        if (walk->object[node])
            top_add(&top, node, walk->bytes[node]);
    write_top(writer, "largest", walk, dominators, &top);
}

/* An object nearly all of whose bytes are one other's is left out for that one: the chain shows both. */
static void write_retained(Writer *writer, const Walk *walk, const Dominators *dominators) {
    uint8_t *passes_on = room_new(walk->count, 0);
    Top top = {.room = TOP_ROWS};
    for (Node node = 1; passes_on && node < walk->count; node++) {
        Node above = dominators->dominator[node];
        if (dominators->retained[node] >= dominators->retained[above] / 100 * PASSES_ON_PERCENT)
            passes_on[above] = 1;
    }
    for (Node node = walk->root_count + 1; node < walk->count; node++)
        if (!(passes_on && passes_on[node]) && dominators->retained[node] > walk->bytes[node])
            top_add(&top, node, dominators->retained[node]);
    write_top(writer, "retained", walk, dominators, &top);
}

static void write_roots(Writer *writer, const Walk *walk, const Dominators *dominators) {
    Top top = {.room = TOP_ROWS};
    uint64_t shared = 0;
    for (Node node = 1; node < walk->count; node++) {
        if (node <= walk->root_count)
            top_add(&top, node, dominators->retained[node]);
        else if (!dominators->dominator[node])
            shared += dominators->retained[node];
    }
    write_key(writer, "roots");
    write_open(writer, '[');
    for (int at = 0; at < top.count; at++) {
        write_open(writer, '[');
        write_root(writer, walk, top.node[at]);
        write_number(writer, dominators->retained[top.node[at]]);
        write_close(writer, ']');
    }
    write_close(writer, ']');
    write_key(writer, "shared_bytes");
    write_number(writer, shared);
}

static void write_types(Writer *writer, const TypeTable *types) {
    write_key(writer, "types");
    write_open(writer, '[');
    for (uint32_t at = 0; at < types->count && at < TYPE_ROWS; at++) {
        const TypeCount *type = &types->rows[at];
        write_open(writer, '[');
        write_type(writer, type->type);
        write_type_module(writer, type->type);
        write_number(writer, type->objects);
        write_number(writer, type->bytes);
        write_close(writer, ']');
    }
    write_close(writer, ']');
    write_key(writer, "type_count");
    write_number(writer, types->count);
}

static void write_number_at(Writer *writer, const char *key, uint64_t number) {
    write_key(writer, key);
    write_number(writer, number);
}

void report_write(Writer *writer, const Walk *walk, const Dominators *dominators, const Seen *before) {
    TypeTable types = {0};
    uint64_t bytes = 0;
    for (Node node = 1; node < walk->count; node++)
        bytes += walk->bytes[node];
    write_open(writer, '{');
    write_number_at(writer, "objects", walk->count - 2 - walk_frame_roots(walk));
    write_number_at(writer, "bytes", bytes);
    write_number_at(writer, "references", walk->references);
    write_number_at(writer, "left_out", walk->left_out);
    write_number_at(writer, "unreached", walk->unreached);
    if (types_count(&types, walk))
        write_types(writer, &types);
    if (before)
        growth_write(writer, walk, dominators, before, &types);
    if (dominators) {
        write_roots(writer, walk, dominators);
        write_retained(writer, walk, dominators);
    }
    write_largest(writer, walk, dominators);
    write_close(writer, '}');
}
