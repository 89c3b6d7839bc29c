#include "judge.h"

#include <stdlib.h>
#include <string.h>

#include "groups.h"
#include "hooks.h"
#include "paths.h"
#include "sites.h"

/* A list grows by steps: so many loops may allocate as much as the one before, between two that allocate
 * more. */
enum { MOST_LEVEL = 3 };

enum { GROWTH_TIMES = 5, MAX_WINDOWS = 16, FEW_LOOPS = 4 };

/* -- types -- */

/* Types by address. Those that may go have a weak reference, so that a dead one's address means nothing. */
static struct {
    PyTypeObject **types;
    PyObject **alive; /* NULL: static, it stays */
    size_t places;
} known;

static size_t place_of(const void *type, size_t places) {
    return (size_t)(((uint64_t)(uintptr_t)type >> 4) * 0x9E3779B97F4A7C15ull >> 20) & (places - 1);
}

static bool is_alive(PyObject *reference, PyTypeObject *type) {
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *now = NULL;
    if (PyWeakref_GetRef(reference, &now) <= 0)
        return false;
    Py_DECREF(now); /* not the last one: who asks has come here by an object of the type */
    return now == (PyObject *)type;
#else
    return PyWeakref_GET_OBJECT(reference) == (PyObject *)type;
#endif
}

static bool is_type(PyTypeObject *type) {
    if (!known.places || !type)
        return false;
    for (size_t at = place_of(type, known.places); known.types[at]; at = (at + 1) & (known.places - 1))
        if (known.types[at] == type)
            return !known.alive[at] || is_alive(known.alive[at], type);
    return false;
}

void judge_reset(void) {
    for (size_t at = 0; at < known.places; at++)
        Py_XDECREF(known.alive[at]);
    free(known.types);
    free(known.alive);
    memset(&known, 0, sizeof known);
}

PyObject *judge_known(PyObject *Py_UNUSED(module), PyObject *types) {
    if (!PyList_Check(types)) {
        PyErr_SetString(PyExc_TypeError, "a list of types is needed");
        return NULL;
    }
    size_t count = (size_t)PyList_GET_SIZE(types), places = 64;
    while (places < count * 2)
        places *= 2;
    judge_reset();
    known.types = calloc(places, sizeof *known.types);
    known.alive = calloc(places, sizeof *known.alive);
    if (!known.types || !known.alive) {
        judge_reset();
        return PyErr_NoMemory();
    }
    known.places = places;
    for (size_t at = 0; at < count && at < (size_t)PyList_GET_SIZE(types); at++) {
        PyTypeObject *type = (PyTypeObject *)PyList_GET_ITEM(types, at);
        if (!PyType_Check(type))
            continue;
        size_t place = place_of(type, places);
        while (known.types[place] && known.types[place] != type)
            place = (place + 1) & (places - 1);
        if (known.types[place])
            continue;
        PyObject *alive = NULL;
        if (type->tp_flags & Py_TPFLAGS_HEAPTYPE && !(alive = PyWeakref_NewRef((PyObject *)type, NULL)))
            return NULL;
        known.types[place] = type;
        known.alive[place] = alive;
    }
    Py_RETURN_NONE;
}

/* -- blocks -- */

enum { NOTHING, OBJECT, DEAD, MAYBE };

static bool plausible(const void *pointer) {
    return ((uintptr_t)pointer & 7) == 0 && (uintptr_t)pointer > 1 << 16 && (uintptr_t)pointer >> 47 == 0;
}

/* What the block is: an object (`header` is set), one that is dead and kept for the next, memory that is
   none, or maybe one of a type that is not known. */
static int look(char *pointer, Block *block) {
    if (block->object) {
        PyObject *object = (PyObject *)(pointer + block->header);
        return Py_REFCNT(object) > 0 ? OBJECT : DEAD;
    }
    if (!block->from_objects)
        return NOTHING;
    int result = NOTHING;
    for (size_t header = 0; header <= 32; header += 16) {
        if (block->size < header + sizeof(PyObject))
            break;
        PyObject *object = (PyObject *)(pointer + header);
        uint64_t count = *(uint64_t *)object;
        if (count > UINT32_MAX || !plausible(object->ob_type))
            continue;
        if (!is_type(object->ob_type)) {
            result = count ? MAYBE : result;
            continue;
        }
        if (hooks_header(object->ob_type) != header)
            continue;
        block->header = (uint8_t)header;
        return count ? OBJECT : DEAD;
    }
    return result;
}

