#include "starts.h"

#include <structmember.h>

#include "../spans/context.h"
#include "../requests/headers.h"
#include "../spans/operation.h"
#include "../spans/scopes.h"
#include "../spans/span_events.h"
#include "../python/text.h"

static struct {
    PyObject *scheme, *host, *port, *method, *url, *target, *headers, *status, *request;
    PyObject *url_full, *status_code, *error_type;
} names_of;

static PyObject *ask(Start *self, PyObject *const *args, size_t count, PyObject *names) {
    return PyObject_Vectorcall(self->miss, args, count, names);
}

static PyObject *make(PyObject *(*begin)(Start *, PyObject *const *, size_t, PyObject *), PyObject *path,
                      PyObject *table, Py_ssize_t index, PyObject *miss) {
    Start *self = PyObject_New(Start, &StartType);
    if (!self)
        return NULL;
    self->begin = begin;
    self->path = Py_XNewRef(path);
    self->table = Py_NewRef(table);
    self->known = NULL;
    self->index = index;
    memset(self->recent, 0, sizeof self->recent);
    self->miss = Py_NewRef(miss);
    return (PyObject *)self;
}

/* -- operations kept with an object -- */

/* New reference, or NULL with an exception set. */
static PyObject *follow(PyObject *object, PyObject *path) {
    Py_INCREF(object);
    for (Py_ssize_t at = 0; object && at < PyTuple_GET_SIZE(path); at++)
        Py_SETREF(object, PyObject_GetAttr(object, PyTuple_GET_ITEM(path, at)));
    return object;
}

/* New reference; NULL: it is not there, or is no text, whose looking up may run code of the user's. */
static PyObject *find(PyObject *table, PyObject *key) {
    if (!PyDict_Check(table) || !(PyUnicode_CheckExact(key) || PyBytes_CheckExact(key)))
        return NULL;
    PyObject *found = PyDict_GetItemWithError(table, key);
    return found && Py_TYPE(found) == &OperationType ? Py_NewRef(found) : NULL;
}

static Recent *recent_of(Start *self, PyObject *object) {
    return &self->recent[((uintptr_t)object >> 4 ^ (uintptr_t)object >> 9) % RECENT_OBJECTS];
}

/* As `find`, also: an exception is set. */
static PyObject *kept_with(Start *self, PyObject *holder, PyObject *key) {
    Recent *recent = recent_of(self, holder);
    PyObject *found = recent_find(recent, holder, key);
    if (found)
        return Py_NewRef(found);
    PyObject *table = PyObject_GetAttr(holder, self->table);
    if (table == Py_None)
        return table;
    found = table ? find(table, key) : NULL;
    if (found)
        recent_keep(recent, holder, key, found);
    Py_XDECREF(table);
    return found;
}

static PyObject *begin_kept(Start *self, PyObject *const *args, size_t count, PyObject *names) {
    if (PyVectorcall_NARGS(count) <= self->index)
        return ask(self, args, count, names);
    PyObject *holder = follow(args[0], self->path);
    PyObject *found = holder ? kept_with(self, holder, args[self->index]) : NULL;
    Py_XDECREF(holder);
    if (found)
        return found;
    PyErr_Clear();
    return ask(self, args, count, names);
}

PyObject *starts_kept(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 4 || !PyTuple_Check(args[0]) || !PyUnicode_Check(args[1]) || !PyLong_Check(args[2])) {
        PyErr_SetString(PyExc_TypeError, "path, attribute, index and miss are needed");
        return NULL;
    }
    Py_ssize_t index = PyLong_AsSsize_t(args[2]);
    return index < 0 ? NULL : make(begin_kept, args[0], args[1], index, args[3]);
}

/* -- requests of HTTP -- */

/* The address without what may be secret: query and fragment. NULL without an exception: it is no plain path.
 */
static PyObject *full_url(PyObject *beginning, PyObject *target) {
    const char *text;
    Py_ssize_t size;
    if (PyBytes_CheckExact(target)) {
        text = PyBytes_AS_STRING(target);
        size = PyBytes_GET_SIZE(target);
    } else if (PyUnicode_CheckExact(target) && is_text(target) && PyUnicode_IS_ASCII(target)) {
        text = (const char *)PyUnicode_DATA(target);
        size = PyUnicode_GET_LENGTH(target);
    } else {
        return NULL;
    }
    if (!size || text[0] != '/' || !PyUnicode_IS_ASCII(beginning))
        return NULL;
    Py_ssize_t before = PyUnicode_GET_LENGTH(beginning), at = 0;
    while (at < size && text[at] != '?' && text[at] != '#' && !((unsigned char)text[at] & 0x80))
        at++;
    if (at < size && (unsigned char)text[at] & 0x80)
        return NULL;
    PyObject *url = PyUnicode_New(before + at, 127);
    if (url) {
        memcpy(PyUnicode_1BYTE_DATA(url), PyUnicode_DATA(beginning), (size_t)before);
        memcpy(PyUnicode_1BYTE_DATA(url) + before, text, (size_t)at);
    }
    return url;
}

