#include "sizes.h"

#include "internals.h"

static PyObject *deque_type, *array_type;

void sizes_init(PyObject *deque, PyObject *array) {
    Py_XSETREF(deque_type, Py_XNewRef(deque));
    Py_XSETREF(array_type, Py_XNewRef(array));
}

/* The beginnings of two structures that only their modules know. Source: Modules/_collectionsmodule.c and
   arraymodule.c, the same from 3.11 to 3.13. */
enum { DEQUE_BLOCK = 64 };
typedef struct {
    PyObject_VAR_HEAD void *left, *right;
    Py_ssize_t left_index;
} Deque;
typedef struct {
    PyObject_VAR_HEAD char *items;
    Py_ssize_t allocated;
    const struct {
        char code;
        int item_bytes;
    } *description;
} Array;

static size_t deque_blocks(PyObject *object) {
    size_t used = (size_t)(((Deque *)object)->left_index + Py_SIZE(object));
    return (used + DEQUE_BLOCK - 1) / DEQUE_BLOCK * (DEQUE_BLOCK + 2) * sizeof(void *);
}

static size_t size_of_text(PyObject *object, size_t basic) {
    PyASCIIObject *text = (PyASCIIObject *)object;
    size_t length = (size_t)text->length, size;
    if (text->state.compact && text->state.ascii)
        size = sizeof(PyASCIIObject) + length + 1;
    else if (text->state.compact)
        size = sizeof(PyCompactUnicodeObject) + (length + 1) * text->state.kind;
    else
        size = sizeof(PyUnicodeObject) +
               (((PyUnicodeObject *)object)->data.any ? (length + 1) * text->state.kind : 0);
    if (!text->state.ascii || !text->state.compact) {
        PyCompactUnicodeObject *compact = (PyCompactUnicodeObject *)object;
        bool own = compact->utf8 &&
                   (text->state.compact || (void *)compact->utf8 != ((PyUnicodeObject *)object)->data.any);
        size += own ? (size_t)compact->utf8_length + 1 : 0;
    }
    return basic > sizeof(PyUnicodeObject) ? size + basic - sizeof(PyUnicodeObject) : size;
}

static size_t size_of_code(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    return (size_t)(type->tp_basicsize + type->tp_itemsize * Py_SIZE(object));
}

static size_t without_head(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    size_t basic = (size_t)type->tp_basicsize;
    if (PyUnicode_Check(object))
        return size_of_text(object, basic);
    if (PyDict_Check(object))
        return internals_dict(object) - sizeof(PyDictObject) + basic;
    if (PyList_Check(object))
        return basic + (((PyListObject *)object)->ob_item ? (size_t)((PyListObject *)object)->allocated : 0) *
                           sizeof(void *);
    if (PyAnySet_Check(object)) {
        PySetObject *set = (PySetObject *)object;
        return basic + (set->table != set->smalltable ? (size_t)(set->mask + 1) * sizeof(setentry) : 0);
    }
    if (PyLong_Check(object))
        return (PyLong_CheckExact(object) || PyBool_Check(object) ? (size_t)PyLong_Type.tp_basicsize
                                                                  : basic) +
               internals_digits(object);
    if (PyByteArray_Check(object))
        return basic + (size_t)((PyByteArrayObject *)object)->ob_alloc;
    if (PyCode_Check(object))
        return size_of_code(object);
    if (type == (PyTypeObject *)deque_type)
        return basic + deque_blocks(object);
    if (type == (PyTypeObject *)array_type)
        return basic + (size_t)(((Array *)object)->allocated * ((Array *)object)->description->item_bytes);
    if (PyType_Check(object))
        return ((PyTypeObject *)object)->tp_flags & Py_TPFLAGS_HEAPTYPE ? sizeof(PyHeapTypeObject)
                                                                        : sizeof(PyTypeObject);
    Running running;
    if (internals_generator(object, &running))
        return basic + (size_t)(running.code->co_nlocalsplus + running.code->co_stacksize) * sizeof(void *);
    /* Not every type with items keeps their number where it belongs: only these are believed. */
    if (PyTuple_Check(object) || PyBytes_Check(object) || PyMemoryView_Check(object))
        return basic + (size_t)type->tp_itemsize * (size_t)Py_SIZE(object);
    return basic;
}

size_t size_of(PyObject *object) {
    return without_head(object) + internals_before(object);
}