typedef struct {
    char *pointer;
    PyObject *object; /* owned while others may run; NULL: none */
    Block block;
    uint32_t seen; /* the site that the hooks saw */
    uint16_t kind;
    bool gone;
} Survivor;

typedef struct {
    Survivor *all;
    size_t count, room;
} Survivors;

static Survivor *one_more(Survivors *some) {
    if (some->count == some->room) {
        size_t room = some->room ? some->room * 2 : 256;
        Survivor *all = realloc(some->all, room * sizeof *all);
        if (!all)
            return NULL;
        some->all = all;
        some->room = room;
    }
    return &some->all[some->count++];
}

/* Those of the loop. Returns how many may be objects, or -1 without memory. */
static long collect(Survivors *some, uint32_t number) {
    long unknown = 0;
    for (size_t at = 0; at < hooks.young.capacity; at++) {
        char *pointer = (char *)hooks.young.keys[at];
        Block *block = &hooks.young.blocks[at];
        if (!pointer || (block->loop != number && !block->parked))
            continue;
        int is = look(pointer, block);
        block->parked = is == DEAD;
        if (is == DEAD)
            continue;
        block->loop = number; /* one that was parked has been made again, meanwhile */
        unknown += is == MAYBE;
        Survivor *survivor = one_more(some);
        if (!survivor)
            return -1;
        *survivor = (Survivor){.pointer = pointer, .block = *block, .seen = block->site};
        if (is == OBJECT) {
            survivor->object = (PyObject *)(pointer + block->header);
            survivor->kind = groups_kind(Py_TYPE(survivor->object));
        }
    }
    return unknown;
}

/* Where somebody else knows better. Returns 0, or -1 with an exception set. */
static int trace(Survivors *some, PyObject *traced) {
    for (size_t at = 0; at < some->count; at++)
        Py_XINCREF(some->all[at].object);
    int result = 0;
    for (size_t at = 0; at < some->count && result == 0; at++) {
        Survivor *survivor = &some->all[at];
        PyObject *place = survivor->object ? PyObject_CallOneArg(traced, survivor->object) : NULL;
        PyObject *file;
        int line;
        if (place && place != Py_None && PyArg_ParseTuple(place, "Ui", &file, &line)) {
            uint32_t site = sites_named(file, line);
            if (site != UNKNOWN_SITE)
                survivor->block.site = site;
        }
        Py_XDECREF(place);
        result = PyErr_Occurred() ? -1 : 0;
    }
    for (size_t at = 0; at < some->count; at++) {
        Survivor *survivor = &some->all[at];
        Block *now = blocks_find(&hooks.young, survivor->pointer);
        survivor->gone = !now || now->loop != survivor->block.loop || now->size != survivor->block.size;
    }
    return result;
}

/* What belongs to an object counts as the object's. */
static void own(Survivors *some) {
    Blocks owners;
    if (some->count < 2 || !blocks_start(&owners, 1 << 20))
        return;
    for (size_t at = 0; at < some->count; at++) {
        void *buffer = some->all[at].object ? paths_buffer(some->all[at].object) : NULL;
        if (buffer)
            blocks_put(&owners, buffer, &(Block){.site = some->all[at].block.site, .group = (uint32_t)at});
    }
    for (size_t at = 0; at < some->count && owners.used; at++) {
        Survivor *survivor = &some->all[at];
        Block *owner = survivor->object ? NULL : blocks_find(&owners, survivor->pointer);
        if (owner) {
            survivor->block.site = owner->site;
            survivor->kind = some->all[owner->group].kind;
        }
    }
    blocks_stop(&owners);
}

static int told(PyObject *list, const Survivor *survivor) {
    PyObject *one =
        Py_BuildValue("(IILI)", survivor->block.group, survivor->block.site,
                      (long long)survivor->block.size - (long long)survivor->block.base, survivor->seen);
    int result = one ? PyList_Append(list, one) : -1;
    Py_XDECREF(one);
    return result;
}

static PyObject *events_of(uint32_t number) {
    PyObject *list = PyList_New(0);
    uint32_t kept = 0, count = hooks.event_count;
    for (uint32_t at = 0; at < count; at++) {
        Event event = hooks.events[at];
        if (event.loop > number) {
            hooks.events[kept++] = event;
            continue;
        }
        if (event.loop < number) /* came after its loop was judged */
            continue;
        PyObject *one = list ? Py_BuildValue("(IIIL)", event.site, event.earlier_loop, event.earlier_site,
                                             (long long)event.bytes)
                             : NULL;
        if (!one || PyList_Append(list, one) < 0)
            Py_CLEAR(list);
        Py_XDECREF(one);
    }
    memmove(hooks.events + kept, hooks.events + count, (hooks.event_count - count) * sizeof *hooks.events);
    hooks.event_count -= count - kept;
    return list;
}

