#include "growth.h"

#include "chains.h"
#include "room.h"

enum { GROWN_TYPES = 50, GROWN_HOLDERS = 30, KINDS = 3 };

/* A new object's holder is what was there before and leads to it, by way of new objects only: where it was
 * put in. */
typedef struct {
    const Walk *walk;
    Node *holder; /* [node]; 0: it is not new */
    uint32_t *objects;
    uint64_t *bytes; /* [holder] */
} Holders;

static bool find_holders(Holders *holders, const Walk *walk, const Seen *before) {
    *holders = (Holders){.walk = walk,
                         .holder = room_new(walk->count * sizeof(Node), 0),
                         .objects = room_new(walk->count * sizeof(uint32_t), 0),
                         .bytes = room_new(walk->count * sizeof(uint64_t), 0)};
    if (!holders->holder || !holders->objects || !holders->bytes)
        return false;
    for (Node node = walk->root_count + 1; node < walk->count; node++) {
        Node parent = walk->parent[node];
        if (seen_has(before, walk->object[node]))
            continue;
        Node holder = holders->holder[parent] ? holders->holder[parent] : parent;
        holders->holder[node] = holder;
        holders->objects[holder]++;
        holders->bytes[holder] += walk->bytes[node];
    }
    return true;
}

static void write_count(Writer *writer, const char *key, uint64_t count) {
    write_key(writer, key);
    write_number(writer, count);
}

/* -- by type -- */

/* The holder of most new objects of a type, and one of them. */
static Node most_of(const Holders *holders, const PyTypeObject *type, uint32_t *tally, Node *example,
                    uint64_t *all) {
    const Walk *walk = holders->walk;
    Node best = 0;
    *all = 0;
    for (int clear = 0; clear < 2; clear++)
        for (Node node = walk->root_count + 1; node < walk->count; node++) {
            Node holder = holders->holder[node];
            if (!holder || Py_TYPE(walk->object[node]) != type)
                continue;
            if (clear) {
                *example = holder == best && !*example ? node : *example;
                continue;
            }
            ++*all;
            if (++tally[holder] > (best ? tally[best] : 0))
                best = holder;
        }
    return best;
}

static void write_type_growth(Writer *writer, const Holders *holders, const TypeCount *now,
                              const SeenType *was, uint32_t *tally) {
    const Walk *walk = holders->walk;
    Node example = 0;
    uint64_t fresh;
    Node holder = most_of(holders, now->type, tally, &example, &fresh);
    write_open(writer, '{');
    write_key(writer, "type");
    write_type(writer, now->type);
    write_key(writer, "module");
    write_type_module(writer, now->type);
    write_count(writer, "objects", now->objects);
    write_count(writer, "bytes", now->bytes);
    write_count(writer, "grown_objects",
                now->objects > (was ? was->objects : 0) ? now->objects - (was ? was->objects : 0) : 0);
    write_count(writer, "grown_bytes", now->bytes - (was ? was->bytes : 0));
    write_count(writer, "new_objects", fresh);
    write_count(writer, "new_below_holder", holder ? tally[holder] : 0);
    write_key(writer, "example");
    if (example)
        write_chain(writer, walk, example);
    else
        write_open(writer, '['), write_close(writer, ']');
    write_close(writer, '}');
    for (Node node = walk->root_count + 1; node < walk->count; node++)
        tally[holders->holder[node]] = 0;
}

static void write_grown_types(Writer *writer, const Holders *holders, const Seen *before,
                              const TypeTable *types) {
    uint32_t *tally = room_new(holders->walk->count * sizeof *tally, 0);
    Top top = {.room = GROWN_TYPES};
    for (uint32_t at = 0; tally && at < types->count; at++) {
        const SeenType *was = seen_type(before, types->rows[at].type);
        uint64_t bytes = was ? was->bytes : 0;
        if (types->rows[at].bytes > bytes)
            top_add(&top, at, types->rows[at].bytes - bytes);
    }
    write_key(writer, "grown_types");
    write_open(writer, '[');
    for (int at = 0; at < top.count; at++) {
        const TypeCount *now = &types->rows[top.node[at]];
        write_type_growth(writer, holders, now, seen_type(before, now->type), tally);
    }
    write_close(writer, ']');
}

/* -- by holder -- */

static void write_kinds(Writer *writer, const Holders *holders, Node holder) {
    const Walk *walk = holders->walk;
    PyTypeObject *kinds[KINDS * 8];
    uint64_t objects[KINDS * 8] = {0}, bytes[KINDS * 8] = {0};
    int count = 0;
    for (Node node = walk->root_count + 1; node < walk->count; node++) {
        if (holders->holder[node] != holder)
            continue;
        int at = 0;
        while (at < count && kinds[at] != Py_TYPE(walk->object[node]))
            at++;
        if (at == KINDS * 8)
            continue; /* of the many kinds there are, this is one of the later */
        if (at == count)
            kinds[count++] = Py_TYPE(walk->object[node]);
        objects[at]++;
        bytes[at] += walk->bytes[node];
    }
    Top top = {.room = KINDS};
    for (int at = 0; at < count; at++)
        top_add(&top, (Node)at, bytes[at]);
    write_key(writer, "kinds");
    write_open(writer, '[');
    for (int at = 0; at < top.count; at++) {
        write_open(writer, '[');
        write_type(writer, kinds[top.node[at]]);
        write_number(writer, objects[top.node[at]]);
        write_number(writer, bytes[top.node[at]]);
        write_close(writer, ']');
    }
    write_close(writer, ']');
}

static void write_holders(Writer *writer, const Holders *holders, const Dominators *dominators) {
    const Walk *walk = holders->walk;
    Top top = {.room = GROWN_HOLDERS};
    for (Node node = 1; node < walk->count; node++)
        top_add(&top, node, holders->bytes[node]);
    write_key(writer, "holders");
    write_open(writer, '[');
    for (int at = 0; at < top.count; at++) {
        Node holder = top.node[at];
        write_open(writer, '{');
        write_key(writer, "type");
        if (walk->object[holder])
            write_type(writer, Py_TYPE(walk->object[holder]));
        else
            write_text(writer, "");
        write_count(writer, "items", walk->object[holder] ? items_of(walk->object[holder]) : 0);
        write_count(writer, "new_objects", holders->objects[holder]);
        write_count(writer, "new_bytes", holders->bytes[holder]);
        if (dominators)
            write_count(writer, "retained_bytes", dominators->retained[holder]);
        write_kinds(writer, holders, holder);
        write_key(writer, "chain");
        write_chain(writer, walk, holder);
        write_close(writer, '}');
    }
    write_close(writer, ']');
}

void growth_write(Writer *writer, const Walk *walk, const Dominators *dominators, const Seen *before,
                  const TypeTable *types) {
    Holders holders;
    if (!types->rows || !find_holders(&holders, walk, before))
        return;
    write_key(writer, "growth");
    write_open(writer, '{');
    write_grown_types(writer, &holders, before, types);
    write_holders(writer, &holders, dominators);
    write_close(writer, '}');
}