static bool is_origin(PyObject *found) {
    return PyTuple_CheckExact(found) && PyTuple_GET_SIZE(found) == 3 &&
           Py_TYPE(PyTuple_GET_ITEM(found, 0)) == &OperationType &&
           PyUnicode_Check(PyTuple_GET_ITEM(found, 1));
}

/* What `key`, of four, was found to be; most programs call the same origin many times in a row. New
   reference, or NULL with an exception set. */
static PyObject *looked_up(Start *self, PyObject *const key[4]) {
    if (self->known) {
        PyObject *known = PyTuple_GET_ITEM(self->known, 0);
        int at = 0;
        while (at < 4 && same_constant(PyTuple_GET_ITEM(known, at), key[at]))
            at++;
        if (at == 4)
            return Py_NewRef(PyTuple_GET_ITEM(self->known, 1));
    }
    PyObject *asked = PyTuple_Pack(4, key[0], key[1], key[2], key[3]);
    PyObject *found = asked ? PyObject_GetItem(self->table, asked) : NULL;
    if (found && !is_origin(found)) {
        PyErr_SetString(PyExc_TypeError, "an origin is (Operation, beginning of the URL, host)");
        Py_CLEAR(found);
    }
    PyObject *known = found ? PyTuple_Pack(2, asked, found) : NULL;
    if (known)
        Py_XSETREF(self->known, known);
    else if (found)
        Py_CLEAR(found); /* no memory */
    Py_XDECREF(asked);
    return found;
}

/* (Operation, beginning of the URL, host) for the attributes of `place`. New reference, or NULL with an
 * exception set. */
static PyObject *origin(Start *self, PyObject *method, PyObject *place) {
    PyObject *key[] = {method, PyObject_GetAttr(place, names_of.scheme), NULL, NULL};
    key[2] = key[1] ? PyObject_GetAttr(place, names_of.host) : NULL;
    key[3] = key[2] ? PyObject_GetAttr(place, names_of.port) : NULL;
    PyObject *found = key[3] ? looked_up(self, key) : NULL;
    Py_XDECREF(key[1]);
    Py_XDECREF(key[2]);
    Py_XDECREF(key[3]);
    return found;
}

/* The same for a connection pool, whose address stays. */
static PyObject *origin_of_pool(Start *self, PyObject *method, PyObject *pool) {
    Recent *recent = recent_of(self, pool);
    PyObject *found = recent_find(recent, pool, method);
    if (found)
        return Py_NewRef(found);
    found = origin(self, method, pool);
    if (found)
        recent_keep(recent, pool, method, found);
    return found;
}

/* Takes the reference to `span`. Returns it, or NULL with an exception set. */
static Span *with_url(Span *span, PyObject *url) {
    if (span && span_set(span, names_of.url_full, url) < 0) {
        span_finish(span);
        Py_CLEAR(span);
    }
    return span;
}

/* The argument at `index`, or of that name. Borrowed; NULL: there is none. */
static PyObject *argument(PyObject *const *args, size_t count, PyObject *names, Py_ssize_t index,
                          PyObject *name) {
    Py_ssize_t positional = PyVectorcall_NARGS(count);
    if (index < positional)
        return args[index];
    for (Py_ssize_t at = 0; names && at < PyTuple_GET_SIZE(names); at++)
        if (PyTuple_GET_ITEM(names, at) == name) /* both are interned */
            return args[positional + at];
    return NULL;
}

static PyObject *begin_pool(Start *self, PyObject *const *args, size_t count, PyObject *names) {
    Span *current = context_current();
    bool inside = current && !current->finished && current->operation->kind == CLIENT;
    Py_XDECREF(current);
    PyObject *method = argument(args, count, names, 1, names_of.method);
    PyObject *target = argument(args, count, names, 2, names_of.url);
    if (inside || !PyVectorcall_NARGS(count) || !method || !target || !PyUnicode_CheckExact(method))
        return ask(self, args, count, names);
    PyObject *there = origin_of_pool(self, method, args[0]);
    if (!there)
        return NULL;
    PyObject *url = full_url(PyTuple_GET_ITEM(there, 1), target);
    Span *span = url ? with_url(scope_begin((Operation *)PyTuple_GET_ITEM(there, 0), NULL), url) : NULL;
    Py_XDECREF(url);
    Py_DECREF(there);
    return span || PyErr_Occurred() ? (PyObject *)span : ask(self, args, count, names);
}

