#include "following.h"

#include <structmember.h>

#include "../python/errors.h"

static PyTypeObject FollowingType;

static void forget_arguments(Following *self) {
    Py_ssize_t count = Py_SIZE(self);
    Py_SET_SIZE(self, 0);
    for (Py_ssize_t at = 0; at < count; at++)
        Py_CLEAR(self->args[at]);
    Py_CLEAR(self->names);
}

PyObject *following_new(const Steps *steps, PyObject *owner, PyObject *inner, PyObject *const *args,
                        Py_ssize_t count, PyObject *names) {
    Py_ssize_t all = count + (names ? PyTuple_GET_SIZE(names) : 0);
    Following *self = PyObject_GC_NewVar(Following, &FollowingType, all);
    if (!self) {
        Py_XDECREF(inner);
        return NULL;
    }
    self->steps = steps;
    self->owner = Py_NewRef(owner);
    self->inner = inner;
    self->state = NULL;
    self->names = Py_XNewRef(names);
    self->weakrefs = NULL;
    self->positional = count;
    self->begun = self->over = false;
    for (Py_ssize_t at = 0; at < all; at++)
        self->args[at] = Py_NewRef(args[at]);
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

/* What stands inside is an iterator from now on, as `await` would make it. */
static int make_iterator(Following *self) {
    if (PyCoro_CheckExact(self->inner))
        return 0;
    PyAsyncMethods *methods = Py_TYPE(self->inner)->tp_as_async;
    if (!methods || !methods->am_await) {
        PyErr_Format(PyExc_TypeError, "object %.100s can't be used in 'await' expression",
                     Py_TYPE(self->inner)->tp_name);
        return -1;
    }
    PyObject *iterator = methods->am_await(self->inner);
    if (!iterator)
        return -1;
    Py_SETREF(self->inner, iterator);
    return 0;
}

/* The inner one raised, or cannot be had. */
static void raised(Following *self) {
    if (!self->over && self->begun)
        self->steps->raised(self);
    self->over = true;
}

static int begin(Following *self) {
    self->begun = true;
    int outcome = self->steps->begin(self);
    forget_arguments(self);
    if (outcome == 0)
        outcome = make_iterator(self);
    if (outcome < 0)
        raised(self);
    return outcome;
}

static PyObject *returned(Following *self, PyObject *value) {
    if (self->over)
        return value;
    self->over = true;
    return self->steps->returned(self, value);
}

static PySendResult send(Following *self, PyObject *value, PyObject **out) {
    *out = NULL;
    if (!self->begun && begin(self) < 0)
        return PYGEN_ERROR;
    if (!self->inner) { /* closed before it began, or it could not begin */
        PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited coroutine");
        return PYGEN_ERROR;
    }
    PySendResult state = PyIter_Send(self->inner, value, out);
    if (state == PYGEN_ERROR) {
        raised(self);
    } else if (state == PYGEN_RETURN) {
        if (!(*out = returned(self, *out)))
            state = PYGEN_ERROR;
    } else if (self->steps->waits && self->steps->waits(self) < 0) {
        Py_CLEAR(*out);
        state = PYGEN_ERROR;
    }
    return state;
}

/* The way of iterators to return something. Takes the reference. */
static void raise_stop_iteration(PyObject *value) {
    /* By an instance: a tuple or an exception as value would be taken for the arguments. */
    PyObject *stop = PyObject_CallOneArg(PyExc_StopIteration, value);
    Py_DECREF(value);
    if (stop)
        error_raise(stop);
}

static PyObject *step(Following *self, PyObject *value) {
    PyObject *out;
    PySendResult state = send(self, value, &out);
    if (state == PYGEN_RETURN) {
        raise_stop_iteration(out);
        return NULL;
    }
    return state == PYGEN_NEXT ? out : NULL;
}

static PyObject *next(Following *self) {
    return step(self, Py_None);
}

/* `throw` of what stands inside; of nothing, the exception itself. */
static PyObject *thrown(Following *self, PyObject *const *args, Py_ssize_t count) {
    if (!self->inner) {
        if (count > 0 && PyExceptionInstance_Check(args[0]))
            PyErr_SetObject((PyObject *)Py_TYPE(args[0]), args[0]);
        else
            PyErr_SetObject(count > 0 ? args[0] : PyExc_TypeError, count > 1 ? args[1] : NULL);
        return NULL;
    }
    PyObject *function = PyObject_GetAttrString(self->inner, "throw");
    PyObject *out = function ? PyObject_Vectorcall(function, args, (size_t)count, NULL) : NULL;
    Py_XDECREF(function);
    return out;
}

static PyObject *method_throw(Following *self, PyObject *const *args, Py_ssize_t count) {
    if (!self->begun)
        self->begun = self->over = true;
    forget_arguments(self);
    PyObject *out = thrown(self, args, count);
    if (out)
        return out;
    if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
        raised(self);
        return NULL;
    }
    PyObject *stop = error_taken();
    PyObject *value = returned(self, Py_NewRef(((PyStopIterationObject *)stop)->value));
    Py_DECREF(stop);
    if (value)
        raise_stop_iteration(value);
    return NULL;
}

