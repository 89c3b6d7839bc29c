#include "span.h"

#include "../python/args.h"
#include "clock.h"
#include "context.h"
#include "../core/counters.h"
#include "../requests/headers.h"
#include "hex.h"
#include "protobuf.h"
#include "../core/recorder.h"
#include "../sending/rings.h"
#include "span_events.h"
#include "span_later.h"
#include "../python/text.h"
#include "unsampled.h"

/* -- life -- */

enum { MAX_FREE = 128 };

static Span *free_spans[MAX_FREE];
static int free_count;

static Span *allocate(void) {
    if (!free_count)
        return PyObject_New(Span, &SpanType);
    return (Span *)PyObject_Init((PyObject *)free_spans[--free_count], &SpanType);
}

static void give_back(Span *self) {
#ifndef __SANITIZE_ADDRESS__ /* a free list would hide from it who uses what after its end */
    if (free_count < MAX_FREE) {
        free_spans[free_count++] = self;
        return;
    }
#endif
    PyObject_Free(self);
}

static uint16_t sampled_flag(const Span *self) {
    return unsampled_decides(self->trace_id) ? FLAG_SAMPLED : 0;
}

static void take_parent(Span *self, const Span *parent) {
    memcpy(self->trace_id, parent->trace_id, TRACE_ID_BYTES);
    memcpy(self->parent_id, parent->span_id, SPAN_ID_BYTES);
    self->flags = parent->flags & 0xff;
    self->carried = Py_XNewRef(parent->carried);
    self->recording = self->recording && !parent->silent;
    self->silent = parent->silent;
    if (!(self->flags & FLAG_SAMPLED) && self->recording)
        unsampled_join(self, parent);
}

static void take_remote(Span *self, const Remote *remote) {
    memcpy(self->trace_id, remote->parent.trace_id, TRACE_ID_BYTES);
    memcpy(self->parent_id, remote->parent.span_id, SPAN_ID_BYTES);
    uint16_t sampled = recorder.follows_parent ? remote->parent.flags & FLAG_SAMPLED : sampled_flag(self);
    self->flags = (remote->parent.flags & FLAG_RANDOM) | sampled | FLAG_PARENT_REMOTE;
    self->carried = Py_XNewRef(remote->carried);
}

static void take_origin(Span *self, const Span *parent, const Remote *remote) {
    self->has_parent = parent || remote;
    self->recording = recorder.on;
    if (parent) {
        take_parent(self, parent);
    } else if (remote) {
        take_remote(self, remote);
    } else {
        ids_new_trace(self->trace_id);
        self->flags = sampled_flag(self);
    }
    ids_new_span(self->span_id);
}

static bool is_request(const Span *self) {
    return self->recording && (self->operation->kind == SERVER || self->operation->kind == CONSUMER);
}

Span *span_new(Operation *operation, const Span *parent, const Remote *remote) {
    Span *self = allocate();
    if (!self)
        return NULL;
    memset((char *)self + sizeof(PyObject), 0, sizeof(Span) - sizeof(PyObject));
    self->operation = (Operation *)Py_NewRef((PyObject *)operation);
    take_origin(self, parent, remote);
    self->generation = recorder.generation;
    if (self->recording)
        count_alone(&counter_values[COUNT_opened]);
    else
        self->flags &= (uint16_t)~FLAG_SAMPLED;
    if (is_request(self))
        count_alone(&counter_values[COUNT_requests]);
    self->start_ns = clock_monotonic_ns();
    self->start_unix_ns = clock_unix_ns(self->start_ns);
    return self;
}

static void clear_buffers(Span *self) {
    attributes_clear(&self->attributes);
    if (self->later.used)
        later_clear(self);
    buffer_clear(&self->more);
    buffer_clear(&self->status);
    Py_CLEAR(self->name);
}

/* A chain of scopes that were never finished may be long: no recursion over it. */
static void drop_previous(Span *self) {
    Span *previous = self->previous;
    self->previous = NULL;
    while (previous && Py_REFCNT(previous) == 1) {
        Span *next = previous->previous;
        previous->previous = NULL;
        Py_DECREF(previous);
        previous = next;
    }
    Py_XDECREF(previous);
}

static void dealloc(Span *self) {
    drop_previous(self);
    if (!self->finished && is_request(self) && self->generation == recorder.generation)
        count_alone(&counter_values[COUNT_requests_ended]);
    if (self->waiters)
        unsampled_forget(self);
    Py_CLEAR(self->root);
    Py_CLEAR(self->carried);
    if (!self->finished) /* then they are empty, and stay so */
        clear_buffers(self);
    Py_CLEAR(self->operation);
    give_back(self);
}

