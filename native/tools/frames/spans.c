#include "../../spans/span.h"

#include "spans.h"

#include <stdatomic.h>
#include <string.h>

#include "layout.h"
#include "memory.h"
#include "state.h"
#include "text.h"

enum { MAX_LEVELS = 7, MAX_OUTWARD = 32, TRIED_VARIABLES = 40 };

static _Atomic bool available;
static uintptr_t variable, span_type, bitmap_type, array_type;

/* -- the map that a context is: CPython's hamt.c -- */

static uint32_t map_hash(int64_t hash) {
    int32_t folded = (int32_t)(hash & 0xffffffff) ^ (int32_t)(hash >> 32);
    return (uint32_t)(folded == -1 ? -2 : folded);
}

/* Five bits of the hash choose at each level. A bitmap node holds pairs: key and value, or 0 and the node of
   the next level; an array node holds 32 nodes. */
static uintptr_t find_in_map(uintptr_t node, uintptr_t key, uint32_t hash) {
    for (int level = 0; node && level < MAX_LEVELS; level++, hash >>= 5) {
        uintptr_t type, pair[2];
        uint32_t bits, bit = 1u << (hash & 31);
        MemoryPart head[] = {{node + offsetof(PyObject, ob_type), &type, sizeof type},
                             {node + layout.bitmap_bits, &bits, sizeof bits}};
        if (!memory_read_parts(head, 2))
            return 0;
        if (array_type && type == array_type) {
            if (!memory_read(&node, node + sizeof(PyObject) + (hash & 31) * sizeof node, sizeof node))
                return 0;
            continue;
        }
        if ((bitmap_type && type != bitmap_type) || !(bits & bit))
            return 0;
        uintptr_t index = (uintptr_t)__builtin_popcount(bits & (bit - 1));
        if (!memory_read(pair, node + layout.bitmap_items + 2 * index * sizeof *pair, sizeof pair))
            return 0;
        if (pair[0])
            return pair[0] == key ? pair[1] : 0;
        node = pair[1];
    }
    return 0;
}

static uintptr_t map_root(uintptr_t context) {
    uintptr_t map = 0, root = 0;
    if (context && memory_read(&map, context + layout.context_vars, sizeof map) && map)
        memory_read(&root, map + layout.hamt_root, sizeof root);
    return root;
}

static uintptr_t value_in(uintptr_t context, uintptr_t key) {
    int64_t hash;
    uintptr_t root = map_root(context);
    if (!root || !memory_read(&hash, key + layout.var_hash, sizeof hash))
        return 0;
    return find_in_map(root, key, map_hash(hash));
}

static uintptr_t type_at(uintptr_t object) {
    uintptr_t type = 0;
    if (object)
        memory_read(&type, object + offsetof(PyObject, ob_type), sizeof type);
    return type;
}

/* A context with many variables, so that its map has both kinds of nodes; some are looked for. */
static bool try_out(PyObject *context, PyObject *variables) {
    for (int at = 0; at < TRIED_VARIABLES; at++) {
        PyObject *one = PyContextVar_New("sonde_try", NULL);
        PyObject *token = one ? PyContextVar_Set(one, one) : NULL;
        Py_XDECREF(token);
        if (!token || PyList_Append(variables, one) < 0) {
            Py_XDECREF(one);
            return false;
        }
        Py_DECREF(one);
        if (at == 0)
            bitmap_type = type_at(map_root((uintptr_t)context));
    }
    array_type = type_at(map_root((uintptr_t)context));
    if (array_type == bitmap_type)
        return false;
    for (int at = 0; at < TRIED_VARIABLES; at += TRIED_VARIABLES / 5) {
        uintptr_t one = (uintptr_t)PyList_GET_ITEM(variables, at);
        if (value_in((uintptr_t)context, one) != one)
            return false;
    }
    return true;
}

static bool try_in_new_context(void) {
    PyObject *context = PyContext_New(), *variables = PyList_New(0);
    bool works = false;
    if (context && variables && PyContext_Enter(context) == 0) {
        works = try_out(context, variables);
        PyErr_Clear();
        PyContext_Exit(context);
    }
    PyErr_Clear();
    Py_XDECREF(variables);
    Py_XDECREF(context);
    return works;
}

static bool find_core(void) {
    PyObject *core = PyDict_GetItemString(PyImport_GetModuleDict(), "sonde.probe.core._core");
    PyObject *current = core ? PyObject_GetAttrString(core, "CURRENT") : NULL;
    PyObject *type = current ? PyObject_GetAttrString(core, "Span") : NULL;
    bool known = type && PyType_Check(type) && ((PyTypeObject *)type)->tp_basicsize == sizeof(Span);
    if (known) {
        variable = (uintptr_t)current; /* both live as long as the process */
        span_type = (uintptr_t)type;
    }
    PyErr_Clear();
    Py_XDECREF(current);
    Py_XDECREF(type);
    return known;
}

bool frames_spans_init(void) {
    if (atomic_load(&available))
        return true;
    bitmap_type = array_type = 0;
    atomic_store(&available, frames_available() && find_core() && try_in_new_context());
    return atomic_load(&available);
}

/* -- spans -- */

static bool read_span(uintptr_t address, Span *span) {
    return address && memory_read(span, address, sizeof *span) && (uintptr_t)Py_TYPE(span) == span_type;
}

static void read_name(const Span *span, const Operation *operation, char *out) {
    frames_text((uintptr_t)(span->name ? span->name : operation->name), false, out, SPAN_NAME_ROOM);
}

bool frames_span(const FrameThread *thread, FrameSpan *out) {
    uintptr_t context, native;
    Span span;
    Operation operation;
    MemoryPart parts[] = {{thread->state + layout.state_context, &context, sizeof context},
                          {thread->state + layout.state_tid, &native, sizeof native}};
    *out = (FrameSpan){0};
    if (!atomic_load_explicit(&available, memory_order_acquire) || !memory_read_parts(parts, 2) ||
        native != (uintptr_t)thread->tid || !read_span(value_in(context, variable), &span))
        return false;
    for (int outward = 0; (span.left_behind || span.finished) && outward < MAX_OUTWARD; outward++)
        if (!read_span((uintptr_t)span.previous, &span))
            return false;
    if (span.finished || span.silent || !memory_read(&operation, (uintptr_t)span.operation, sizeof operation))
        return false;
    memcpy(out->trace_id, span.trace_id, sizeof out->trace_id);
    memcpy(out->span_id, span.span_id, sizeof out->span_id);
    read_name(&span, &operation, out->name);
    for (int outward = 0; outward < MAX_OUTWARD; outward++) {
        if ((operation.kind == SERVER || operation.kind == CONSUMER) && !span.finished) {
            read_name(&span, &operation, out->endpoint);
            break;
        }
        if (!read_span((uintptr_t)span.previous, &span) ||
            !memory_read(&operation, (uintptr_t)span.operation, sizeof operation))
            break;
    }
    return true;
}
