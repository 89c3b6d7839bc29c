/* sonde.server.intake._walk: the walk, for Python. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "walk.h"

/* Every shape a message may lead to is in the table, so that the walk need not ask. */
static int is_table(const Py_buffer *table) {
    size_t count = (size_t)table->len / sizeof(struct shape);
    if (count == 0 || (size_t)table->len % sizeof(struct shape))
        return 0;
    const struct field *field = table->buf;
    for (size_t i = 0; i < count * FIELDS; i++)
        if (field[i].message >= count || field[i].kind > PARENT_ID)
            return 0;
    return 1;
}

PyDoc_STRVAR(count_doc, "count(shapes: bytes, body: bytes) -> int\n\n"
                        "Items in `body`, -1 where a full parser has to be asked; see native/intake/walk.h.\n"
                        "Lets other threads run. Raises ValueError where `shapes` is no table of shapes.");

static PyObject *count(PyObject *Py_UNUSED(module), PyObject *args) {
    Py_buffer table, body;
    if (!PyArg_ParseTuple(args, "y*y*", &table, &body))
        return NULL;
    PyObject *result = NULL;
    if (!is_table(&table)) {
        PyErr_SetString(PyExc_ValueError, "shapes is no table of shapes");
    } else {
        int64_t items;
        Py_BEGIN_ALLOW_THREADS items = walk(table.buf, body.buf, (size_t)body.len);
        Py_END_ALLOW_THREADS result = PyLong_FromLongLong(items);
    }
    PyBuffer_Release(&table);
    PyBuffer_Release(&body);
    return result;
}

static PyMethodDef methods[] = {
    {"count", count, METH_VARARGS, count_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef_Slot slots[] = {
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "sonde.server.intake._walk",
    .m_doc = "Is this a protobuf message of a given shape?",
    .m_size = 0,
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__walk(void) {
    return PyModuleDef_Init(&definition);
}