static int record(Span *self, uint64_t end_ns) {
    if (self->generation != recorder.generation) {
        count(COUNT_dropped_inherited);
        return 0;
    }
    if (!(self->flags & FLAG_SAMPLED))
        return unsampled_finished(self, end_ns);
    Ring *ring = rings_mine();
    return ring ? recorder_wrote(ring, span_write(self, end_ns, ring)) : 0;
}

int span_record(Span *self) {
    if (self->finished)
        return 0;
    uint64_t end_ns = clock_monotonic_ns();
    self->finished = true;
    if (is_request(self))
        count_alone(&counter_values[COUNT_requests_ended]);
    int result = self->recording && recorder.on ? record(self, end_ns) : 0;
    clear_buffers(self);
    return result;
}

int span_finish(Span *self) {
    if (self->scoped) {
        self->scoped = false;
        context_leave(self);
    }
    return span_record(self);
}

/* -- methods -- */

static bool is_open(const Span *self) {
    return self->recording && !self->finished;
}

int span_rename(Span *self, PyObject *name) {
    if (!is_open(self))
        return 0;
    if (!is_text(name))
        return recorder_unencodable("a text is needed", name);
    self->name_bytes = text_size(name, recorder.max_value_bytes);
    Py_XSETREF(self->name, Py_NewRef(name));
    return 0;
}

static bool is_status_code(PyObject *key) {
    static const char name[] = "http.response.status_code";
    return PyUnicode_CheckExact(key) && PyUnicode_GET_LENGTH(key) == sizeof name - 1 && is_text(key) &&
           PyUnicode_IS_ASCII(key) && !memcmp(PyUnicode_DATA(key), name, sizeof name - 1);
}

/* 0: it is none. */
static uint16_t code_of(PyObject *value) {
    long code = PyLong_CheckExact(value) ? PyLong_AsLong(value) : 0;
    if (code == -1 && PyErr_Occurred())
        PyErr_Clear();
    return code > 0 && code < 1000 ? (uint16_t)code : 0;
}

int span_set(Span *self, PyObject *key, PyObject *value) {
    if (!is_open(self))
        return 0;
    if (is_status_code(key))
        self->status_code = code_of(value);
    if (!(self->flags & FLAG_SAMPLED) && later_put(self, key, value))
        return 0;
    if (self->later.used)
        later_encode(self);
    switch (attributes_put(&self->attributes, SPAN_ATTRIBUTES, key, value, recorder.max_value_bytes,
                           MAX_ATTRIBUTES, MAX_FIELD_BYTES)) {
    case PUT_UNENCODABLE:
        return recorder_unencodable("no attribute", value);
    case PUT_NO_ROOM:
        self->dropped_attributes++;
        count(COUNT_dropped_attributes);
        break;
    case PUT_DONE:
        break;
    }
    return 0;
}