/* Given up from outside. An exception that is set is none of ours, and stays. */
static void give_up(Following *self) {
    if (!self->begun || self->over)
        return;
    PyObject *before = PyErr_Occurred() ? error_taken() : NULL;
    PyErr_SetNone(PyExc_GeneratorExit);
    raised(self);
    if (PyErr_ExceptionMatches(PyExc_GeneratorExit))
        PyErr_Clear();
    else
        PyErr_WriteUnraisable(self->owner); /* only while debugging */
    if (before)
        error_raise(before);
}

static PyObject *method_close(Following *self, PyObject *Py_UNUSED(nothing)) {
    if (!self->begun)
        self->begun = self->over = true;
    forget_arguments(self);
    PyObject *out = self->inner ? PyObject_CallMethod(self->inner, "close", NULL) : Py_NewRef(Py_None);
    give_up(self);
    return out;
}

static PyObject *method_send(Following *self, PyObject *value) {
    return step(self, value);
}

static PyObject *itself(PyObject *self) {
    return Py_NewRef(self);
}

/* cr_frame, cr_await and their like, for those who show tasks. */
static PyObject *get_attribute(Following *self, PyObject *name) {
    PyObject *found = PyObject_GenericGetAttr((PyObject *)self, name);
    if (found || !self->inner || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return found;
    PyErr_Clear();
    return PyObject_GetAttr(self->inner, name);
}

static PyObject *repr(Following *self) {
    if (self->inner)
        return PyObject_Repr(self->inner);
    return PyUnicode_FromFormat("<coroutine object of %R>", self->owner);
}

static int traverse(Following *self, visitproc visit, void *arg) {
    Py_VISIT(self->owner);
    Py_VISIT(self->inner);
    Py_VISIT(self->state);
    for (Py_ssize_t at = 0; at < Py_SIZE(self); at++)
        Py_VISIT(self->args[at]);
    return 0;
}

static int clear(Following *self) {
    forget_arguments(self);
    return 0; /* the inner coroutine breaks its own cycles */
}

static void dealloc(Following *self) {
    PyObject_GC_UnTrack(self);
    if (self->weakrefs)
        PyObject_ClearWeakRefs((PyObject *)self);
    Py_CLEAR(self->inner); /* first: while it is taken down, its calls may still finish something */
    give_up(self);
    forget_arguments(self);
    Py_XDECREF(self->state);
    Py_DECREF(self->owner);
    PyObject_GC_Del(self);
}

static PyAsyncMethods async_methods = {.am_await = itself, .am_send = (sendfunc)send};

static PyMethodDef methods[] = {
    {"send", METHOD(method_send), METH_O, NULL},
    {"throw", METHOD(method_throw), METH_FASTCALL, NULL},
    {"close", METHOD(method_close), METH_NOARGS, NULL},
    {0},
};

static PyTypeObject FollowingType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "sonde.probe.core._core.coroutine",
    .tp_basicsize = offsetof(Following, args),
    .tp_itemsize = sizeof(PyObject *),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_as_async = &async_methods,
    .tp_iter = itself,
    .tp_iternext = (iternextfunc)next,
    .tp_weaklistoffset = offsetof(Following, weakrefs),
    .tp_getattro = (getattrofunc)get_attribute,
    .tp_repr = (reprfunc)repr,
    .tp_methods = methods,
    .tp_traverse = (traverseproc)traverse,
    .tp_clear = (inquiry)clear,
    .tp_dealloc = (destructor)dealloc,
};

int following_type_ready(void) {
    return PyType_Ready(&FollowingType);
}
