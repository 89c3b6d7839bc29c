#include "tables.h"

#include <stdlib.h>

#include "room.h"

void top_add(Top *top, Node node, uint64_t value) {
    if (!value || (top->count == top->room && value <= top->value[top->count - 1]))
        return;
    int at = top->count < top->room ? top->count++ : top->count - 1;
    for (; at > 0 && top->value[at - 1] < value; at--) {
        top->value[at] = top->value[at - 1];
        top->node[at] = top->node[at - 1];
    }
    top->value[at] = value;
    top->node[at] = node;
}

static TypeCount *place_of(TypeCount *table, const PyTypeObject *type) {
    uint64_t at = ((uintptr_t)type >> 4) * 0x9E3779B97F4A7C15ull >> 40;
    for (int tries = 0; tries < TYPE_ROOM; tries++, at++) {
        TypeCount *place = &table[at & (TYPE_ROOM - 1)];
        if (!place->type || place->type == type)
            return place;
    }
    return NULL;
}

/* Shell's: the sort of the C library may allocate. */
static void sort(TypeCount *rows, uint32_t count) {
    for (uint32_t gap = count / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11)
        for (uint32_t at = gap; at < count; at++) {
            TypeCount row = rows[at];
            uint32_t to = at;
            for (; to >= gap && rows[to - gap].bytes < row.bytes; to -= gap)
                rows[to] = rows[to - gap];
            rows[to] = row;
        }
}

bool types_count(TypeTable *types, const Walk *walk) {
    TypeCount *table = room_new(TYPE_ROOM * sizeof *table, 0);
    if (!table)
        return false;
    *types = (TypeTable){.rows = table};
    for (Node node = 1; node < walk->count; node++) {
        if (!walk->object[node])
            continue;
        TypeCount *place = place_of(table, Py_TYPE(walk->object[node]));
        if (!place) {
            types->left_out++;
            continue;
        }
        place->type = Py_TYPE(walk->object[node]);
        place->objects++;
        place->bytes += walk->bytes[node];
    }
    for (uint32_t at = 0; at < TYPE_ROOM; at++)
        if (table[at].type)
            table[types->count++] = table[at];
    sort(table, types->count);
    return true;
}

uint64_t items_of(PyObject *object) {
    if (PyDict_Check(object))
        return (uint64_t)((PyDictObject *)object)->ma_used;
    if (PyAnySet_Check(object))
        return (uint64_t)((PySetObject *)object)->used;
    if (PyList_Check(object) || PyTuple_Check(object) || Py_TYPE(object)->tp_as_mapping == NULL)
        return PyList_Check(object) || PyTuple_Check(object) ? (uint64_t)Py_SIZE(object) : 0;
    return 0;
}

Node walk_frame_roots(const Walk *walk) {
    Node count = 0;
    for (uint32_t at = 0; at < walk->root_count; at++)
        count += walk->roots[at].kind == ROOT_FRAME;
    return count;
}
