#include "traceparent.h"

#include "../spans/hex.h"
#include "../python/text.h"

enum { LENGTH = 55 }; /* 2 + 1 + 32 + 1 + 16 + 1 + 2 */

typedef struct {
    int kind;
    const void *data;
    Py_ssize_t at, end;
} Reader;

static Reader stripped(PyObject *header) {
    Reader reader = {PyUnicode_KIND(header), PyUnicode_DATA(header), 0, PyUnicode_GET_LENGTH(header)};
    while (reader.at < reader.end && Py_UNICODE_ISSPACE(PyUnicode_READ(reader.kind, reader.data, reader.at)))
        reader.at++;
    while (reader.at < reader.end &&
           Py_UNICODE_ISSPACE(PyUnicode_READ(reader.kind, reader.data, reader.end - 1)))
        reader.end--;
    return reader;
}

static bool read_bytes(Reader *reader, uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        int high = hex_value(PyUnicode_READ(reader->kind, reader->data, reader->at), false);
        int low = hex_value(PyUnicode_READ(reader->kind, reader->data, reader->at + 1), false);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
        reader->at += 2;
    }
    return true;
}

static bool read_dash(Reader *reader) {
    return PyUnicode_READ(reader->kind, reader->data, reader->at++) == '-';
}

/* A later version may go on behind the flags, on the same line. */
static bool tail_is_good(const Reader *reader, uint8_t version) {
    if (reader->at == reader->end)
        return true;
    if (version == 0 || PyUnicode_READ(reader->kind, reader->data, reader->at) != '-')
        return false;
    for (Py_ssize_t at = reader->at; at < reader->end; at++)
        if (PyUnicode_READ(reader->kind, reader->data, at) == '\n')
            return false;
    return true;
}

bool traceparent_parse(PyObject *header, TraceParent *parsed) {
    if (!is_text(header))
        return false;
    Reader reader = stripped(header);
    uint8_t version;
    if (reader.end - reader.at < LENGTH || !read_bytes(&reader, &version, 1) || !read_dash(&reader) ||
        !read_bytes(&reader, parsed->trace_id, TRACE_ID_BYTES) || !read_dash(&reader) ||
        !read_bytes(&reader, parsed->span_id, SPAN_ID_BYTES) || !read_dash(&reader) ||
        !read_bytes(&reader, &parsed->flags, 1))
        return false;
    return version != 0xff && tail_is_good(&reader, version) && !all_zero(parsed->trace_id, TRACE_ID_BYTES) &&
           !all_zero(parsed->span_id, SPAN_ID_BYTES);
}

PyObject *traceparent_text(const uint8_t trace_id[TRACE_ID_BYTES], const uint8_t span_id[SPAN_ID_BYTES],
                           uint8_t flags) {
    PyObject *text = PyUnicode_New(LENGTH, 127);
    if (!text)
        return NULL;
    char *at = (char *)PyUnicode_1BYTE_DATA(text);
    *at++ = '0';
    *at++ = '0';
    *at++ = '-';
    at = put_hex(at, trace_id, TRACE_ID_BYTES);
    *at++ = '-';
    at = put_hex(at, span_id, SPAN_ID_BYTES);
    *at++ = '-';
    put_hex(at, &flags, 1);
    return text;
}
