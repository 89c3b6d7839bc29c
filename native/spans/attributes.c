#include "attributes.h"

#include <string.h>

#include "../core/counters.h"
#include "protobuf.h"
#include "../python/text.h"

/* An AnyValue whose size is known, before it is written. `owned` is released with it. */
typedef struct {
    enum { NOTHING, TEXT, BOOL, INT, DOUBLE, ARRAY } kind;
    size_t size; /* of the whole AnyValue */
    PyObject *text, *owned;
    size_t text_bytes;
    uint64_t integer; /* two's complement, or the bits of a double */
    Buffer array;
} Any;

static bool measure_text(Any *any, PyObject *text, size_t limit) {
    any->kind = TEXT;
    any->text = text;
    any->text_bytes = text_size(text, limit);
    any->size = field_size(any->text_bytes);
    return true;
}

/* Text that was made here of something else; takes the reference. */
static bool measure_made(Any *any, PyObject *text, size_t limit) {
    if (!text) {
        PyErr_Clear(); /* no memory, or more digits than sys.get_int_max_str_digits() allows */
        return false;
    }
    any->owned = text;
    return measure_text(any, text, limit);
}

static bool measure_integer(Any *any, PyObject *value, size_t limit) {
    int overflow;
    long long integer = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow)
        return measure_made(any, PyLong_Type.tp_repr(value), limit);
    any->kind = INT;
    any->integer = (uint64_t)integer;
    any->size = 1 + varint_size(any->integer);
    return true;
}

static bool measure_double(Any *any, PyObject *value) {
    double number = PyFloat_AS_DOUBLE(value);
    any->kind = DOUBLE;
    memcpy(&any->integer, &number, sizeof number);
    any->size = 9;
    return true;
}

static bool measure_bytes(Any *any, PyObject *value, size_t limit) {
    size_t size = (size_t)PyBytes_GET_SIZE(value);
    if (size > limit) {
        count(COUNT_cut_values);
        size = limit;
    }
    return measure_made(any, PyUnicode_DecodeUTF8(PyBytes_AS_STRING(value), (Py_ssize_t)size, "replace"),
                        limit);
}

/* False: no scalar of OTLP's. */
static bool measure_scalar(Any *any, PyObject *value, size_t limit) {
    if (is_text(value))
        return measure_text(any, value, limit);
    if (PyBool_Check(value)) {
        any->kind = BOOL;
        any->integer = value == Py_True;
        any->size = 2;
        return true;
    }
    if (PyLong_Check(value))
        return measure_integer(any, value, limit);
    if (PyFloat_Check(value))
        return measure_double(any, value);
    if (PyBytes_Check(value))
        return measure_bytes(any, value, limit);
    return false;
}

static uint8_t *put_any(uint8_t *at, const Any *any) {
    switch (any->kind) {
    case TEXT:
        return put_text(put_head(at, ANY_STRING, any->text_bytes), any->text, any->text_bytes);
    case BOOL:
        *at++ = ANY_BOOL;
        *at++ = (uint8_t)any->integer;
        return at;
    case INT:
        *at++ = ANY_INT;
        return put_varint(at, any->integer);
    case DOUBLE:
        *at++ = ANY_DOUBLE;
        return put_fixed64(at, any->integer);
    case ARRAY:
        return put_field(at, ANY_ARRAY, any->array.bytes, any->array.used);
    case NOTHING:
        break;
    }
    return at;
}

static void any_clear(Any *any) {
    Py_CLEAR(any->owned);
    buffer_clear(&any->array);
}

/* Append one item. False: it does not fit, and no further one is to be tried. */
static bool array_append(Any *array, PyObject *value, size_t limit) {
    Any item = {0};
    if (value != Py_None && !measure_scalar(&item, value, limit)) {
        count(COUNT_unencodable_values); /* it keeps its place, empty */
        item.size = 0;
    }
    size_t size = field_size(item.size);
    bool fits = array->array.used + size <= limit;
    uint8_t *at = fits ? buffer_reserve(&array->array, size) : NULL;
    if (at) {
        put_any(put_head(at, ARRAY_VALUES, item.size), &item);
        array->array.used += (uint32_t)size;
    } else {
        count(COUNT_cut_values);
    }
    any_clear(&item);
    return at != NULL;
}

static bool measure(Any *any, PyObject *value, size_t limit) {
    if (!PyList_Check(value) && !PyTuple_Check(value))
        return measure_scalar(any, value, limit);
    /* By index and size each time: the list may be changed by another thread between two items. */
    for (Py_ssize_t at = 0; at < PySequence_Fast_GET_SIZE(value); at++)
        if (!array_append(any, PySequence_Fast_GET_ITEM(value, at), limit))
            break;
    any->kind = ARRAY;
    any->size = field_size(any->array.used);
    return true;
}

/* -- the list -- */

