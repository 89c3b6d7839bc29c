#include "passing.h"

#include "around.h"
#include "../spans/context.h"

/* The parts of a gate stand where an Around has its own: `start` is what is called instead. */

static PyObject *make(PyObject *wrapped, PyObject *start, PyObject *result, PyObject *failed,
                      PyObject *(*how)(Around *, PyObject *const *, size_t, PyObject *)) {
    PyObject *all[] = {wrapped, start, result, failed, Py_None};
    return around_new(all, (vectorcallfunc)(void (*)(void))how);
}

/* -- imports -- */

/* 1, 0; -1 with an exception set. */
static int is_awaited(PyObject *packages, PyObject *name) {
    Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, PyUnicode_GET_LENGTH(name), 1);
    PyObject *package = dot == -2 ? NULL : dot < 0 ? Py_NewRef(name) : PyUnicode_Substring(name, 0, dot);
    int found = package ? PySet_Contains(packages, package) : -1;
    Py_XDECREF(package);
    return found;
}

static PyObject *call_if_awaited(Around *self, PyObject *const *args, size_t count, PyObject *names) {
    if (PyVectorcall_NARGS(count) > 0 && PyUnicode_CheckExact(args[0])) {
        int awaited = is_awaited(self->start, args[0]);
        if (awaited == 0)
            Py_RETURN_NONE;
        if (awaited < 0)
            return NULL;
    }
    return PyObject_Vectorcall(self->wrapped, args, count, names);
}

PyObject *passing_if_awaited(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 2 || !PyAnySet_Check(args[1]))
        return PyErr_Format(PyExc_TypeError, "a function and a set are needed");
    return make(args[0], args[1], Py_None, Py_None, call_if_awaited);
}

/* -- scopes -- */

/* Borrowed; NULL: there is nothing. */
static PyObject *inside(PyObject *mapping, PyObject *key) {
    PyObject *found = PyDict_Check(mapping) ? PyDict_GetItemWithError(mapping, key) : NULL;
    return found == Py_None ? NULL : found;
}

static PyObject *call_if_in_scope(Around *self, PyObject *const *args, size_t count, PyObject *names) {
    PyObject *called = self->start;
    if (PyVectorcall_NARGS(count) > 1 && PyDict_Check(args[1])) {
        PyObject *outer = inside(args[1], self->result);
        if (!outer || (PyDict_Check(outer) && !inside(outer, self->failed)))
            called = self->wrapped;
        PyErr_Clear(); /* neither key is anything but a text */
    }
    return PyObject_Vectorcall(called, args, count, names);
}

PyObject *passing_if_in_scope(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 4 || !PyUnicode_Check(args[2]) || !PyUnicode_Check(args[3]))
        return PyErr_Format(PyExc_TypeError, "two functions and two keys are needed");
    return make(args[0], args[1], args[2], args[3], call_if_in_scope);
}

/* -- two notions of the current span -- */

static struct {
    PyObject *type, *variable; /* NULL: they are not kept one */
    PyObject *above;           /* the name of the attribute */
} shown;

PyObject *passing_show(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    bool ends = count == 2 && args[0] == Py_None && args[1] == Py_None;
    if (!ends && (count != 2 || !PyType_Check(args[0]) || !PyContextVar_CheckExact(args[1])))
        return PyErr_Format(PyExc_TypeError, "a type and a context variable are needed");
    if (!shown.above && !(shown.above = PyUnicode_InternFromString("above")))
        return NULL;
    Py_XSETREF(shown.type, ends ? NULL : Py_NewRef(args[0]));
    Py_XSETREF(shown.variable, ends ? NULL : Py_NewRef(args[1]));
    Py_RETURN_NONE;
}

/* What is to be shown for their `context`: itself, what was shown last, or NULL without an exception where
   that has to be made. New reference. */
static PyObject *shown_for(PyObject *context, Span *above) {
    PyObject *found = NULL, *last = NULL;
    if ((PyObject *)Py_TYPE(context) == shown.type) {
        PyObject *there = PyObject_GetAttr(context, shown.above);
        if (there == (PyObject *)above)
            found = Py_NewRef(context);
        Py_XDECREF(there);
    }
    if (!found && !PyErr_Occurred() && PyContextVar_Get(shown.variable, NULL, &last) == 0 && last) {
        if (PyTuple_CheckExact(last) && PyTuple_GET_SIZE(last) == 3 && PyTuple_GET_ITEM(last, 0) == context &&
            PyTuple_GET_ITEM(last, 1) == (PyObject *)above)
            found = Py_NewRef(PyTuple_GET_ITEM(last, 2));
        Py_DECREF(last);
    }
    PyErr_Clear();
    return found;
}

static PyObject *call_if_newer(Around *self, PyObject *const *args, size_t count, PyObject *names) {
    Span *above = shown.variable ? context_current() : NULL;
    PyObject *context = PyObject_Vectorcall(self->wrapped, args, count, names);
    if (above && context) {
        PyObject *found = shown_for(context, above);
        Py_SETREF(context, found ? found : PyObject_Vectorcall(self->start, args, count, names));
    }
    Py_XDECREF(above);
    return context;
}

PyObject *passing_if_newer(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 2)
        return PyErr_Format(PyExc_TypeError, "two functions are needed");
    return make(args[0], args[1], Py_None, Py_None, call_if_newer);
}
