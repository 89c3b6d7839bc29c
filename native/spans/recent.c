#include "recent.h"

#include <stdbool.h>

/* An object of that address, after ours was freed, is another one. */
static bool is_alive(PyObject *reference) {
#if PY_VERSION_HEX < 0x030D0000
    return PyWeakref_GET_OBJECT(reference) != Py_None;
#else
    PyObject *object;
    bool alive = PyWeakref_GetRef(reference, &object) > 0;
    if (alive)
        Py_DECREF(object); /* the caller has one, too */
    return alive;
#endif
}

static bool knows(const Recent *recent, PyObject *object) {
    return recent->object == object && recent->reference && is_alive(recent->reference);
}

static size_t place_of(PyObject *key) {
    return ((uintptr_t)key >> 4 ^ (uintptr_t)key >> 7) % RECENT_KEYS;
}

PyObject *recent_find(const Recent *recent, PyObject *object, PyObject *key) {
    size_t place = place_of(key);
    return recent->found[place].key == key && knows(recent, object) ? recent->found[place].value : NULL;
}

void recent_keep(Recent *recent, PyObject *object, PyObject *key, PyObject *value) {
    if (!knows(recent, object)) {
        PyObject *reference = PyWeakref_NewRef(object, NULL);
        recent_clear(recent);
        if (!reference) {
            PyErr_Clear();
            return;
        }
        recent->object = object;
        recent->reference = reference;
    }
    size_t place = place_of(key);
    Py_XSETREF(recent->found[place].key, Py_NewRef(key));
    Py_XSETREF(recent->found[place].value, Py_NewRef(value));
}

void recent_clear(Recent *recent) {
    Recent gone = *recent;
    *recent = (Recent){0};
    Py_XDECREF(gone.reference);
    for (size_t at = 0; at < RECENT_KEYS; at++) {
        Py_XDECREF(gone.found[at].key);
        Py_XDECREF(gone.found[at].value);
    }
}
