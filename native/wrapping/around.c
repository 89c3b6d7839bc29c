#include "around.h"

#include <structmember.h>

#include "../spans/context.h"
#include "../python/errors.h"
#include "following.h"
#include "../core/recorder.h"
#include "starts.h"

/* -- the span -- */

/* Our own exception is set: tell the plugins' `fault`, which looks at the one being handled. */
int around_fault(Around *self) {
    if (!PyErr_ExceptionMatches(PyExc_Exception))
        return -1;
    PyObject *error = error_taken(), *before = PyErr_GetHandledException();
    PyErr_SetHandledException(error);
    PyObject *answer = PyObject_CallOneArg(self->fault, self->place);
    PyErr_SetHandledException(before);
    Py_XDECREF(error);
    Py_XDECREF(before);
    Py_XDECREF(answer);
    return answer ? 0 : -1;
}

static Span *span_of(PyObject *started) {
    if (Py_TYPE(started) == &SpanType)
        return (Span *)Py_NewRef(started);
    if (Py_TYPE(started) != &OperationType) {
        PyErr_Format(PyExc_TypeError, "an Operation or a Span is needed, not %.100s",
                     Py_TYPE(started)->tp_name);
        return NULL;
    }
    Span *parent = context_current();
    Span *span = span_new((Operation *)started, parent, NULL);
    Py_XDECREF(parent);
    return span;
}

/* Ask the plugin for a span: into `span` a new reference, or NULL for none. Returns 0, or -1 with an
 * exception set. */
static int around_begin(Around *self, PyObject *const *args, size_t count, PyObject *names, Span **span) {
    *span = NULL;
    if (!recorder.on)
        return 0;
    PyObject *started = Py_TYPE(self->start) == &StartType
                            ? ((Start *)self->start)->begin((Start *)self->start, args, count, names)
                            : PyObject_Vectorcall(self->start, args, count, names);
    if (started == Py_None) {
        Py_DECREF(started);
        return 0;
    }
    if (started) {
        *span = span_of(started);
        Py_DECREF(started);
    }
    return *span ? 0 : around_fault(self);
}

/* The call returned `value`: end the span. Takes the reference to it. Returns 0, or -1 with an exception set.
 */
static int around_returned(Around *self, Span *span, PyObject *value) {
    int outcome = 0;
    if (self->result != Py_None) {
        PyObject *given[] = {(PyObject *)span, value};
        PyObject *answer = PyObject_Vectorcall(self->result, given, 2, NULL);
        outcome = answer ? 0 : around_fault(self);
        Py_XDECREF(answer);
    }
    if (outcome == 0)
        outcome = span_finish(span);
    Py_DECREF(span);
    return outcome;
}

/* The call raised, the exception is set: end the span with it. Takes the reference to it. It is set
 * afterwards, too. */
static void around_raised(Around *self, Span *span) {
    PyObject *error = error_taken();
    PyObject *given[] = {(PyObject *)span, error, self->place};
    PyObject *answer = PyObject_Vectorcall(self->failed, given, 3, NULL);
    if (answer)
        error_raise(error);
    else
        Py_DECREF(error); /* only while debugging */
    Py_XDECREF(answer);
    Py_DECREF(span);
}

/* -- calls -- */

static PyObject *call(Around *self, PyObject *const *args, size_t count, PyObject *names) {
    Span *span;
    if (around_begin(self, args, count, names, &span) < 0)
        return NULL;
    PyObject *value = PyObject_Vectorcall(self->wrapped, args, count, names);
    if (!span)
        return value;
    if (!value)
        around_raised(self, span);
    else if (around_returned(self, span, value) < 0)
        Py_CLEAR(value);
    return value;
}

static Around *owner(Following *coroutine) {
    return (Around *)coroutine->owner;
}

static Span *taken_span(Following *coroutine) {
    Span *span = (Span *)coroutine->state;
    coroutine->state = NULL;
    return span;
}

static int coroutine_begins(Following *coroutine) {
    Span *span;
    int outcome = around_begin(owner(coroutine), coroutine->args, (size_t)coroutine->positional,
                               coroutine->names, &span);
    coroutine->state = (PyObject *)span;
    return outcome;
}

static PyObject *coroutine_returned(Following *coroutine, PyObject *value) {
    Span *span = taken_span(coroutine);
    if (span && around_returned(owner(coroutine), span, value) < 0)
        Py_CLEAR(value);
    return value;
}

static void coroutine_raised(Following *coroutine) {
    Span *span = taken_span(coroutine);
    if (span)
        around_raised(owner(coroutine), span);
}

