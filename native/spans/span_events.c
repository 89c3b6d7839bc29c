#include "span_events.h"

#include "../python/args.h"
#include "clock.h"
#include "../core/counters.h"
#include "hex.h"
#include "protobuf.h"
#include "../core/recorder.h"
#include "../python/text.h"

enum { STACKTRACE_MAX_BYTES = 8192 }; /* as in failures.py */

/* Room for a field of `size` bytes among the events and links. NULL: the limit is reached. */
static uint8_t *more_room(Span *span, size_t size) {
    if (span->more.used + size > MAX_FIELD_BYTES)
        return NULL;
    return buffer_reserve(&span->more, size);
}

/* -- events -- */

static void append_event(Span *span, PyObject *name, const Attributes *facts) {
    size_t name_size = text_size(name, recorder.max_value_bytes);
    size_t body = 9 + field_size(name_size) + facts->fields.used;
    uint8_t *at = span->events < MAX_EVENTS ? more_room(span, field_size(body)) : NULL;
    if (!at) {
        span->dropped_events++;
        count(COUNT_dropped_events);
        return;
    }
    at = put_head(at, SPAN_EVENTS, body);
    *at++ = EVENT_TIME;
    at = put_fixed64(at, clock_unix_ns(clock_monotonic_ns()));
    at = put_text(put_head(at, EVENT_NAME, name_size), name, name_size);
    put_bytes(at, facts->fields.bytes, facts->fields.used);
    span->more.used += (uint32_t)field_size(body);
    span->events++;
}