PyObject *judge_judged(PyObject *Py_UNUSED(module), PyObject *args) {
    unsigned int number;
    PyObject *traced;
    if (!PyArg_ParseTuple(args, "IO", &number, &traced))
        return NULL;
    if (!hooks.on)
        return Py_BuildValue("([][]i)", 0);
    Survivors some = {0};
    long unknown = collect(&some, number);
    if (unknown < 0) {
        free(some.all);
        return PyErr_NoMemory();
    }
    bool held = traced != Py_None;
    int result = held ? trace(&some, traced) : 0;
    if (result == 0)
        own(&some);
    PyObject *list = PyList_New(0), *events = result == 0 ? events_of(number) : NULL;
    for (size_t at = 0; at < some.count && hooks.on; at++) {
        Survivor *survivor = &some.all[at];
        if (survivor->gone || !blocks_take(&hooks.young, survivor->pointer, NULL))
            continue;
        Block *block = &survivor->block;
        if (sites_is_ours(block->site) || sites_is_monitoring(survivor->seen, survivor->pointer))
            continue;
        block->group = groups_of(block->site, survivor->kind);
        block->parked = false;
        if (!blocks_put(&hooks.old, survivor->pointer, block))
            continue;
        groups_change(block->group, (int64_t)block->size - (int64_t)block->base, 1);
        sites_deepen(block->site);
        if (list && block->size != block->base && told(list, survivor) < 0)
            Py_CLEAR(list);
    }
    blocks_shrink(&hooks.young);
    if (held)
        for (size_t at = 0; at < some.count; at++)
            Py_XDECREF(some.all[at].object);
    free(some.all);
    if (!list || !events) {
        Py_XDECREF(list);
        Py_XDECREF(events);
        return NULL;
    }
    return Py_BuildValue("(NNl)", list, events, unknown);
}

/* -- growth -- */

PyObject *judge_closed(PyObject *Py_UNUSED(module), PyObject *args) {
    unsigned int number;
    int alone;
    if (!PyArg_ParseTuple(args, "Ip", &number, &alone))
        return NULL;
    PyObject *list = PyList_New(0);
    uint32_t count = alone && hooks.touched_loop == number ? hooks.touched_count : 0;
    for (uint32_t at = 0; list && at < count; at++) {
        Site *site = sites_at(hooks.touched[at]);
        if (site->loop != number)
            continue;
        uint64_t before = site->bytes_before;
        site->bytes_before = site->bytes;
        if (site->bytes < before || (site->bytes == before && ++site->level > MOST_LEVEL)) {
            site->growths = 0;
            site->grown = 0;
        }
        if (!before || site->bytes <= before)
            continue;
        site->level = 0;
        site->growths += site->growths < UINT16_MAX;
        site->grown += site->bytes - before;
        if (site->growths < GROWTH_TIMES)
            continue;
        PyObject *one = Py_BuildValue("(IIK)", hooks.touched[at], (unsigned int)site->growths,
                                      (unsigned long long)site->grown);
        if (!one || PyList_Append(list, one) < 0)
            Py_CLEAR(list);
        Py_XDECREF(one);
    }
    return list;
}

/* -- what lives -- */

static int by_size(const void *one, const void *other) {
    size_t a = ((const Survivor *)one)->block.size, b = ((const Survivor *)other)->block.size;
    return a < b ? 1 : a > b ? -1 : 0;
}

PyObject *judge_samples(PyObject *Py_UNUSED(module), PyObject *args) {
    unsigned int group, most;
    if (!PyArg_ParseTuple(args, "II", &group, &most))
        return NULL;
    Survivors some = {0};
    for (size_t at = 0; at < hooks.old.capacity; at++) {
        if (!hooks.old.keys[at] || hooks.old.blocks[at].group != group)
            continue;
        Survivor *survivor = one_more(&some);
        if (!survivor)
            break;
        *survivor = (Survivor){.pointer = (char *)hooks.old.keys[at], .block = hooks.old.blocks[at]};
    }
    if (some.count)
        qsort(some.all, some.count, sizeof *some.all, by_size);
    PyObject *list = PyList_New(0);
    for (size_t at = 0; list && at < some.count && at < most; at++) {
        Survivor *it = &some.all[at];
        PyObject *one =
            Py_BuildValue("(KnI)", (unsigned long long)(uintptr_t)(it->pointer + it->block.header),
                          (Py_ssize_t)it->block.size, it->block.loop);
        if (!one || PyList_Append(list, one) < 0)
            Py_CLEAR(list);
        Py_XDECREF(one);
    }
    free(some.all);
    return list;
}