static PyObject *begin_request(Start *self, PyObject *const *args, size_t count, PyObject *names) {
    PyObject *request = argument(args, count, names, 1, names_of.request);
    if (!request)
        return ask(self, args, count, names);
    PyObject *method = PyObject_GetAttr(request, names_of.method);
    PyObject *place = method ? PyObject_GetAttr(request, names_of.url) : NULL;
    PyObject *target = place ? PyObject_GetAttr(place, names_of.target) : NULL;
    PyObject *headers = target ? PyObject_GetAttr(request, names_of.headers) : NULL;
    PyObject *there = headers ? origin(self, method, place) : NULL;
    PyObject *url = there ? full_url(PyTuple_GET_ITEM(there, 1), target) : NULL;
    Span *span = NULL;
    bool plain = url && PyList_CheckExact(headers);
    if (plain) {
        Span *parent = context_current();
        span = with_url(span_new((Operation *)PyTuple_GET_ITEM(there, 0), parent, NULL), url);
        Py_XDECREF(parent);
        PyObject *given[] = {headers, PyTuple_GET_ITEM(there, 2)};
        PyObject *done = span ? span_into_pairs(span, given, 2) : NULL;
        if (span && !done)
            Py_CLEAR(span);
        Py_XDECREF(done);
    }
    Py_XDECREF(method);
    Py_XDECREF(place);
    Py_XDECREF(target);
    Py_XDECREF(headers);
    Py_XDECREF(there);
    Py_XDECREF(url);
    return plain || PyErr_Occurred() ? (PyObject *)span : ask(self, args, count, names);
}

static PyObject *make_http(PyObject *const *args, Py_ssize_t count,
                           PyObject *(*begin)(Start *, PyObject *const *, size_t, PyObject *)) {
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "origins and miss are needed");
        return NULL;
    }
    return make(begin, NULL, args[0], 0, args[1]);
}

PyObject *starts_http_pool(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    return make_http(args, count, begin_pool);
}

PyObject *starts_http_request(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    return make_http(args, count, begin_request);
}

/* For a client, 4xx is an error too. */
PyObject *starts_http_answered(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 2 || Py_TYPE(args[0]) != &SpanType) {
        PyErr_SetString(PyExc_TypeError, "a span and a response are needed");
        return NULL;
    }
    Span *span = (Span *)args[0];
    PyObject *status = PyObject_GetAttr(args[1], names_of.status);
    int result = status ? span_set(span, names_of.status_code, status) : -1;
    if (result == 0 && PyLong_Check(status) && PyLong_AsLong(status) >= 400) {
        PyObject *text = PyObject_Str(status);
        result = text ? span_set(span, names_of.error_type, text) : -1;
        Py_XDECREF(text);
        if (result == 0)
            result = span_fail_with(span, NULL, NULL);
    }
    Py_XDECREF(status);
    if (result < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* -- the object -- */

static PyObject *call(Start *self, PyObject *args, PyObject *kwargs) {
    return PyObject_Call(self->miss, args, kwargs); /* as the function it stands for */
}

static void dealloc(Start *self) {
    Py_XDECREF(self->path);
    Py_DECREF(self->table);
    Py_XDECREF(self->known);
    for (size_t at = 0; at < RECENT_OBJECTS; at++)
        recent_clear(&self->recent[at]);
    Py_DECREF(self->miss);
    PyObject_Free(self);
}

PyTypeObject StartType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "sonde.probe.core._core.Start",
    .tp_basicsize = sizeof(Start),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_call = (ternaryfunc)call,
    .tp_dealloc = (destructor)dealloc,
};

int starts_type_ready(void) {
    static const char *const texts[] = {"scheme",
                                        "host",
                                        "port",
                                        "method",
                                        "url",
                                        "target",
                                        "headers",
                                        "status",
                                        "request",
                                        "url.full",
                                        "http.response.status_code",
                                        "error.type"};
    PyObject **all = (PyObject **)&names_of;
    for (size_t at = 0; at < sizeof texts / sizeof *texts; at++)
        if (!(all[at] = PyUnicode_InternFromString(texts[at])))
            return -1;
    return PyType_Ready(&StartType);
}
