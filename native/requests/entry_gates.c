#include "entry_gates.h"

#include "../wrapping/around.h"
#include "entry_asgi.h"
#include "entry_wsgi.h"

enum { WSGI_ARGUMENTS = 3, ASGI_ARGUMENTS = 4, MOST_ARGUMENTS = 4 };

typedef PyObject *(*Serve)(PyObject *, PyObject *const *, Py_ssize_t);

/* As an attribute of the application is: others' wrappers look at what they are bound to. */
static PyObject *bound(PyObject *function, PyObject *application) {
    descrgetfunc get = Py_TYPE(function)->tp_descr_get;
    return get ? get(function, application, (PyObject *)Py_TYPE(application)) : Py_NewRef(function);
}

static PyObject *serving(Around *self, PyObject *const *args, size_t count, PyObject *names,
                         Py_ssize_t expected, Serve serve) {
    if (names || PyVectorcall_NARGS(count) != expected)
        return PyObject_Vectorcall(self->start, args, count, names);
    PyObject *given[MOST_ARGUMENTS] = {bound(self->wrapped, args[0])};
    if (!given[0])
        return NULL;
    for (Py_ssize_t at = 1; at < expected; at++)
        given[at] = args[at];
    PyObject *answer = serve(NULL, given, expected);
    Py_DECREF(given[0]);
    return answer;
}

static PyObject *call_wsgi(Around *self, PyObject *const *args, size_t count, PyObject *names) {
    return serving(self, args, count, names, WSGI_ARGUMENTS, entry_serve_wsgi);
}

static PyObject *call_asgi(Around *self, PyObject *const *args, size_t count, PyObject *names) {
    return serving(self, args, count, names, ASGI_ARGUMENTS, entry_serve_asgi);
}

static PyObject *make(PyObject *const *args, Py_ssize_t count,
                      PyObject *(*how)(Around *, PyObject *const *, size_t, PyObject *)) {
    if (count != 2)
        return PyErr_Format(PyExc_TypeError, "two functions are needed");
    PyObject *all[] = {args[0], args[1], Py_None, Py_None, Py_None};
    return around_new(all, (vectorcallfunc)(void (*)(void))how);
}

PyObject *entry_gates_wsgi(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    return make(args, count, call_wsgi);
}

PyObject *entry_gates_asgi(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    return make(args, count, call_asgi);
}