static PyObject *none_or_error(int result) {
    if (result < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *method_set(Span *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const char *const parameters[] = {"key", "value", NULL};
    static const Signature signature = {"set", parameters, 2, 2};
    PyObject *given[2];
    if (count == 2 && !names)
        return none_or_error(span_set(self, args[0], args[1]));
    if (args_read(&signature, args, count, names, given) < 0)
        return NULL;
    return none_or_error(span_set(self, given[0], given[1]));
}

static PyObject *method_set_many(Span *self, PyObject *values) {
    if (!is_open(self))
        Py_RETURN_NONE;
    PyObject *items = PyMapping_Items(values);
    if (!items)
        return none_or_error(recorder_fault());
    int result = 0;
    for (Py_ssize_t at = 0; at < PyList_GET_SIZE(items) && result == 0; at++) {
        PyObject *item = PyList_GET_ITEM(items, at);
        if (PyTuple_Check(item) && PyTuple_GET_SIZE(item) == 2)
            result = span_set(self, PyTuple_GET_ITEM(item, 0), PyTuple_GET_ITEM(item, 1));
        else
            result = recorder_unencodable("no item of a mapping", item);
    }
    Py_DECREF(items);
    return none_or_error(result);
}

static PyObject *method_rename(Span *self, PyObject *name) {
    return none_or_error(span_rename(self, name));
}

static PyObject *method_finish(Span *self, PyObject *Py_UNUSED(nothing)) {
    return none_or_error(span_finish(self));
}

static PyObject *method_traceparent(Span *self, PyObject *Py_UNUSED(nothing)) {
    return traceparent_text(self->trace_id, self->span_id, (uint8_t)self->flags);
}

static PyObject *method_enter(PyObject *self, PyObject *Py_UNUSED(nothing)) {
    return Py_NewRef(self);
}

/* Returns None: the exception goes on. */
static PyObject *method_exit(Span *self, PyObject *const *args, Py_ssize_t count) {
    if (count > 1 && args[1] != Py_None && is_open(self) && span_fail_with(self, args[1], NULL) < 0)
        return NULL;
    return none_or_error(span_finish(self));
}

static PyObject *repr(Span *self) {
    PyObject *header = method_traceparent(self, NULL);
    if (!header)
        return NULL;
    PyObject *text = PyUnicode_FromFormat("<Span %R %U%s>", self->operation->name, header,
                                          self->finished ? " finished" : "");
    Py_DECREF(header);
    return text;
}

/* -- properties -- */

static PyObject *hex_text(const uint8_t *id, Py_ssize_t size) {
    PyObject *text = PyUnicode_New(2 * size, 127);
    if (text)
        put_hex((char *)PyUnicode_1BYTE_DATA(text), id, (size_t)size);
    return text;
}

static PyObject *get_trace_id(Span *self, void *Py_UNUSED(closure)) {
    return hex_text(self->trace_id, TRACE_ID_BYTES);
}

static PyObject *get_span_id(Span *self, void *Py_UNUSED(closure)) {
    return hex_text(self->span_id, SPAN_ID_BYTES);
}

static PyObject *get_parent_span_id(Span *self, void *Py_UNUSED(closure)) {
    return hex_text(self->parent_id, self->has_parent ? SPAN_ID_BYTES : 0);
}

static PyObject *get_finished(Span *self, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(self->finished);
}

static PyObject *get_recording(Span *self, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(self->recording);
}

static PyObject *get_operation(Span *self, void *Py_UNUSED(closure)) {
    return Py_NewRef(self->operation);
}

static PyObject *get_sampled(Span *self, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(self->flags & FLAG_SAMPLED);
}

static PyObject *get_carried(Span *self, void *Py_UNUSED(closure)) {
    return Py_NewRef(self->carried ? self->carried : Py_None);
}

static int set_carried(Span *self, PyObject *value, void *Py_UNUSED(closure)) {
    Py_XSETREF(self->carried, value && value != Py_None ? Py_NewRef(value) : NULL);
    return 0;
}

static PyGetSetDef properties[] = {
    {"trace_id", (getter)get_trace_id, NULL, "32 hex digits.", NULL},
    {"span_id", (getter)get_span_id, NULL, "16 hex digits.", NULL},
    {"parent_span_id", (getter)get_parent_span_id, NULL, "16 hex digits; empty for the root of a trace.",
     NULL},
    {"finished", (getter)get_finished, NULL, "Whether it has ended.", NULL},
    {"recording", (getter)get_recording, NULL, "False for a span made while the probe was off.", NULL},
    {"operation", (getter)get_operation, NULL, "What it was made with.", NULL},
    {"sampled", (getter)get_sampled, NULL, "Whether its trace is sampled.", NULL},
    {"carried", (getter)get_carried, (setter)set_carried, "What goes on with its calls.", NULL},
    {0},
};

static PyMethodDef methods[] = {
    {"set", METHOD(method_set), METH_FASTCALL | METH_KEYWORDS, "Record an attribute."},
    {"set_many", METHOD(method_set_many), METH_O, "Record several attributes."},
    {"rename", METHOD(method_rename), METH_O, "Give it another name than its operation's."},
    {"event", METHOD(span_event), METH_FASTCALL | METH_KEYWORDS, "Record that something happened now."},
    {"link", METHOD(span_link), METH_FASTCALL | METH_KEYWORDS, "Point at a span of another trace."},
    {"fail", METHOD(span_fail), METH_FASTCALL | METH_KEYWORDS, "Mark it failed."},
    {"finish", METHOD(method_finish), METH_NOARGS, "End it and hand it to the sender."},
    {"traceparent", METHOD(method_traceparent), METH_NOARGS,
     "The header that makes a callee continue this trace."},
    {"headers", METHOD(span_headers), METH_FASTCALL, "The headers that make a callee continue this trace."},
    {"into_lines", METHOD(span_into_lines), METH_FASTCALL, "Append them to a list of lines."},
    {"into_pairs", METHOD(span_into_pairs), METH_FASTCALL, "Append them to a list of pairs of bytes."},
    {"__enter__", METHOD(method_enter), METH_NOARGS, NULL},
    {"__exit__", METHOD(method_exit), METH_FASTCALL, NULL},
    {0},
};

PyTypeObject SpanType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "sonde.probe.core._core.Span",
    .tp_doc = "Made by `leaf` or `scope`, ended by `finish` or by leaving its `with` block.",
    .tp_basicsize = sizeof(Span),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = (destructor)dealloc,
    .tp_repr = (reprfunc)repr,
    .tp_methods = methods,
    .tp_getset = properties,
};

int span_type_ready(void) {
    return PyType_Ready(&SpanType);
}
