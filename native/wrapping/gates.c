#include "gates.h"

#include "around.h"
#include "../spans/context.h"
#include "../requests/entry.h"
#include "../requests/headers.h"
#include "../core/recorder.h"

/* The parts of a gate stand where an Around has its own: `start` is what is called instead. */

/* New reference, or NULL: no library above makes a call. */
static Span *calling(void) {
    Span *span = recorder.on ? context_current() : NULL;
    if (span && !span->finished && span->operation->kind == CLIENT)
        return span;
    Py_XDECREF(span);
    return NULL;
}

static PyObject *call_unless(Around *self, PyObject *const *args, size_t count, PyObject *names) {
    Span *span = calling();
    PyObject *called = span || !recorder.on ? self->wrapped : self->start;
    Py_XDECREF(span);
    return PyObject_Vectorcall(called, args, count, names);
}

PyObject *gates_unless_calling(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 2)
        return PyErr_Format(PyExc_TypeError, "two functions are needed");
    PyObject *all[] = {args[0], args[1], Py_None, Py_None, Py_None};
    return around_new(all, (vectorcallfunc)(void (*)(void))call_unless);
}

static int inject(Around *self, Span *span, PyObject *owner) {
    PyObject *lines = PyObject_GetAttr(owner, self->result);
    /* Of urllib3 it is a property, in Python. */
    PyObject *peer = !lines                      ? NULL
                     : headers_name_a_peer(span) ? PyObject_GetAttr(owner, self->failed)
                                                 : Py_NewRef(Py_None);
    PyObject *given[] = {lines, peer};
    PyObject *done = peer ? span_into_lines(span, given, 2) : NULL;
    Py_XDECREF(lines);
    Py_XDECREF(peer);
    Py_XDECREF(done);
    return done ? 0 : around_fault(self);
}

static PyObject *call_injecting(Around *self, PyObject *const *args, size_t count, PyObject *names) {
    Span *span = PyVectorcall_NARGS(count) ? calling() : NULL;
    if (!span)
        return PyObject_Vectorcall(recorder.on ? self->start : self->wrapped, args, count, names);
    int outcome = inject(self, span, args[0]);
    Py_DECREF(span);
    return outcome < 0 ? NULL : PyObject_Vectorcall(self->wrapped, args, count, names);
}

PyObject *gates_injecting(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 5)
        return PyErr_Format(PyExc_TypeError, "two functions, two attributes and fault are needed");
    return around_new(args, (vectorcallfunc)(void (*)(void))call_injecting);
}

/* -- routes -- */

/* New reference. NULL without an exception: None on the way. */
static PyObject *follow(PyObject *object, PyObject *path) {
    Py_INCREF(object);
    for (Py_ssize_t at = 0; object && at < PyTuple_GET_SIZE(path); at++) {
        Py_SETREF(object, PyObject_GetAttr(object, PyTuple_GET_ITEM(path, at)));
        if (object == Py_None)
            Py_CLEAR(object);
    }
    return object;
}

static int route(Around *self, PyObject *first) {
    PyObject *rule = follow(first, self->start);
    PyObject *mapping = rule ? follow(first, self->result) : NULL;
    PyObject *entry = mapping && PyDict_Check(mapping) && entry_plugins.key
                          ? PyDict_GetItemWithError(mapping, entry_plugins.key)
                          : NULL;
    int outcome = PyErr_Occurred() ? -1 : 0;
    if (entry && outcome == 0)
        outcome = entry_routed(entry, rule);
    Py_XDECREF(rule);
    Py_XDECREF(mapping);
    return outcome < 0 ? around_fault(self) : 0;
}

static PyObject *call_routing(Around *self, PyObject *const *args, size_t count, PyObject *names) {
    PyObject *value = PyObject_Vectorcall(self->wrapped, args, count, names);
    if (value && recorder.on && PyVectorcall_NARGS(count) && route(self, args[0]) < 0)
        Py_CLEAR(value);
    return value;
}

PyObject *gates_routing(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 4 || !PyTuple_Check(args[1]) || !PyTuple_Check(args[2]))
        return PyErr_Format(PyExc_TypeError, "a function, two paths and fault are needed");
    PyObject *all[] = {args[0], args[1], args[2], Py_None, args[3]};
    return around_new(all, (vectorcallfunc)(void (*)(void))call_routing);
}

static struct {
    PyObject *path, *outer, *root;
} in_scope;

/* The part of the path that mounts took, without the prefix a proxy cut off (the server's own `root_path`),
   and the route's own template. New reference, or NULL with an exception set. */
static PyObject *whole_path(PyObject *scope, PyObject *route) {
    PyObject *path = PyObject_GetAttr(route, in_scope.path);
    PyObject *outer = path ? PyDict_GetItemWithError(scope, in_scope.outer) : NULL;
    PyObject *root = outer ? PyDict_GetItemWithError(scope, in_scope.root) : NULL;
    if (root && PyUnicode_Check(root) && PyUnicode_Check(outer) && PyUnicode_Check(path) &&
        PyUnicode_GetLength(root) > PyUnicode_GetLength(outer)) {
        PyObject *mounted = PyUnicode_Substring(root, PyUnicode_GetLength(outer), PyUnicode_GetLength(root));
        Py_SETREF(path, mounted ? PyUnicode_Concat(mounted, path) : NULL);
        Py_XDECREF(mounted);
    }
    if (PyErr_Occurred())
        Py_CLEAR(path);
    return path;
}

/* (route, scope, receive, send) */
static PyObject *call_routing_scope(Around *self, PyObject *const *args, size_t count, PyObject *names) {
    if (PyVectorcall_NARGS(count) < 2 || !PyDict_CheckExact(args[1]) || !entry_plugins.key || !recorder.on)
        return PyObject_Vectorcall(recorder.on ? self->start : self->wrapped, args, count, names);
    PyObject *entry = PyDict_GetItemWithError(args[1], entry_plugins.key);
    PyObject *path = entry ? whole_path(args[1], args[0]) : NULL;
    int outcome = path ? entry_routed(entry, path) : PyErr_Occurred() ? -1 : 0;
    Py_XDECREF(path);
    if (outcome < 0 && around_fault(self) < 0)
        return NULL;
    return PyObject_Vectorcall(self->wrapped, args, count, names);
}

PyObject *gates_routing_scope(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 3)
        return PyErr_Format(PyExc_TypeError, "two functions and fault are needed");
    if (!in_scope.path && (!(in_scope.root = PyUnicode_InternFromString("root_path")) ||
                           !(in_scope.outer = PyUnicode_InternFromString("app_root_path")) ||
                           !(in_scope.path = PyUnicode_InternFromString("path"))))
        return NULL;
    PyObject *all[] = {args[0], args[1], Py_None, Py_None, args[2]};
    return around_new(all, (vectorcallfunc)(void (*)(void))call_routing_scope);
}
