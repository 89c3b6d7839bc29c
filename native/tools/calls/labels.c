#include "labels.h"

#include <stdint.h>

static const uintptr_t BY_TYPE = 1; /* in a key: not this class is called, but an object of it */

const void *label_key(PyObject *callable) {
    PyTypeObject *type = Py_TYPE(callable);
    if (PyCFunction_Check(callable))
        return ((PyCFunctionObject *)callable)->m_ml;
    if (type == &PyMethodDescr_Type || type == &PyClassMethodDescr_Type)
        return ((PyMethodDescrObject *)callable)->d_method;
    if (type == &PyFunction_Type)
        return NULL;
    if (type == &PyMethod_Type)
        return label_key(PyMethod_GET_FUNCTION(callable));
    if (PyType_Check(callable))
        return callable;
    return (const void *)((uintptr_t)type | BY_TYPE);
}

/* "collections.deque" of a type, whoever made it. New reference, or NULL with an exception set. */
static PyObject *type_name(PyTypeObject *type) {
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE))
        return PyUnicode_FromString(type->tp_name);
    PyObject *name = ((PyHeapTypeObject *)type)->ht_qualname;
    PyObject *module = type->tp_dict ? PyDict_GetItemString(type->tp_dict, "__module__") : NULL;
    if (!name || !PyUnicode_Check(name))
        return PyUnicode_FromString(type->tp_name);
    if (!module || !PyUnicode_CheckExact(module))
        return Py_NewRef(name);
    return PyUnicode_FromFormat("%U.%U", module, name);
}

/* The class that a method was defined in: `list.append` also of a list's subclass. */
static PyTypeObject *defined_in(PyTypeObject *type, const PyMethodDef *method) {
    while (type->tp_base && type->tp_base != &PyBaseObject_Type) {
        const PyMethodDef *its = type->tp_methods;
        while (its && its->ml_name && its != method)
            its++;
        if (its && its->ml_name)
            break;
        type = type->tp_base;
    }
    return type;
}

static PyObject *c_function_name(PyCFunctionObject *function) {
    const char *name = function->m_ml->ml_name;
    PyObject *self = function->m_self;
    if (function->m_module && PyUnicode_CheckExact(function->m_module))
        return PyUnicode_FromFormat("%U.%s", function->m_module, name);
    if (!self || PyModule_Check(self))
        return PyUnicode_FromString(name);
    PyTypeObject *type = PyType_Check(self) ? (PyTypeObject *)self : Py_TYPE(self);
    PyObject *owner = type_name(defined_in(type, function->m_ml));
    PyObject *whole = owner ? PyUnicode_FromFormat("%U.%s", owner, name) : NULL;
    Py_XDECREF(owner);
    return whole;
}

static PyObject *descriptor_name(PyDescrObject *descriptor) {
    PyObject *owner = type_name(descriptor->d_type);
    PyObject *whole =
        owner ? PyUnicode_FromFormat("%U.%s", owner, ((PyMethodDescrObject *)descriptor)->d_method->ml_name)
              : NULL;
    Py_XDECREF(owner);
    return whole;
}

static PyObject *name_of(PyObject *callable) {
    PyTypeObject *type = Py_TYPE(callable);
    if (PyCFunction_Check(callable))
        return c_function_name((PyCFunctionObject *)callable);
    if (type == &PyMethodDescr_Type || type == &PyClassMethodDescr_Type)
        return descriptor_name((PyDescrObject *)callable);
    if (PyType_Check(callable))
        return type_name((PyTypeObject *)callable);
    PyObject *owner = type_name(type);
    PyObject *whole = owner ? PyUnicode_FromFormat("%U.__call__", owner) : NULL;
    Py_XDECREF(owner);
    return whole;
}

int label_make(PyObject *callable, PyObject **name, PyObject **file, int *line, PyObject **owner) {
    *file = *owner = NULL;
    *line = 0;
    if (PyCode_Check(callable)) {
        PyCodeObject *code = (PyCodeObject *)callable;
        *name = Py_NewRef(code->co_qualname);
        *file = Py_NewRef(code->co_filename);
        *line = code->co_firstlineno;
        *owner = Py_NewRef(callable);
        return 0;
    }
    if (Py_IS_TYPE(callable, &PyMethod_Type))
        callable = PyMethod_GET_FUNCTION(callable);
    *name = name_of(callable);
    if (!*name)
        return -1;
    if (PyType_Check(callable))
        *owner = Py_NewRef(callable);
    else if (!PyCFunction_Check(callable) && !Py_IS_TYPE(callable, &PyMethodDescr_Type) &&
             !Py_IS_TYPE(callable, &PyClassMethodDescr_Type))
        *owner = Py_NewRef((PyObject *)Py_TYPE(callable));
    return 0;
}