typedef struct {
    const uint8_t *bytes;
    size_t size;
} Key;

/* The key of the field at `at`; `next` gets the field behind it. */
static Key key_at(const uint8_t *at, const uint8_t **next) {
    uint64_t size;
    const uint8_t *pair = get_varint(at + 1, &size);
    *next = pair + size;
    Key key;
    key.bytes = get_varint(pair + 1, &size);
    key.size = (size_t)size;
    return key;
}

/* The factors: of the names that meet in a span of HTTP, a database, a queue or RPC, few share a bit. */
static uint64_t bit_of(Key key) {
    uint32_t hash = (uint32_t)key.size * 57u;
    if (key.size)
        hash += key.bytes[0] * 45u + key.bytes[key.size / 2] * 55u + key.bytes[key.size - 1] * 11u;
    return (uint64_t)1 << (hash & 63);
}

/* The field of that key among the first `used` bytes; `size` gets its length. NULL: none. */
static const uint8_t *find(const Buffer *fields, size_t used, Key key, size_t *size) {
    const uint8_t *at = fields->bytes, *end = fields->bytes + used, *next;
    for (; at < end; at = next) {
        Key other = key_at(at, &next);
        if (other.size == key.size && !memcmp(other.bytes, key.bytes, key.size)) {
            *size = (size_t)(next - at);
            return at;
        }
    }
    return NULL;
}

static bool write_pair(Buffer *fields, uint8_t tag, PyObject *key, size_t key_size, const Any *any) {
    size_t pair = field_size(key_size) + field_size(any->size);
    size_t size = field_size(pair);
    uint8_t *at = buffer_reserve(fields, size);
    if (!at)
        return false;
    at = put_head(at, tag, pair);
    at = put_text(put_head(at, KEY_VALUE_KEY, key_size), key, key_size);
    put_any(put_head(at, KEY_VALUE_VALUE, any->size), any);
    fields->used += (uint32_t)size;
    return true;
}

/* The field from `start` on was written last: remove an older one of its key. */
static void replace(Attributes *attributes, size_t start) {
    const uint8_t *end;
    Key key = key_at(attributes->fields.bytes + start, &end);
    uint64_t bit = bit_of(key);
    size_t size;
    if (attributes->seen & bit) {
        const uint8_t *older = find(&attributes->fields, start, key, &size);
        if (older) {
            buffer_remove(&attributes->fields, (size_t)(older - attributes->fields.bytes), size);
            attributes->count--;
        }
    }
    attributes->seen |= bit;
    attributes->count++;
}

PutResult attributes_put(Attributes *attributes, uint8_t tag, PyObject *key, PyObject *value, size_t limit,
                         uint32_t most, size_t most_bytes) {
    if (value == Py_None)
        return PUT_DONE;
    if (!is_text(key))
        return PUT_UNENCODABLE;
    size_t key_size = text_size(key, limit);
    Any any = {0};
    if (!measure(&any, value, limit)) {
        any_clear(&any);
        return PUT_UNENCODABLE;
    }
    size_t start = attributes->fields.used;
    bool written = write_pair(&attributes->fields, tag, key, key_size, &any);
    any_clear(&any);
    if (!written)
        return PUT_NO_ROOM;
    size_t size = attributes->fields.used - start;
    replace(attributes, start);
    if (attributes->count > most || attributes->fields.used > most_bytes) {
        attributes->fields.used -= (uint32_t)size; /* it is still the last */
        attributes->count--;
        return PUT_NO_ROOM;
    }
    return PUT_DONE;
}

int attributes_put_all(Attributes *attributes, uint8_t tag, PyObject *mapping, size_t limit) {
    PyObject *items = PyMapping_Items(mapping);
    if (!items)
        return -1;
    for (Py_ssize_t at = 0; at < PyList_GET_SIZE(items); at++) {
        PyObject *item = PyList_GET_ITEM(items, at);
        bool pair = PyTuple_Check(item) && PyTuple_GET_SIZE(item) == 2;
        if (!pair || attributes_put(attributes, tag, PyTuple_GET_ITEM(item, 0), PyTuple_GET_ITEM(item, 1),
                                    limit, UINT32_MAX, UINT32_MAX) != PUT_DONE)
            count(COUNT_unencodable_values);
    }
    Py_DECREF(items);
    return 0;
}

size_t attributes_without(const Attributes *attributes, const Attributes *but, uint8_t *out) {
    const Buffer *fields = &attributes->fields;
    if (!fields->used)
        return 0;
    const uint8_t *at = fields->bytes, *end = fields->bytes + fields->used, *next;
    size_t total = 0, size;
    for (; at < end; at = next) {
        Key key = key_at(at, &next);
        if (but->fields.used && find(&but->fields, but->fields.used, key, &size))
            continue;
        if (out)
            memcpy(out + total, at, (size_t)(next - at));
        total += (size_t)(next - at);
    }
    return total;
}
