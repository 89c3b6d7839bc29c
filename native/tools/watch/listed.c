#include "listed.h"

#include <string.h>

static PyObject *decoded(const char *text) {
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

PyObject *places_list(const Places *places) {
    PyObject *list = PyList_New(0);
    for (uint32_t at = 0; list && at < places->count; at++) {
        const Place *place = &places->places[at];
        PyObject *one = Py_BuildValue("(NNii)", decoded(places_text(places, place->name)),
                                      decoded(places_text(places, place->file)), (int)place->first_line,
                                      (int)place->line);
        if (!one || PyList_Append(list, one) < 0)
            Py_CLEAR(list);
        Py_XDECREF(one);
    }
    return list;
}

PyObject *places_numbers(const uint16_t *from, int count) {
    PyObject *tuple = PyTuple_New(count);
    for (int at = 0; tuple && at < count; at++) {
        PyObject *number = PyLong_FromLong(from[at]);
        if (number)
            PyTuple_SET_ITEM(tuple, at, number);
        else
            Py_CLEAR(tuple);
    }
    return tuple;
}
