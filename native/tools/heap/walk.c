#include "walk.h"

#include "internals.h"
#include "room.h"
#include "sizes.h"

enum { REFERENCES_EACH = 6, MAX_FRAMES = 200, BYTES_EACH = 8 + 4 + 8 + 4 };

static uint32_t index_size(Node objects) {
    uint32_t size = 1u << 16;
    while (size < 2 * (uint64_t)objects && size < 1u << 31)
        size *= 2;
    return size;
}

size_t walk_bytes(Node objects) {
    return (size_t)objects * (BYTES_EACH + REFERENCES_EACH * sizeof(Node)) +
           index_size(objects) * sizeof(Node);
}

bool walk_begin(Walk *walk, Node objects) {
    *walk = (Walk){0};
    walk->room = objects + MAX_ROOTS + 1;
    walk->reference_room = walk->room * REFERENCES_EACH;
    walk->mask = index_size(walk->room) - 1;
    walk->object = room_new(walk->room * sizeof *walk->object, 0);
    walk->parent = room_new(walk->room * sizeof *walk->parent, 0);
    walk->bytes = room_new(walk->room * sizeof *walk->bytes, 0);
    walk->first = room_new((walk->room + 1) * sizeof *walk->first, 0);
    walk->to = room_new(walk->reference_room * sizeof *walk->to, 0);
    walk->index = room_new((walk->mask + (size_t)1) * sizeof *walk->index, 0);
    walk->roots = room_new(MAX_ROOTS * sizeof *walk->roots, 0);
    return walk->object && walk->parent && walk->bytes && walk->first && walk->to && walk->index &&
           walk->roots;
}

/* Where the object stands in the index, or would. */
static Node *place_of(const Walk *walk, const PyObject *object) {
    uint64_t mixed = ((uintptr_t)object >> 3) * 0x9E3779B97F4A7C15ull;
    for (uint32_t at = (uint32_t)(mixed >> 32);; at++) {
        Node *place = &walk->index[at & walk->mask];
        if (!*place || walk->object[*place] == object)
            return place;
    }
}

Node walk_find(const Walk *walk, const PyObject *object) {
    return *place_of(walk, object);
}

/* 0: no room. */
static Node add(Walk *walk, PyObject *object, Node parent) {
    if (walk->count == walk->room) {
        walk->left_out++;
        return 0;
    }
    Node node = walk->count++;
    walk->object[node] = object;
    walk->parent[node] = parent;
    walk->bytes[node] = object ? size_of(object) : 0;
    return node;
}

static void refer(Walk *walk, Node to) {
    if (to && walk->references < walk->reference_room)
        walk->to[walk->references++] = to;
    else
        walk->left_out += to != 0;
}

static Node met(Walk *walk, PyObject *object, Node parent) {
    Node *place = place_of(walk, object);
    if (!*place)
        *place = add(walk, object, parent);
    return *place;
}

/* -- what an object refers to -- */

typedef struct {
    Walk *walk;
    Node from;
    bool function;
} From;

/* Every function leads to the variables of its module, so that by way of functions and classes everything
   would hold everything: what a module holds would be nobody's. That way does not count where the module
   itself is a root. */
static bool is_of_module(const Walk *walk, PyObject *object) {
    Node node = PyDict_CheckExact(object) ? walk_find(walk, object) : 0;
    Node owner = node ? walk->parent[node] : 0;
    return owner && owner <= walk->root_count && walk->roots[owner - 1].kind == ROOT_MODULE;
}

static int visit(PyObject *object, void *arg) {
    From *from = arg;
    if (object && !(from->function && is_of_module(from->walk, object)))
        refer(from->walk, met(from->walk, object, from->from));
    return 0;
}

/* The names in a dict are no concern of the collector's, but take up memory. */
static void visit_dict(PyObject *dict, From *from, bool values) {
    Py_ssize_t at = 0;
    PyObject *key, *value;
    while (PyDict_Next(dict, &at, &key, &value)) {
        visit(key, from);
        if (values)
            visit(value, from);
    }
}

static void visit_code(PyCodeObject *code, From *from) {
    visit(code->co_consts, from);
    visit(code->co_names, from);
    visit(code->co_localsplusnames, from);
    visit(code->co_localspluskinds, from);
    visit(code->co_filename, from);
    visit(code->co_name, from);
    visit(code->co_qualname, from);
    visit(code->co_linetable, from);
    visit(code->co_exceptiontable, from);
}

static void visit_object(PyObject *object, From *from) {
    PyTypeObject *type = Py_TYPE(object);
    if (PyCode_Check(object))
        visit_code((PyCodeObject *)object, from);
    if (PyDict_Check(object))
        visit_dict(object, from, PyDict_CheckExact(object));
    if (PyDict_CheckExact(object))
        return;
    if (PyType_Check(object) && !(((PyTypeObject *)object)->tp_flags & Py_TPFLAGS_HEAPTYPE))
        visit(internals_type_dict((PyTypeObject *)object), from);
    else if (PyObject_IS_GC(object) && type->tp_traverse)
        type->tp_traverse(object, visit, from);
}