static const Steps steps = {
    .begin = coroutine_begins, .returned = coroutine_returned, .raised = coroutine_raised};

static PyObject *call_async(Around *self, PyObject *const *args, size_t count, PyObject *names) {
    PyObject *coroutine = PyObject_Vectorcall(self->wrapped, args, count, names);
    if (!coroutine || !recorder.on)
        return coroutine;
    return following_new(&steps, (PyObject *)self, coroutine, args, PyVectorcall_NARGS(count), names);
}

/* -- the object -- */

PyObject *around_new(PyObject *const *args, vectorcallfunc how) {
    PyObject *place = PyObject_GetAttrString(args[0], "__qualname__");
    Around *self = place ? PyObject_GC_New(Around, &AroundType) : NULL;
    if (!self) {
        Py_XDECREF(place);
        return NULL;
    }
    self->call = how;
    self->wrapped = Py_NewRef(args[0]);
    self->start = Py_NewRef(args[1]);
    self->result = Py_NewRef(args[2]);
    self->failed = Py_NewRef(args[3]);
    self->fault = Py_NewRef(args[4]);
    self->place = place;
    self->attributes = self->weakrefs = NULL;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static PyObject *make(PyObject *const *args, Py_ssize_t count, vectorcallfunc how) {
    if (count != 5)
        return PyErr_Format(PyExc_TypeError, "wrapped, start, result, failed and fault are needed");
    return around_new(args, how);
}

PyObject *around_make(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    return make(args, count, (vectorcallfunc)(void (*)(void))call);
}

PyObject *around_make_async(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    return make(args, count, (vectorcallfunc)(void (*)(void))call_async);
}

static int traverse(Around *self, visitproc visit, void *arg) {
    Py_VISIT(self->wrapped);
    Py_VISIT(self->start);
    Py_VISIT(self->result);
    Py_VISIT(self->failed);
    Py_VISIT(self->fault);
    Py_VISIT(self->attributes);
    return 0;
}

static int clear(Around *self) {
    Py_CLEAR(self->attributes);
    return 0; /* the rest stays: it may be called while a cycle is being taken apart */
}

static void dealloc(Around *self) {
    PyObject_GC_UnTrack(self);
    if (self->weakrefs)
        PyObject_ClearWeakRefs((PyObject *)self);
    Py_DECREF(self->wrapped);
    Py_DECREF(self->start);
    Py_DECREF(self->result);
    Py_DECREF(self->failed);
    Py_DECREF(self->fault);
    Py_DECREF(self->place);
    Py_XDECREF(self->attributes);
    PyObject_GC_Del(self);
}

/* As functions do: found in an instance, it is bound. */
static PyObject *bind(PyObject *self, PyObject *instance, PyObject *Py_UNUSED(type)) {
    return !instance || instance == Py_None ? Py_NewRef(self) : PyMethod_New(self, instance);
}

/* What it has not itself (__code__, __defaults__) it has from the function. */
static PyObject *get_attribute(Around *self, PyObject *name) {
    PyObject *found = PyObject_GenericGetAttr((PyObject *)self, name);
    if (found || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return found;
    PyErr_Clear();
    return PyObject_GetAttr(self->wrapped, name);
}

static PyObject *repr(Around *self) {
    return PyObject_Repr(self->wrapped);
}

/* Pickled as functions are, by name. */
static PyObject *reduce(PyObject *self, PyObject *Py_UNUSED(nothing)) {
    return PyObject_GetAttrString(self, "__qualname__");
}

static PyMethodDef methods[] = {
    {"__reduce__", METHOD(reduce), METH_NOARGS, NULL},
    {0},
};

static PyGetSetDef properties[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {0},
};

PyTypeObject AroundType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "sonde.probe.core._core.Around",
    .tp_basicsize = sizeof(Around),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
                Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_vectorcall_offset = offsetof(Around, call),
    .tp_dictoffset = offsetof(Around, attributes),
    .tp_weaklistoffset = offsetof(Around, weakrefs),
    .tp_call = PyVectorcall_Call,
    .tp_descr_get = bind,
    .tp_getattro = (getattrofunc)get_attribute,
    .tp_repr = (reprfunc)repr,
    .tp_methods = methods,
    .tp_getset = properties,
    .tp_traverse = (traverseproc)traverse,
    .tp_clear = (inquiry)clear,
    .tp_dealloc = (destructor)dealloc,
};

int around_types_ready(void) {
    return PyType_Ready(&AroundType) < 0 ? -1 : following_type_ready();
}