PyObject *judge_by_loop(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    PyObject *dict = PyDict_New();
    for (size_t at = 0; dict && at < hooks.old.capacity; at++) {
        if (!hooks.old.keys[at])
            continue;
        Block block = hooks.old.blocks[at];
        PyObject *loop = PyLong_FromUnsignedLong(block.loop);
        PyObject *before = loop ? PyDict_GetItemWithError(dict, loop) : NULL;
        long long bytes =
            (before ? PyLong_AsLongLong(before) : 0) + (long long)block.size - (long long)block.base;
        PyObject *now = PyLong_FromLongLong(bytes);
        if (!loop || !now || PyErr_Occurred() || PyDict_SetItem(dict, loop, now) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(loop);
        Py_XDECREF(now);
    }
    return dict;
}

/* Objects that have died while their blocks live on: modules keep dead ones for the next, as the interpreter
 * does. */
static void bury(void) {
    for (size_t at = 0; at < hooks.old.capacity;) {
        char *pointer = (char *)hooks.old.keys[at];
        Block block = hooks.old.blocks[at];
        if (!pointer || look(pointer, &block) != DEAD) {
            at++;
            continue;
        }
        blocks_take(&hooks.old, pointer, NULL); /* another may have moved up to its place */
        groups_change(block.group, (int64_t)block.base - (int64_t)block.size, -1);
    }
}

typedef struct {
    long long blocks[MAX_WINDOWS], bytes[MAX_WINDOWS];
    uint32_t loops[FEW_LOOPS], distinct;
} Spread;

static PyObject *told_spread(const Spread *spread, Py_ssize_t windows) {
    PyObject *blocks = PyTuple_New(windows), *bytes = PyTuple_New(windows);
    for (Py_ssize_t at = 0; blocks && bytes && at < windows; at++) {
        PyTuple_SET_ITEM(blocks, at, PyLong_FromLongLong(spread->blocks[at]));
        PyTuple_SET_ITEM(bytes, at, PyLong_FromLongLong(spread->bytes[at]));
    }
    if (!blocks || !bytes || PyErr_Occurred()) {
        Py_XDECREF(blocks);
        Py_XDECREF(bytes);
        return NULL;
    }
    return Py_BuildValue("(NNI)", blocks, bytes, spread->distinct);
}

static void spread_one(Spread *spread, const Block *block, const long *bounds, Py_ssize_t windows) {
    for (Py_ssize_t window = 0; window < windows; window++)
        if ((long)block->loop >= bounds[window] && (long)block->loop < bounds[window + 1]) {
            spread->blocks[window]++;
            spread->bytes[window] += (long long)block->size - (long long)block->base;
        }
    uint32_t at = 0;
    while (at < spread->distinct && spread->loops[at] != block->loop)
        at++;
    if (at == spread->distinct && at < FEW_LOOPS)
        spread->loops[spread->distinct++] = block->loop;
}

PyObject *judge_spread(PyObject *Py_UNUSED(module), PyObject *given) {
    long bounds[MAX_WINDOWS + 1];
    Py_ssize_t windows = PyList_Check(given) ? PyList_GET_SIZE(given) - 1 : 0;
    if (windows < 1 || windows > MAX_WINDOWS) {
        PyErr_SetString(PyExc_ValueError, "bounds: a list of 2 to 17 numbers");
        return NULL;
    }
    for (Py_ssize_t at = 0; at <= windows; at++)
        bounds[at] = PyLong_AsLong(PyList_GET_ITEM(given, at));
    Spread *all = PyErr_Occurred() ? NULL : calloc(groups_count() + 1, sizeof *all);
    if (!all)
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    uint32_t count = groups_count();
    for (size_t at = 0; at < hooks.old.capacity; at++)
        if (hooks.old.keys[at] && hooks.old.blocks[at].group < count)
            spread_one(&all[hooks.old.blocks[at].group], &hooks.old.blocks[at], bounds, windows);
    PyObject *dict = PyDict_New();
    for (uint32_t group = 0; dict && group < count; group++) {
        if (!all[group].distinct)
            continue;
        PyObject *key = PyLong_FromUnsignedLong(group), *value = told_spread(&all[group], windows);
        if (!key || !value || PyDict_SetItem(dict, key, value) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    free(all);
    return dict;
}

PyObject *judge_bury(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    if (hooks.on)
        bury();
    Py_RETURN_NONE;
}
