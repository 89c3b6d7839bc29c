#include "paths.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *paths_buffer(PyObject *object) {
    if (PyDict_Check(object))
        return ((PyDictObject *)object)->ma_keys;
    if (PyList_Check(object))
        return ((PyListObject *)object)->ob_item;
    if (PyAnySet_Check(object))
        return ((PySetObject *)object)->table;
    if (PyByteArray_Check(object))
        return ((PyByteArrayObject *)object)->ob_bytes;
    if (!strcmp(Py_TYPE(object)->tp_name, "array.array")) /* begins as a list does */
        return ((PyListObject *)object)->ob_item;
    return NULL;
}

/* Objects in the order they were come upon; borrowed, as nothing else runs meanwhile. */
typedef struct {
    PyObject *object;
    uint32_t from; /* whom it was seen from; itself: a root */
} Seen;

typedef struct {
    Seen *seen;
    uint32_t count, room, most, now;
    uint32_t *index, places; /* object -> 1 + its place in seen; 0: free */
    uintptr_t *wanted;
    uint32_t *found; /* place of the object, per wanted; UINT32_MAX: none */
    size_t count_wanted, left;
} Search;

static inline uint32_t mixed(const void *pointer) {
    return (uint32_t)((((uint64_t)(uintptr_t)pointer >> 4) * 0x9E3779B97F4A7C15ull) >> 32);
}

static bool widened(Search *search) {
    uint32_t room = search->room * 2;
    Seen *seen = realloc(search->seen, room * sizeof *seen);
    if (!seen)
        return false;
    search->seen = seen;
    uint32_t places = room * 2, *index = calloc(places, sizeof *index);
    if (!index)
        return false;
    for (uint32_t at = 0; at < search->count; at++) {
        uint32_t place = mixed(seen[at].object) & (places - 1);
        while (index[place])
            place = (place + 1) & (places - 1);
        index[place] = at + 1;
    }
    free(search->index);
    search->index = index;
    search->places = places;
    search->room = room;
    return true;
}

static void compare(Search *search, const void *address, uint32_t place) {
    for (size_t at = 0; address && at < search->count_wanted; at++)
        if (search->wanted[at] == (uintptr_t)address && search->found[at] == UINT32_MAX) {
            search->found[at] = place;
            search->left--;
        }
}

/* Returns 0 to go on, 1 to stop. */
static int visit(PyObject *object, void *context) {
    Search *search = context;
    if (!object)
        return 0;
    uint32_t place = mixed(object) & (search->places - 1);
    for (; search->index[place]; place = (place + 1) & (search->places - 1))
        if (search->seen[search->index[place] - 1].object == object)
            return 0;
    if (search->count >= search->most)
        return 1;
    if (search->count == search->room) {
        if (!widened(search))
            return 1;
        place = mixed(object) & (search->places - 1);
        while (search->index[place])
            place = (place + 1) & (search->places - 1);
    }
    search->seen[search->count] = (Seen){object, search->now};
    search->index[place] = ++search->count;
    compare(search, object, search->count - 1);
    compare(search, paths_buffer(object), search->count - 1);
    return search->left == 0;
}

static void walk(Search *search, PyObject *roots) {
    for (Py_ssize_t at = 0; at < PyList_GET_SIZE(roots); at++) {
        search->now = search->count;
        if (visit(PyList_GET_ITEM(roots, at), search))
            return;
    }
    for (uint32_t at = 0; at < search->count; at++) {
        PyObject *object = search->seen[at].object;
        traverseproc traverse = PyObject_IS_GC(object) ? Py_TYPE(object)->tp_traverse : NULL;
        search->now = at;
        if (traverse && traverse(object, visit, search))
            return;
    }
}

static PyObject *way(const Search *search, uint32_t place) {
    PyObject *list = PyList_New(0);
    for (;;) {
        if (!list || PyList_Append(list, search->seen[place].object) < 0) {
            Py_XDECREF(list);
            return NULL;
        }
        if (search->seen[place].from == place)
            break;
        place = search->seen[place].from;
    }
    if (PyList_Reverse(list) < 0)
        Py_CLEAR(list);
    return list;
}

static PyObject *ways(const Search *search) {
    PyObject *list = PyList_New((Py_ssize_t)search->count_wanted);
    for (size_t at = 0; list && at < search->count_wanted; at++) {
        PyObject *one = search->found[at] == UINT32_MAX ? Py_NewRef(Py_None) : way(search, search->found[at]);
        if (one)
            PyList_SET_ITEM(list, (Py_ssize_t)at, one);
        else
            Py_CLEAR(list);
    }
    return list;
}

/* What leads to the answers. */
static void hold(const Search *search, bool on) {
    for (size_t at = 0; at < search->count_wanted; at++)
        for (uint32_t place = search->found[at]; place != UINT32_MAX;) {
            uint32_t from = search->seen[place].from;
            if (on)
                Py_INCREF(search->seen[place].object);
            else
                Py_DECREF(search->seen[place].object);
            place = from == place ? UINT32_MAX : from;
        }
}

PyObject *paths_find(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *addresses, *roots;
    unsigned int most;
    if (!PyArg_ParseTuple(args, "O!O!I", &PyList_Type, &addresses, &PyList_Type, &roots, &most))
        return NULL;
    size_t wanted = (size_t)PyList_GET_SIZE(addresses);
    enum { ROOM = 1 << 14 };
    Search search = {.room = ROOM, .places = ROOM * 2, .most = most, .count_wanted = wanted, .left = wanted};
    search.seen = malloc(ROOM * sizeof *search.seen);
    search.index = calloc(ROOM * 2, sizeof *search.index);
    search.wanted = calloc(wanted + 1, sizeof *search.wanted);
    search.found = malloc((wanted + 1) * sizeof *search.found);
    PyObject *result = NULL;
    if (!search.seen || !search.index || !search.wanted || !search.found) {
        PyErr_NoMemory();
        goto out;
    }
    for (size_t at = 0; at < wanted; at++) {
        search.found[at] = UINT32_MAX;
        search.wanted[at] = (uintptr_t)PyLong_AsUnsignedLongLong(PyList_GET_ITEM(addresses, (Py_ssize_t)at));
    }
    if (PyErr_Occurred())
        goto out;
    if (wanted)
        walk(&search, roots);
    hold(&search, true); /* where lists are made the collector may run, and free what was only seen */
    result = ways(&search);
    hold(&search, false);
out:
    free(search.seen);
    free(search.index);
    free(search.wanted);
    free(search.found);
    return result;
}
