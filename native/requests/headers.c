#include "headers.h"

#include "../spans/context.h"
#include "../spans/hex.h"
#include "../python/text.h"

enum { MAX_SW8_BYTES = 2000, MAX_ENDPOINT_BYTES = 150, MAX_PEER_BYTES = 256, TRACEPARENT_BYTES = 55 };

static struct {
    bool w3c, sw8_always, always;
    PyObject *sw8;  /* bytes: service and instance as sw8 has them; NULL: sw8 is not written */
    PyObject *more; /* (span, peer) -> ((name, value), …): the other headers; NULL: there are none */
} written = {.w3c = true};

PyObject *headers_configure(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 5 || (args[1] != Py_None && !PyBytes_Check(args[1]))) {
        PyErr_SetString(PyExc_TypeError, "w3c, sw8 as bytes or None, sw8_always, more and always are needed");
        return NULL;
    }
    int w3c = PyObject_IsTrue(args[0]), sw8_always = PyObject_IsTrue(args[2]),
        always = PyObject_IsTrue(args[4]);
    if (w3c < 0 || sw8_always < 0 || always < 0)
        return NULL;
    written.w3c = w3c;
    written.sw8_always = sw8_always;
    written.always = always;
    Py_XSETREF(written.sw8, args[1] == Py_None ? NULL : Py_NewRef(args[1]));
    Py_XSETREF(written.more, args[3] == Py_None ? NULL : Py_NewRef(args[3]));
    Py_RETURN_NONE;
}

/* -- values -- */

static char *put_base64(char *at, const uint8_t *bytes, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        uint32_t three = (uint32_t)bytes[i] << 16 | (i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (i + 2 < size ? bytes[i + 2] : 0u);
        *at++ = digits[three >> 18];
        *at++ = digits[three >> 12 & 63];
        *at++ = i + 1 < size ? digits[three >> 6 & 63] : '=';
        *at++ = i + 2 < size ? digits[three & 63] : '=';
    }
    return at;
}

static char *put_base64_hex(char *at, const uint8_t *id, size_t size) {
    char digits[2 * TRACE_ID_BYTES];
    put_hex(digits, id, size);
    return put_base64(at, (const uint8_t *)digits, 2 * size);
}

static char *put_base64_text(char *at, PyObject *text, size_t limit) {
    uint8_t bytes[MAX_PEER_BYTES];
    size_t size = text_size(text, limit);
    put_text(bytes, text, size);
    return put_base64(at, bytes, size);
}

static void put_traceparent(char *at, const Span *span) {
    uint8_t flags = (uint8_t)span->flags;
    memcpy(at, "00-", 3);
    at = put_hex(at + 3, span->trace_id, TRACE_ID_BYTES);
    *at++ = '-';
    at = put_hex(at, span->span_id, SPAN_ID_BYTES);
    *at++ = '-';
    put_hex(at, &flags, 1);
}

/* The name of the request this process is serving: of the outermost scope of the same trace. Borrowed. */
static PyObject *endpoint_of(const Span *span) {
    Span *current = context_current();
    const Span *outermost = span;
    for (const Span *at = current; at && !memcmp(at->trace_id, span->trace_id, TRACE_ID_BYTES);
         at = at->previous)
        outermost = at;
    Py_XDECREF(current);
    return outermost->name ? outermost->name : outermost->operation->name;
}

/* Source: https://skywalking.apache.org/docs/main/next/en/api/x-process-propagation-headers-v3/. The segment
   is named by the span's id, its span is number 0. Returns the size; 0: it does not fit. */
static size_t put_sw8(char *start, const Span *span, PyObject *theirs, PyObject *peer) {
    size_t self_size = (size_t)PyBytes_GET_SIZE(written.sw8);
    if (self_size > MAX_SW8_BYTES - 2 * (MAX_ENDPOINT_BYTES + 2 * MAX_PEER_BYTES))
        return 0;
    char *at = start;
    *at++ = span->flags & FLAG_SAMPLED ? '1' : '0';
    *at++ = '-';
    at = theirs ? put_base64_text(at, theirs, MAX_PEER_BYTES)
                : put_base64_hex(at, span->trace_id, TRACE_ID_BYTES);
    *at++ = '-';
    at = put_base64_hex(at, span->span_id, SPAN_ID_BYTES);
    memcpy(at, "-0-", 3);
    at += 3;
    memcpy(at, PyBytes_AS_STRING(written.sw8), self_size);
    at += self_size;
    *at++ = '-';
    at = put_base64_text(at, endpoint_of(span), MAX_ENDPOINT_BYTES);
    *at++ = '-';
    if (peer && is_text(peer))
        at = put_base64_text(at, peer, MAX_PEER_BYTES);
    return (size_t)(at - start);
}

/* -- forms -- */

typedef PyObject *(*Form)(const char *name, const char *value, size_t size);

static PyObject *as_texts(const char *name, const char *value, size_t size) {
    return Py_BuildValue("(NN)", PyUnicode_InternFromString(name),
                         PyUnicode_DecodeASCII(value, (Py_ssize_t)size, "replace"));
}

