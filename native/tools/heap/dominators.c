/* The semi-NCA algorithm: Georgiadis, Tarjan, Werneck, "Finding Dominators in Practice", JGAA 10 (2006), in
   the form that iterates. All arrays but two go by the order of a depth-first walk, in which 0 is the
   outermost root. */
#include "dominators.h"

#include "internals.h"
#include "room.h"

typedef struct {
    Node count;
    const Walk *walk;
    Node *order, *number; /* [number] → node, [node] → number */
    Node *ancestor, *label, *semi, *dominator, *stack;
    uint32_t *first_from; /* [node]: of those that refer to it, in `from` */
    Node *from;
} Search;

enum { ARRAYS = 8, UNSEEN = 0 };

size_t dominators_bytes(Node objects) {
    return (size_t)objects * (ARRAYS * sizeof(Node) + sizeof(Node) + sizeof(uint64_t));
}

/* What hangs on 0 has no reference from it in the walk: roots, and what hangs on one that has no object. */
static bool hangs(const Walk *walk, Node node) {
    return node && !walk->object[walk->parent[node]] &&
           !(walk->parent[node] && walk->roots[walk->parent[node] - 1].kind == ROOT_FRAME);
}

static bool begin(Search *search, const Walk *walk) {
    size_t bytes = (walk->count + (size_t)1) * sizeof(Node);
    *search = (Search){.count = walk->count, .walk = walk};
    Node **arrays[ARRAYS] = {&search->order, &search->number,    &search->ancestor, &search->label,
                             &search->semi,  &search->dominator, &search->stack,    &search->first_from};
    for (int at = 0; at < ARRAYS; at++)
        if (!(*arrays[at] = room_new(bytes, 0)))
            return false;
    search->from = room_new((walk->references + (size_t)walk->count) * sizeof(Node), 0);
    return search->from != NULL;
}

static void end(Search *search) {
    size_t bytes = (search->count + (size_t)1) * sizeof(Node);
    Node *arrays[ARRAYS] = {search->order, search->number,    search->ancestor, search->label,
                            search->semi,  search->dominator, search->stack,    search->first_from};
    for (int at = 0; at < ARRAYS; at++)
        room_end(arrays[at], bytes);
    room_end(search->from, (search->walk->references + (size_t)search->count) * sizeof(Node));
}

/* Turn references around; those from 0 and from a root without an object go by the parent. */
static void turn_around(Search *search) {
    const Walk *walk = search->walk;
    uint32_t *first = search->first_from;
    for (uint32_t at = 0; at < walk->references; at++)
        first[walk->to[at] + 1]++;
    for (Node node = 1; node < walk->count; node++)
        first[node + 1] += hangs(walk, node);
    for (Node node = 0; node < walk->count; node++)
        first[node + 1] += first[node];
    Node *filled = search->stack; /* not in use yet */
    for (Node node = 0; node < walk->count; node++)
        filled[node] = first[node];
    for (Node node = 0; node < walk->count; node++) {
        for (uint32_t at = walk->first[node]; at < walk->first[node + 1]; at++)
            search->from[filled[walk->to[at]]++] = node;
        if (hangs(walk, node))
            search->from[filled[node]++] = walk->parent[node];
    }
}

/* Children in a depth-first walk: those of the roots without references are found by a scan, once. */
static void number(Search *search) {
    const Walk *walk = search->walk;
    uint32_t *cursor = search->semi; /* not in use yet */
    Node *parent = search->ancestor, *stack = search->stack;
    Node next_hanging = 1, numbered = 0, depth = 0;
    for (Node node = 0; node < walk->count; node++)
        cursor[node] = walk->first[node];
    search->order[0] = 0;
    search->number[0] = UNSEEN;
    numbered = 1;
    /* 0 first, then what hangs on the root of native code: both are asked for by `hangs` */
    for (; next_hanging < walk->count; next_hanging++) {
        if (!hangs(walk, next_hanging) || search->number[next_hanging] != UNSEEN)
            continue;
        Node start = next_hanging;
        parent[numbered] = search->number[walk->parent[start]];
        search->number[start] = numbered;
        search->order[numbered++] = start;
        stack[depth++] = start;
        while (depth) {
            Node node = stack[depth - 1];
            if (cursor[node] == walk->first[node + 1]) {
                depth--;
                continue;
            }
            Node to = walk->to[cursor[node]++];
            if (search->number[to] != UNSEEN)
                continue;
            parent[numbered] = search->number[node];
            search->number[to] = numbered;
            search->order[numbered++] = to;
            stack[depth++] = to;
        }
    }
    search->count = numbered;
}

static Node evaluate(Search *search, Node node, Node linked) {
    Node *ancestor = search->ancestor, *label = search->label, *semi = search->semi;
    if (ancestor[node] < linked)
        return label[node];
    Node depth = 0;
    do {
        search->stack[depth++] = node;
        node = ancestor[node];
    } while (ancestor[node] >= linked);
    Node above = node, best = label[above];
    do {
        node = search->stack[--depth];
        ancestor[node] = ancestor[above];
        if (semi[best] < semi[label[node]])
            label[node] = best;
        else
            best = label[node];
        above = node;
    } while (depth);
    return label[node];
}

static void find(Search *search) {
    Node count = search->count;
    for (Node at = 0; at < count; at++) {
        search->dominator[at] = search->ancestor[at];
        search->label[at] = search->semi[at] = at;
    }
    for (Node at = count - 1; at >= 1; at--) {
        Node node = search->order[at];
        Node semi = search->dominator[at];
        for (uint32_t edge = search->first_from[node]; edge < search->first_from[node + 1]; edge++) {
            Node other = search->semi[evaluate(search, search->number[search->from[edge]], at + 1)];
            semi = other < semi ? other : semi;
        }
        search->semi[at] = semi;
    }
    for (Node at = 1; at < count; at++)
        while (search->dominator[at] > search->semi[at])
            search->dominator[at] = search->dominator[search->dominator[at]];
}

static bool collect(const Search *search, Dominators *found) {
    const Walk *walk = search->walk;
    found->dominator = room_new(walk->count * sizeof(Node), 0);
    found->retained = room_new(walk->count * sizeof(uint64_t), 0);
    if (!found->dominator || !found->retained)
        return false;
    for (Node node = 0; node < walk->count; node++)
        found->retained[node] = walk->bytes[node];
    for (Node at = search->count - 1; at >= 1; at--) {
        Node node = search->order[at], above = search->order[search->dominator[at]];
        found->dominator[node] = above;
        found->retained[above] += found->retained[node];
    }
    return true;
}

bool dominators_find(const Walk *walk, Dominators *found) {
    Search search;
    *found = (Dominators){0};
    bool fine = begin(&search, walk);
    if (fine) {
        turn_around(&search);
        number(&search);
        find(&search);
        fine = collect(&search, found);
        search.count = walk->count;
    }
    end(&search);
    return fine;
}