PyObject *span_event(Span *span, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const char *const parameters[] = {"name", "attributes", NULL};
    static const Signature signature = {"event", parameters, 1, 2};
    PyObject *given[2];
    if (args_read(&signature, args, count, names, given) < 0)
        return NULL;
    if (!span->recording || span->finished)
        Py_RETURN_NONE;
    Attributes facts = {0};
    int result = 0;
    if (given[1] && given[1] != Py_None &&
        attributes_put_all(&facts, EVENT_ATTRIBUTES, given[1], recorder.max_value_bytes) < 0)
        result = recorder_fault();
    if (result == 0 && !is_text(given[0]))
        result = recorder_unencodable("a text is needed", given[0]);
    else if (result == 0 && !span->finished) /* the mapping's own code may have finished it */
        append_event(span, given[0], &facts);
    attributes_clear(&facts);
    if (result < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* -- links -- */

static bool read_id(PyObject *text, uint8_t *id, size_t size) {
    if (!is_text(text) || PyUnicode_GET_LENGTH(text) != (Py_ssize_t)(2 * size))
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = hex_value(PyUnicode_READ_CHAR(text, 2 * i), true);
        int low = hex_value(PyUnicode_READ_CHAR(text, 2 * i + 1), true);
        if (high < 0 || low < 0)
            return false;
        id[i] = (uint8_t)(high << 4 | low);
    }
    return !all_zero(id, size);
}

PyObject *span_link(Span *span, PyObject *const *args, Py_ssize_t count_, PyObject *names) {
    static const char *const parameters[] = {"trace_id", "span_id", NULL};
    static const Signature signature = {"link", parameters, 2, 2};
    PyObject *given[2];
    if (args_read(&signature, args, count_, names, given) < 0)
        return NULL;
    if (!span->recording || span->finished)
        Py_RETURN_NONE;
    uint8_t trace_id[TRACE_ID_BYTES], span_id[SPAN_ID_BYTES];
    if (!read_id(given[0], trace_id, TRACE_ID_BYTES) || !read_id(given[1], span_id, SPAN_ID_BYTES)) {
        if (recorder_unencodable("no id of a link", given[0]) < 0)
            return NULL;
        Py_RETURN_NONE;
    }
    size_t body = field_size(TRACE_ID_BYTES) + field_size(SPAN_ID_BYTES);
    uint8_t *at = span->links < MAX_LINKS ? more_room(span, field_size(body)) : NULL;
    if (!at) {
        span->dropped_links++;
        count(COUNT_dropped_links);
        Py_RETURN_NONE;
    }
    at = put_field(put_head(at, SPAN_LINKS, body), LINK_TRACE_ID, trace_id, TRACE_ID_BYTES);
    put_field(at, LINK_SPAN_ID, span_id, SPAN_ID_BYTES);
    span->more.used += (uint32_t)field_size(body);
    span->links++;
    Py_RETURN_NONE;
}

/* -- failure -- */

/* failures.describe(error): a tuple (type, message, stacktrace). */
static PyObject *describe(PyObject *error) {
    static PyObject *function;
    if (!function) {
        PyObject *module = PyImport_ImportModule("sonde.probe.core.failures");
        function = module ? PyObject_GetAttrString(module, "describe") : NULL;
        Py_XDECREF(module);
        if (!function)
            return NULL;
    }
    return PyObject_CallOneArg(function, error);
}

static int append_exception(Span *span, PyObject *failure) {
    static const char *const keys[] = {"exception.type", "exception.message", "exception.stacktrace"};
    Attributes facts = {0};
    for (int at = 0; at < 3; at++) {
        PyObject *key = PyUnicode_InternFromString(keys[at]);
        if (!key)
            break;
        size_t limit = at == 2 ? STACKTRACE_MAX_BYTES : recorder.max_value_bytes;
        attributes_put(&facts, EVENT_ATTRIBUTES, key, PyTuple_GET_ITEM(failure, at), limit, MAX_ATTRIBUTES,
                       MAX_FIELD_BYTES);
        Py_DECREF(key);
    }
    PyObject *name = PyErr_Occurred() ? NULL : PyUnicode_InternFromString("exception");
    if (name)
        append_event(span, name, &facts);
    Py_XDECREF(name);
    attributes_clear(&facts);
    return name ? 0 : -1;
}

/* Span.status with code ERROR and `message`; NULL or no text: without a message. */
static int set_status(Span *span, PyObject *message) {
    bool absent = !message || message == Py_None;
    int result = absent || is_text(message) ? 0 : recorder_unencodable("a text is needed", message);
    size_t text = absent || !is_text(message) ? 0 : text_size(message, recorder.max_value_bytes);
    size_t body = (text ? field_size(text) : 0) + 2;
    span->status.used = 0; /* the last word counts */
    uint8_t *at = buffer_reserve(&span->status, field_size(body));
    if (!at)
        return result;
    at = put_head(at, SPAN_STATUS, body);
    if (text)
        at = put_text(put_head(at, STATUS_MESSAGE, text), message, text);
    *at++ = STATUS_CODE;
    *at = STATUS_CODE_ERROR;
    span->status.used = (uint32_t)field_size(body);
    return result;
}

/* The event, and the text of the status: a new reference, or NULL with an exception set. */
static PyObject *record_exception(Span *span, PyObject *error) {
    PyObject *failure =
        describe(error); /* runs the exception's own __str__, which may even finish the span */
    if (!failure)
        return NULL;
    PyObject *text = NULL;
    if (span->finished || append_exception(span, failure) == 0)
        text = PyUnicode_FromFormat("%U: %U", PyTuple_GET_ITEM(failure, 0), PyTuple_GET_ITEM(failure, 1));
    Py_DECREF(failure);
    return text;
}

int span_fail_with(Span *span, PyObject *error, PyObject *message) {
    PyObject *text = error && error != Py_None ? record_exception(span, error) : Py_NewRef(Py_None);
    if (!text && recorder_fault() < 0)
        return -1;
    bool own = message && message != Py_None && !(is_text(message) && PyUnicode_GET_LENGTH(message) == 0);
    int result = span->finished ? 0 : set_status(span, own ? message : text);
    Py_XDECREF(text);
    return result;
}

PyObject *span_fail(Span *span, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const char *const parameters[] = {"error", "message", NULL};
    static const Signature signature = {"fail", parameters, 0, 2};
    PyObject *given[2];
    if (args_read(&signature, args, count, names, given) < 0)
        return NULL;
    if (span->recording && !span->finished && span_fail_with(span, given[0], given[1]) < 0)
        return NULL;
    Py_RETURN_NONE;
}