static void visit_running(const Root *root, From *from) {
    for (int at = 0; at < root->code->co_nlocalsplus; at++)
        visit(root->locals[at], from);
    visit((PyObject *)root->code, from);
}

/* -- roots -- */

static Root *add_root(Walk *walk, RootKind kind, PyObject *object) {
    if (walk->root_count == MAX_ROOTS || (object && walk_find(walk, object)))
        return NULL;
    Node node = add(walk, object, 0);
    if (!node)
        return NULL;
    if (object)
        *place_of(walk, object) = node;
    Root *root = &walk->roots[walk->root_count++];
    *root = (Root){.kind = kind};
    return root;
}

static void add_modules(Walk *walk, PyObject *modules) {
    Py_ssize_t at = 0;
    PyObject *name, *module;
    while (PyDict_Next(modules, &at, &name, &module)) {
        if (!PyUnicode_CheckExact(name) || module == Py_None)
            continue;
        Root *root = add_root(walk, ROOT_MODULE, module);
        if (root)
            root->name = name;
    }
}

typedef struct {
    Walk *walk;
    uint64_t thread;
} OfThread;

static void add_frame(const Running *running, void *arg) {
    OfThread *of = arg;
    Root *root = add_root(of->walk, ROOT_FRAME, NULL);
    if (!root)
        return;
    root->code = running->code;
    root->locals = running->locals;
    root->thread = of->thread;
}

static void add_threads(Walk *walk, const PyThreadState *own) {
    for (PyThreadState *state = PyInterpreterState_ThreadHead(own->interp); state;
         state = PyThreadState_Next(state)) {
        OfThread of = {walk, state->thread_id};
        if (state != own)
            internals_frames(state, MAX_FRAMES, add_frame, &of);
    }
}

/* -- the walk -- */

/* Follow everything that has a number and was not followed yet. */
static void follow(Walk *walk, Node *next) {
    for (; *next < walk->count; ++*next) {
        From from = {walk, *next, walk->object[*next] && PyFunction_Check(walk->object[*next])};
        walk->first[*next] = walk->references;
        if (*next <= walk->root_count && *next && walk->roots[*next - 1].kind == ROOT_FRAME)
            visit_running(&walk->roots[*next - 1], &from);
        else if (walk->object[*next])
            visit_object(walk->object[*next], &from);
    }
}

/* What the collector knows and no root leads to is held by C code, or is garbage. Those come first that no
   other such object refers to: the others hang on them, as they should. */
typedef struct {
    Walk *walk;
    uint8_t *referred; /* bit map by place in the index */
    bool heads_only;
} Rest;

static int mark(PyObject *object, void *arg) {
    Rest *rest = arg;
    Node *place = object ? place_of(rest->walk, object) : NULL;
    if (place && !*place) {
        uint64_t bit = (uintptr_t)object >> 4 & (((uint64_t)rest->walk->mask << 3) | 7);
        rest->referred[bit >> 3] |= (uint8_t)(1 << (bit & 7));
    }
    return 0;
}

static void mark_referred(PyObject *object, void *arg) {
    Rest *rest = arg;
    if (!*place_of(rest->walk, object) && Py_TYPE(object)->tp_traverse)
        Py_TYPE(object)->tp_traverse(object, mark, rest);
}

static Node native_root;

static void add_rest(PyObject *object, void *arg) {
    Rest *rest = arg;
    uint64_t bit = (uintptr_t)object >> 4 & (((uint64_t)rest->walk->mask << 3) | 7);
    if (rest->heads_only && rest->referred[bit >> 3] & 1 << (bit & 7))
        return;
    Node *place = place_of(rest->walk, object);
    if (*place)
        return;
    rest->walk->unreached++;
    *place = add(rest->walk, object, native_root);
}

static void add_unreached(Walk *walk, Node *next) {
    Rest rest = {walk, room_new(walk->mask + (size_t)1, 0), true};
    if (rest.referred) {
        internals_tracked(mark_referred, &rest);
        internals_tracked(add_rest, &rest);
        follow(walk, next);
        room_end(rest.referred, walk->mask + (size_t)1);
    }
    rest.heads_only = false;
    internals_tracked(add_rest, &rest);
    follow(walk, next);
}

void walk_all(Walk *walk, PyObject *modules, const PyThreadState *own) {
    Node next = 1;
    add(walk, NULL, 0);
    add_modules(walk, modules);
    add_threads(walk, own);
    native_root = walk->count;
    add_root(walk, ROOT_NATIVE, NULL);
    walk->first[0] = 0;
    follow(walk, &next);
    add_unreached(walk, &next);
    walk->first[walk->count] = walk->references;
}
