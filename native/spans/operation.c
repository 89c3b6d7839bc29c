#include "operation.h"

#include "../python/args.h"
#include "protobuf.h"
#include "../core/recorder.h"
#include "../python/text.h"

static int encode_name(Operation *self) {
    size_t size = text_size(self->name, recorder.max_value_bytes);
    uint8_t *at = buffer_reserve(&self->name_and_kind, field_size(size) + 2);
    if (!at) {
        PyErr_NoMemory();
        return -1;
    }
    at = put_text(put_head(at, SPAN_NAME, size), self->name, size);
    *at++ = SPAN_KIND;
    *at = (uint8_t)self->kind;
    self->name_and_kind.used = (uint32_t)field_size(size) + 2;
    return 0;
}

PyObject *operation_make(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count,
                         PyObject *names) {
    static const char *const parameters[] = {"name", "kind", "attributes", NULL};
    static const Signature signature = {"operation", parameters, 2, 3};
    PyObject *given[3];
    if (args_read(&signature, args, count, names, given) < 0)
        return NULL;
    if (!is_text(given[0]))
        return PyErr_Format(PyExc_TypeError, "a text is needed, not %s", Py_TYPE(given[0])->tp_name);
    long kind = PyLong_AsLong(given[1]);
    if (kind == -1 && PyErr_Occurred())
        return NULL;
    if (kind < INTERNAL || kind > CONSUMER)
        return PyErr_Format(PyExc_ValueError, "kind %ld; OTLP knows 1 to 5", kind);

    Operation *self = PyObject_New(Operation, &OperationType);
    if (!self)
        return NULL;
    self->name = Py_NewRef(given[0]);
    self->kind = (int)kind;
    self->name_and_kind = (Buffer){0};
    self->constants = (Attributes){0};
    if (encode_name(self) < 0 ||
        (given[2] && given[2] != Py_None &&
         attributes_put_all(&self->constants, SPAN_ATTRIBUTES, given[2], recorder.max_value_bytes) < 0)) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static void dealloc(Operation *self) {
    Py_XDECREF(self->name);
    buffer_clear(&self->name_and_kind);
    attributes_clear(&self->constants);
    PyObject_Free(self);
}

static PyObject *repr(Operation *self) {
    return PyUnicode_FromFormat("<Operation %R>", self->name);
}

static PyObject *get_name(Operation *self, void *Py_UNUSED(closure)) {
    return Py_NewRef(self->name);
}

static PyObject *get_kind(Operation *self, void *Py_UNUSED(closure)) {
    return PyLong_FromLong(self->kind);
}

static PyGetSetDef properties[] = {
    {"name", (getter)get_name, NULL, "Name of its spans.", NULL},
    {"kind", (getter)get_kind, NULL, "SpanKind of its spans.", NULL},
    {0},
};

PyTypeObject OperationType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "sonde.probe.core._core.Operation",
    .tp_doc = "Name, kind and constant attributes of the spans made with it. Made by `operation`.",
    .tp_basicsize = sizeof(Operation),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = (destructor)dealloc,
    .tp_repr = (reprfunc)repr,
    .tp_getset = properties,
};

int operation_type_ready(void) {
    return PyType_Ready(&OperationType);
}
