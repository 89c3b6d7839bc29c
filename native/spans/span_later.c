#include "span_later.h"

#include "../core/counters.h"
#include "protobuf.h"
#include "../core/recorder.h"

enum { MAX_LATER = 24 };

typedef struct {
    PyObject *key, *value;
} Pair;

static Pair *pairs_of(const Span *span) {
    return (Pair *)(void *)span->later.bytes;
}

static uint32_t count_of(const Span *span) {
    return span->later.used / (uint32_t)sizeof(Pair);
}

/* ASCII: as many bytes as characters, so no cut is to be counted. */
static bool is_short(PyObject *text) {
    return PyUnicode_CheckExact(text) && PyUnicode_IS_COMPACT_ASCII(text) &&
           (size_t)PyUnicode_GET_LENGTH(text) <= recorder.max_value_bytes;
}

static bool is_small(PyObject *integer) {
    int overflow;
    PyLong_AsLongAndOverflow(integer, &overflow);
    return !overflow;
}

static bool can_wait(PyObject *value) {
    return is_short(value) || PyBool_Check(value) || PyFloat_CheckExact(value) ||
           (PyLong_CheckExact(value) && is_small(value));
}

bool later_put(Span *span, PyObject *key, PyObject *value) {
    if (!is_short(key) || !can_wait(value) || count_of(span) == MAX_LATER)
        return false;
    Pair *pair = (Pair *)(void *)buffer_reserve(&span->later, sizeof *pair);
    if (!pair)
        return false;
    *pair = (Pair){Py_NewRef(key), Py_NewRef(value)};
    span->later.used += (uint32_t)sizeof *pair;
    return true;
}

void later_encode(Span *span) {
    const Pair *pairs = pairs_of(span);
    for (uint32_t at = 0; at < count_of(span); at++) {
        if (attributes_put(&span->attributes, SPAN_ATTRIBUTES, pairs[at].key, pairs[at].value,
                           recorder.max_value_bytes, MAX_ATTRIBUTES, MAX_FIELD_BYTES) == PUT_DONE)
            continue;
        span->dropped_attributes++;
        count(COUNT_dropped_attributes);
    }
    later_clear(span);
}

void later_clear(Span *span) {
    Buffer taken = span->later;
    span->later = (Buffer){0};
    const Pair *pairs = (const Pair *)(void *)taken.bytes;
    for (uint32_t at = 0; at < taken.used / sizeof(Pair); at++) {
        Py_DECREF(pairs[at].key);
        Py_DECREF(pairs[at].value);
    }
    buffer_clear(&taken);
}

size_t later_size(const Span *span) {
    const Pair *pairs = pairs_of(span);
    size_t size = span->later.used;
    for (uint32_t at = 0; at < count_of(span); at++)
        if (PyUnicode_CheckExact(pairs[at].value))
            size += (size_t)PyUnicode_GET_LENGTH(pairs[at].value);
    return size;
}
