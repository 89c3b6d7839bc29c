#include "scopes.h"

#include "../python/args.h"
#include "context.h"
#include "../core/counters.h"
#include "../core/recorder.h"

static int read_operation(PyObject *given, Operation **operation) {
    if (Py_TYPE(given) != &OperationType) {
        PyErr_Format(PyExc_TypeError, "an Operation is needed, not %.100s", Py_TYPE(given)->tp_name);
        return -1;
    }
    *operation = (Operation *)given;
    return 0;
}

static PyObject *named(Span *span, PyObject *name) {
    if (span && name && name != Py_None && span_rename(span, name) < 0)
        Py_CLEAR(span);
    return (PyObject *)span;
}

PyObject *scopes_leaf(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const char *const parameters[] = {"op", "name", NULL};
    static const Signature signature = {"leaf", parameters, 1, 2};
    PyObject *given[2];
    Operation *operation;
    if (args_read(&signature, args, count, names, given) < 0 || read_operation(given[0], &operation) < 0)
        return NULL;
    Span *parent = context_current();
    Span *span = span_new(operation, parent, NULL);
    Py_XDECREF(parent);
    return named(span, given[1]);
}

/* A traceparent, or (trace id, span id, flags, carried) with the ids as bytes. */
static bool read_remote(PyObject *given, Remote *remote) {
    *remote = (Remote){0};
    if (!PyTuple_CheckExact(given))
        return traceparent_parse(given, &remote->parent);
    if (PyTuple_GET_SIZE(given) != 4)
        return false;
    PyObject *trace = PyTuple_GET_ITEM(given, 0), *span = PyTuple_GET_ITEM(given, 1),
             *carried = PyTuple_GET_ITEM(given, 3);
    if (!PyBytes_Check(trace) || PyBytes_GET_SIZE(trace) != TRACE_ID_BYTES || !PyBytes_Check(span) ||
        PyBytes_GET_SIZE(span) != SPAN_ID_BYTES || !PyLong_Check(PyTuple_GET_ITEM(given, 2)))
        return false;
    memcpy(remote->parent.trace_id, PyBytes_AS_STRING(trace), TRACE_ID_BYTES);
    memcpy(remote->parent.span_id, PyBytes_AS_STRING(span), SPAN_ID_BYTES);
    remote->parent.flags = (uint8_t)PyLong_AsLong(PyTuple_GET_ITEM(given, 2));
    remote->carried = carried == Py_None ? NULL : carried;
    return true;
}

/* A trace begins here, though something came with the request. */
static Span *new_root(Operation *operation, PyObject *carried) {
    Span *span = span_new(operation, NULL, NULL);
    if (span && carried != Py_None)
        span->carried = Py_NewRef(carried);
    return span;
}

static bool has_no_parent(PyObject *given) {
    return PyTuple_CheckExact(given) && PyTuple_GET_SIZE(given) == 4 &&
           PyBytes_Check(PyTuple_GET_ITEM(given, 0)) && !PyBytes_GET_SIZE(PyTuple_GET_ITEM(given, 0));
}

static Span *new_scope(Operation *operation, PyObject *header) {
    Remote remote;
    Span *parent = context_current();
    if (header && header != Py_None && !(parent && parent->silent)) {
        Py_XDECREF(parent);
        if (has_no_parent(header))
            return new_root(operation, PyTuple_GET_ITEM(header, 3));
        if (read_remote(header, &remote))
            return span_new(operation, NULL, &remote);
        count(COUNT_malformed_headers);
        return span_new(operation, NULL, NULL);
    }
    bool entry = operation->kind == SERVER || operation->kind == CONSUMER;
    Span *span = span_new(operation, parent && parent->finished && entry ? NULL : parent, NULL);
    Py_XDECREF(parent);
    return span;
}

Span *scope_begin(Operation *operation, PyObject *remote) {
    Span *span = new_scope(operation, remote);
    if (span && span->recording)
        context_enter(span);
    return span;
}

PyObject *scopes_scope(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count,
                       PyObject *names) {
    static const char *const parameters[] = {"op", "name", "remote", NULL};
    static const Signature signature = {"scope", parameters, 1, 3};
    PyObject *given[3];
    Operation *operation;
    if (args_read(&signature, args, count, names, given) < 0 || read_operation(given[0], &operation) < 0)
        return NULL;
    return named(scope_begin(operation, given[2]), given[1]);
}

Span *scope_silence(Operation *operation) {
    Span *span = span_new(operation, NULL, NULL);
    if (span) {
        span->recording = false;
        span->silent = true;
        context_enter(span);
    }
    return span;
}

PyObject *scopes_silence(PyObject *Py_UNUSED(module), PyObject *given) {
    Operation *operation;
    return read_operation(given, &operation) < 0 ? NULL : (PyObject *)scope_silence(operation);
}

/* The client span that is the current one and runs: a library above is making a call. */
PyObject *scopes_calling(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    Span *span = context_current();
    if (span && !span->finished && span->operation->kind == CLIENT)
        return (PyObject *)span;
    Py_XDECREF(span);
    Py_RETURN_NONE;
}

PyObject *scopes_sample(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "rate, slow_ms and follows_parent are needed");
        return NULL;
    }
    double rate = PyFloat_AsDouble(args[0]), slow_ms = PyFloat_AsDouble(args[1]);
    int follows = PyObject_IsTrue(args[2]);
    if (PyErr_Occurred() || follows < 0)
        return NULL;
    const double all = (double)(1ull << 56);
    recorder.sampled_from = rate >= 1 ? 0 : rate <= 0 ? UINT64_MAX : (uint64_t)((1 - rate) * all);
    recorder.slow_ns = slow_ms > 0 && slow_ms < 1e12 ? (uint64_t)(slow_ms * 1e6) : UINT64_MAX;
    recorder.follows_parent = follows;
    Py_RETURN_NONE;
}

PyObject *scopes_current(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    Span *span = context_current();
    return span ? (PyObject *)span : Py_NewRef(Py_None);
}
