#include "context.h"

static PyObject *variable;

int context_init(void) {
    if (!variable)
        variable = PyContextVar_New("sonde_current_span", Py_None);
    return variable ? 0 : -1;
}

PyObject *context_variable(void) {
    return variable;
}

Span *context_current(void) {
    PyObject *value;
    if (PyContextVar_Get(variable, NULL, &value) < 0) {
        PyErr_Clear();
        return NULL;
    }
    if (value == Py_None) {
        Py_DECREF(value);
        return NULL;
    }
    return (Span *)value;
}

static bool set_current(Span *span) {
    PyObject *token = PyContextVar_Set(variable, span ? (PyObject *)span : Py_None);
    if (!token) {
        PyErr_Clear();
        return false;
    }
    Py_DECREF(token);
    return true;
}

/* Takes a reference to `span` and returns one; NULL in, NULL out. */
static Span *reachable(Span *span) {
    while (span && span->left_behind) {
        Span *previous = (Span *)Py_XNewRef((PyObject *)span->previous);
        Py_DECREF(span);
        span = previous;
    }
    return span;
}

void context_enter(Span *span) {
    Span *previous = reachable(context_current());
    if (!set_current(span)) {
        Py_XDECREF(previous);
        return;
    }
    span->previous = previous;
    span->scoped = true;
}

void context_leave(Span *span) {
    Span *now = context_current();
    if (now == span) {
        Span *back = reachable(span->previous);
        span->previous = NULL;
        set_current(back);
        Py_XDECREF(back);
    } else {
        span->left_behind = true;
    }
    Py_XDECREF(now);
}
