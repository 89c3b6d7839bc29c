#include "entry_names.h"

#include "entry.h"
#include "../python/text.h"

enum { KEPT = 4, ROUTES = 64 };

static struct {
    PyObject *served[SERVED_PARTS];
    Operation *operation;
} kept[KEPT]; /* all of it owned, or NULL */
static unsigned next_kept;

static struct {
    PyObject *method, *route, *name;
} routes[ROUTES]; /* likewise */

static bool same_served(PyObject *const one[SERVED_PARTS], PyObject *const other[SERVED_PARTS]) {
    for (int at = 0; at < SERVED_PARTS; at++)
        if (!same_constant(one[at], other[at]))
            return false;
    return true;
}

static void keep(PyObject *const served[SERVED_PARTS], Operation *operation) {
    unsigned place = next_kept++ % KEPT;
    for (int at = 0; at < SERVED_PARTS; at++)
        Py_XSETREF(kept[place].served[at], Py_NewRef(served[at]));
    Py_XSETREF(kept[place].operation, (Operation *)Py_NewRef((PyObject *)operation));
}

Operation *entry_operation(PyObject *const served[SERVED_PARTS]) {
    for (int at = 0; at < KEPT; at++)
        if (kept[at].operation && same_served(kept[at].served, served))
            return (Operation *)Py_NewRef((PyObject *)kept[at].operation);
    PyObject *key = PyTuple_Pack(SERVED_PARTS, served[0], served[1], served[2], served[3], served[4]);
    PyObject *operation = key ? PyObject_GetItem(entry_plugins.operations, key) : NULL;
    Py_XDECREF(key);
    if (operation && Py_TYPE(operation) != &OperationType) {
        PyErr_SetString(PyExc_TypeError, "an Operation is needed");
        Py_CLEAR(operation);
    }
    if (operation)
        keep(served, (Operation *)operation);
    return (Operation *)operation;
}

/* Frameworks make a route's text once. */
static size_t place_of(PyObject *route) {
    return ((uintptr_t)route >> 4 ^ (uintptr_t)route >> 10) % ROUTES;
}

PyObject *entry_name(PyObject *method, PyObject *route) {
    size_t place = place_of(route);
    if (routes[place].route == route && same_constant(routes[place].method, method))
        return Py_NewRef(routes[place].name);
    PyObject *key = PyTuple_Pack(2, method, route);
    PyObject *name = key ? PyObject_GetItem(entry_plugins.names, key) : NULL;
    Py_XDECREF(key);
    if (name && PyUnicode_CheckExact(route)) {
        Py_XSETREF(routes[place].method, Py_NewRef(method));
        Py_XSETREF(routes[place].route, Py_NewRef(route));
        Py_XSETREF(routes[place].name, Py_NewRef(name));
    }
    return name;
}

void entry_names_forget(void) {
    for (int place = 0; place < KEPT; place++) {
        for (int at = 0; at < SERVED_PARTS; at++)
            Py_CLEAR(kept[place].served[at]);
        Py_CLEAR(kept[place].operation);
    }
    for (int place = 0; place < ROUTES; place++) {
        Py_CLEAR(routes[place].method);
        Py_CLEAR(routes[place].route);
        Py_CLEAR(routes[place].name);
    }
}