static PyObject *as_pair(const char *name, const char *value, size_t size) {
    return Py_BuildValue("(yy#)", name, value, (Py_ssize_t)size);
}

static PyObject *as_line(const char *name, const char *value, size_t size) {
    size_t name_size = strlen(name);
    PyObject *line = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(name_size + 2 + size));
    if (line) {
        char *at = PyBytes_AS_STRING(line);
        memcpy(at, name, name_size);
        memcpy(at + name_size, ": ", 2);
        memcpy(at + name_size + 2, value, size);
    }
    return line;
}

static int append(PyObject *list, Form form, const char *name, const char *value, size_t size) {
    PyObject *one = form(name, value, size);
    int result = one ? PyList_Append(list, one) : -1;
    Py_XDECREF(one);
    return result;
}

static int append_more(Span *span, PyObject *peer, PyObject *list, Form form) {
    PyObject *given[] = {(PyObject *)span, peer};
    PyObject *pairs = PyObject_Vectorcall(written.more, given, 2, NULL);
    PyObject *fast = pairs ? PySequence_Fast(pairs, "pairs are needed") : NULL;
    int result = fast ? 0 : -1;
    for (Py_ssize_t at = 0; result == 0 && at < PySequence_Fast_GET_SIZE(fast); at++) {
        const char *name, *value;
        Py_ssize_t size;
        result = PyArg_ParseTuple(PySequence_Fast_GET_ITEM(fast, at), "ss#", &name, &value, &size)
                     ? append(list, form, name, value, (size_t)size)
                     : -1;
    }
    Py_XDECREF(fast);
    Py_XDECREF(pairs);
    return result;
}

static int append_sw8(Span *span, PyObject *peer, PyObject *list, Form form) {
    char value[MAX_SW8_BYTES];
    PyObject *theirs = NULL; /* a text where the trace came by sw8: its id there, empty where that is ours */
    if (span->carried && !(theirs = PyObject_GetAttrString(span->carried, "sw8_trace_id")))
        return -1;
    bool came = theirs && is_text(theirs), is_theirs = came && PyUnicode_GET_LENGTH(theirs) > 0;
    size_t size = came || written.sw8_always ? put_sw8(value, span, is_theirs ? theirs : NULL, peer) : 0;
    Py_XDECREF(theirs);
    return size ? append(list, form, "sw8", value, size) : 0;
}

static int append_all(Span *span, PyObject *peer, PyObject *list, Form form) {
    char value[TRACEPARENT_BYTES];
    if (!span->recording)
        return 0;
    if (written.w3c) {
        put_traceparent(value, span);
        if (append(list, form, "traceparent", value, TRACEPARENT_BYTES) < 0)
            return -1;
    }
    if (written.sw8 && (span->carried || written.sw8_always) && append_sw8(span, peer, list, form) < 0)
        return -1;
    return written.more && (span->carried || written.always) ? append_more(span, peer, list, form) : 0;
}

/* -- methods -- */

static bool is_ours(const char *name, Py_ssize_t size) {
    static const char ours[] = "traceparent";
    if (size != sizeof ours - 1)
        return false;
    for (Py_ssize_t at = 0; at < size; at++)
        if ((name[at] | 0x20) != ours[at])
            return false;
    return true;
}

/* Whether the user has put a header of his own: then all of them are his business. */
static bool has_theirs(PyObject *list, bool lines) {
    for (Py_ssize_t at = 0; at < PyList_GET_SIZE(list); at++) {
        PyObject *name = PyList_GET_ITEM(list, at);
        if (!lines && PyTuple_Check(name) && PyTuple_GET_SIZE(name) == 2)
            name = PyTuple_GET_ITEM(name, 0);
        if (!PyBytes_Check(name))
            continue;
        Py_ssize_t size = PyBytes_GET_SIZE(name);
        if (lines)
            size = size > 11 && PyBytes_AS_STRING(name)[11] == ':' ? 11 : 0;
        if (is_ours(PyBytes_AS_STRING(name), size))
            return true;
    }
    return false;
}

bool headers_name_a_peer(const Span *span) {
    return span->carried || written.sw8_always || written.always;
}

static PyObject *into(Span *span, PyObject *const *args, Py_ssize_t count, bool lines) {
    if (count < 1 || count > 2 || !PyList_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "a list and the peer are needed");
        return NULL;
    }
    PyObject *peer = count > 1 ? args[1] : Py_None;
    if (!has_theirs(args[0], lines) && append_all(span, peer, args[0], lines ? as_line : as_pair) < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyObject *span_into_lines(Span *span, PyObject *const *args, Py_ssize_t count) {
    return into(span, args, count, true);
}

PyObject *span_into_pairs(Span *span, PyObject *const *args, Py_ssize_t count) {
    return into(span, args, count, false);
}

PyObject *span_headers(Span *span, PyObject *const *args, Py_ssize_t count) {
    PyObject *list = PyList_New(0);
    if (list && append_all(span, count ? args[0] : Py_None, list, as_texts) < 0)
        Py_CLEAR(list);
    PyObject *pairs = list ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    return pairs;
}
