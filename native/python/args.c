#include "args.h"

#include <string.h>

static Py_ssize_t place_of(const Signature *signature, PyObject *name) {
    for (Py_ssize_t at = 0; signature->names[at]; at++)
        if (PyUnicode_CompareWithASCIIString(name, signature->names[at]) == 0)
            return at;
    return -1;
}

static int read_named(const Signature *signature, PyObject *name, PyObject *value, PyObject **out) {
    Py_ssize_t place = place_of(signature, name);
    if (place < 0) {
        PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", signature->function,
                     name);
        return -1;
    }
    if (out[place]) {
        PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%U'", signature->function,
                     name);
        return -1;
    }
    out[place] = value;
    return 0;
}

int args_read(const Signature *signature, PyObject *const *args, Py_ssize_t count, PyObject *names,
              PyObject **out) {
    if (count > signature->by_position) {
        PyErr_Format(PyExc_TypeError, "%s() takes at most %zd positional arguments", signature->function,
                     signature->by_position);
        return -1;
    }
    for (Py_ssize_t at = 0; signature->names[at]; at++)
        out[at] = at < count ? args[at] : NULL;
    Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0;
    for (Py_ssize_t at = 0; at < named; at++)
        if (read_named(signature, PyTuple_GET_ITEM(names, at), args[count + at], out) < 0)
            return -1;
    for (Py_ssize_t at = 0; at < signature->required; at++) {
        if (!out[at]) {
            PyErr_Format(PyExc_TypeError, "%s() missing required argument '%s'", signature->function,
                         signature->names[at]);
            return -1;
        }
    }
    return 0;
}
