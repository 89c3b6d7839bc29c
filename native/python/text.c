#include "text.h"

#include <string.h>

#include "../core/counters.h"

bool is_text(PyObject *value) {
    if (!PyUnicode_Check(value))
        return false;
    if (text_ready(value) < 0) {
        PyErr_Clear(); /* no memory for its data: as good as no text */
        return false;
    }
    return true;
}

static bool same_bytes(const void *one, Py_ssize_t size, const void *other, Py_ssize_t other_size) {
    return size == other_size && !memcmp(one, other, (size_t)size);
}

bool same_constant(PyObject *one, PyObject *other) {
    if (one == other)
        return true;
    if (Py_TYPE(one) != Py_TYPE(other))
        return false;
    if (PyUnicode_CheckExact(one)) {
        if (PyUnicode_IS_COMPACT_ASCII(one) && PyUnicode_IS_COMPACT_ASCII(other))
            return same_bytes(PyUnicode_DATA(one), PyUnicode_GET_LENGTH(one), PyUnicode_DATA(other),
                              PyUnicode_GET_LENGTH(other));
        return is_text(one) && is_text(other) && PyUnicode_Compare(one, other) == 0;
    }
    if (PyBytes_CheckExact(one))
        return same_bytes(PyBytes_AS_STRING(one), PyBytes_GET_SIZE(one), PyBytes_AS_STRING(other),
                          PyBytes_GET_SIZE(other));
    return PyLong_CheckExact(one) && PyObject_RichCompareBool(one, other, Py_EQ) == 1;
}

static size_t character_size(Py_UCS4 character) {
    if (character < 0x80 || Py_UNICODE_IS_SURROGATE(character)) /* a surrogate is written as `?` */
        return 1;
    if (character < 0x800)
        return 2;
    return character < 0x10000 ? 3 : 4;
}

size_t text_size(PyObject *text, size_t limit) {
    size_t length = (size_t)PyUnicode_GET_LENGTH(text);
    if (PyUnicode_IS_ASCII(text)) {
        if (length <= limit)
            return length;
        count(COUNT_cut_values);
        return limit;
    }
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    size_t size = 0;
    for (size_t at = 0; at < length; at++) {
        size_t more = character_size(PyUnicode_READ(kind, data, at));
        if (size + more > limit) {
            count(COUNT_cut_values);
            break;
        }
        size += more;
    }
    return size;
}

static uint8_t *put_character(uint8_t *at, Py_UCS4 character) {
    switch (character_size(character)) {
    case 1:
        *at++ = character < 0x80 ? (uint8_t)character : '?';
        break;
    case 2:
        *at++ = (uint8_t)(0xc0 | character >> 6);
        *at++ = (uint8_t)(0x80 | (character & 0x3f));
        break;
    case 3:
        *at++ = (uint8_t)(0xe0 | character >> 12);
        *at++ = (uint8_t)(0x80 | (character >> 6 & 0x3f));
        *at++ = (uint8_t)(0x80 | (character & 0x3f));
        break;
    default:
        *at++ = (uint8_t)(0xf0 | character >> 18);
        *at++ = (uint8_t)(0x80 | (character >> 12 & 0x3f));
        *at++ = (uint8_t)(0x80 | (character >> 6 & 0x3f));
        *at++ = (uint8_t)(0x80 | (character & 0x3f));
    }
    return at;
}

uint8_t *put_text(uint8_t *at, PyObject *text, size_t size) {
    if (PyUnicode_IS_ASCII(text)) {
        memcpy(at, PyUnicode_DATA(text), size);
        return at + size;
    }
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    uint8_t *end = at + size;
    for (size_t i = 0; at < end; i++)
        at = put_character(at, PyUnicode_READ(kind, data, i));
    return end;
}
