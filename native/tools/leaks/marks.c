#include "marks.h"

#include <stddef.h>

enum { OVER = 1024 };

uint32_t marks_open;
struct MarksSeen marks_seen = {.thread = UINT64_MAX};

static PyObject *variable;
static Loop *first;
static uint32_t last_number;
static uint32_t over[OVER], over_count; /* one too many: its loop is judged when its time is up */

static void look_again(void) {
    marks_seen.thread = UINT64_MAX;
}

uint32_t marks_look(const PyThreadState *thread) {
    PyObject *value = NULL;
    uint32_t number = 0;
    if (thread->context && PyContextVar_Get(variable, Py_None, &value) == 0 && value) {
        if (Py_TYPE(value) == &LoopType)
            number = ((Loop *)value)->number;
        Py_DECREF(value);
    }
    marks_seen.thread = thread->id;
    marks_seen.version = thread->context_ver;
    marks_seen.loop = number;
    return number;
}

uint32_t marks_begin(Loop *loop) {
    if (loop->number)
        return 0;
    loop->number = ++last_number;
    loop->before = NULL;
    loop->after = first;
    if (first)
        first->before = loop;
    first = loop;
    marks_open++;
    look_again();
    return loop->number;
}

static void end(Loop *loop) {
    if (!loop->number)
        return;
    if (loop->before)
        loop->before->after = loop->after;
    else
        first = loop->after;
    if (loop->after)
        loop->after->before = loop->before;
    loop->number = 0;
    loop->before = loop->after = NULL;
    marks_open--;
    look_again();
}

void marks_expire(uint32_t number) {
    for (Loop *loop = first; loop; loop = loop->after)
        if (loop->number == number) {
            end(loop);
            return;
        }
}

void marks_reset(void) {
    while (first)
        end(first);
    last_number = over_count = 0;
}

static int set(PyObject *value) {
    PyObject *token = PyContextVar_Set(variable, value);
    Py_XDECREF(token);
    look_again();
    return token ? 0 : -1;
}

static Loop *held(void) {
    PyObject *value = NULL;
    if (PyContextVar_Get(variable, NULL, &value) < 0)
        return NULL;
    if (value && Py_TYPE(value) != &LoopType)
        Py_CLEAR(value);
    return (Loop *)value;
}

PyObject *marks_enter(PyObject *Py_UNUSED(module), PyObject *loop) {
    if (Py_TYPE(loop) != &LoopType) {
        PyErr_SetString(PyExc_TypeError, "a Loop is needed");
        return NULL;
    }
    return set(loop) < 0 ? NULL : Py_NewRef(Py_None);
}

PyObject *marks_leave(PyObject *Py_UNUSED(module), PyObject *loop) {
    Loop *now = held();
    bool is = now && (PyObject *)now == loop;
    Py_XDECREF(now);
    if (PyErr_Occurred() || (is && set(Py_None) < 0))
        return NULL;
    return PyBool_FromLong(is);
}

PyObject *marks_current_loop(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    Loop *now = held();
    if (!now && PyErr_Occurred())
        return NULL;
    return now ? (PyObject *)now : Py_NewRef(Py_None);
}

PyObject *marks_over(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    uint32_t ended[OVER], count = over_count;
    memcpy(ended, over, count * sizeof *over);
    over_count = 0; /* while the list is made, more may end */
    PyObject *numbers = PyList_New(count);
    for (uint32_t at = 0; numbers && at < count; at++) {
        PyObject *number = PyLong_FromUnsignedLong(ended[at]);
        if (number)
            PyList_SET_ITEM(numbers, at, number);
        else
            Py_CLEAR(numbers);
    }
    return numbers;
}

/* -- the type -- */

static PyObject *loop_new(PyTypeObject *type, PyObject *args, PyObject *names) {
    if (PyTuple_GET_SIZE(args) || (names && PyDict_GET_SIZE(names))) {
        PyErr_SetString(PyExc_TypeError, "a Loop takes no arguments");
        return NULL;
    }
    return type->tp_alloc(type, 0);
}

static void loop_dealloc(Loop *self) {
    uint32_t number = self->number;
    end(self);
    if (number && over_count < OVER)
        over[over_count++] = number;
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *loop_begin(Loop *self, PyObject *Py_UNUSED(nothing)) {
    return PyLong_FromUnsignedLong(marks_begin(self));
}

static PyObject *loop_number(Loop *self, void *Py_UNUSED(closure)) {
    return PyLong_FromUnsignedLong(self->number);
}

static PyMethodDef methods[] = {
    {"begin", (PyCFunction)(void (*)(void))loop_begin, METH_NOARGS,
     "Count from now on what its contexts allocate. Returns its number, or 0 where it has one."},
    {0},
};

static PyGetSetDef properties[] = {
    {"number", (getter)loop_number, NULL, "0 while it does not count.", NULL},
    {0},
};

PyTypeObject LoopType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "sonde.probe.tools._leaks.Loop",
    .tp_basicsize = sizeof(Loop),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = loop_new,
    .tp_methods = methods,
    .tp_getset = properties,
    .tp_dealloc = (destructor)loop_dealloc,
};

int marks_ready(void) {
    if (!variable)
        variable = PyContextVar_New("sonde_leak_loop", Py_None);
    return variable ? PyType_Ready(&LoopType) : -1;
}
