#include "entry_wsgi.h"

#include "../python/errors.h"

/* -- the request -- */

enum { METHOD_, SCHEME, NAME, PORT, PROTOCOL, SCRIPT, PATH, FILE_WRAPPER, CLOSE, KEYS };

static PyObject *keys[KEYS];

/* Beside a traceparent, some headers need a closer look, and without one, others: see propagation.py. */
enum { TRACEPARENT, WITH_TRACEPARENT, WITHOUT = 3, WITH_ENDS = 5, REMOTE_KEYS = 8 };

static PyObject *remote_keys[REMOTE_KEYS];

static PyObject *look(PyObject *environ, PyObject *key) {
    PyObject *found = PyDict_GetItemWithError(environ, key);
    if (!found && !PyErr_Occurred())
        PyErr_SetObject(PyExc_KeyError, key);
    return found;
}

/* `address`: name and port, where the environ does not tell them; else NULL. New references. Returns 0, or -1
 * with an exception set. */
static int served_of(PyObject *environ, PyObject *address, PyObject *served[SERVED_PARTS]) {
    for (int at = METHOD_; at <= PROTOCOL; at++) {
        bool given = address && (at == NAME || at == PORT);
        PyObject *part = given ? PyTuple_GET_ITEM(address, at - NAME) : look(environ, keys[at]);
        if (!part)
            return -1;
        served[at] = Py_NewRef(part);
    }
    return 0;
}

/* PEP 3333 carries bytes as Latin-1; on the wire they mean UTF-8. New reference, or NULL with an exception
 * set. */
static PyObject *path_of(PyObject *environ) {
    PyObject *script = PyDict_GetItemWithError(environ, keys[SCRIPT]);
    PyObject *rest = PyDict_GetItemWithError(environ, keys[PATH]);
    if (PyErr_Occurred())
        return NULL;
    PyObject *path;
    if (script && rest && PyUnicode_Check(script) && PyUnicode_GetLength(script) > 0)
        path = PyUnicode_Concat(script, rest);
    else
        path = rest ? Py_NewRef(rest) : script ? Py_NewRef(script) : PyUnicode_New(0, 0);
    if (!path || !PyUnicode_Check(path) || PyUnicode_IS_ASCII(path))
        return path;
    PyObject *bytes = PyUnicode_AsEncodedString(path, "latin-1", "replace");
    Py_DECREF(path);
    path = bytes ? PyUnicode_FromEncodedObject(bytes, "utf-8", "replace") : NULL;
    Py_XDECREF(bytes);
    return path;
}

/* What core.scope takes as remote. New reference, NULL without one, or with an exception set. */
static PyObject *remote_of(PyObject *environ) {
    PyObject *header = PyDict_GetItemWithError(environ, remote_keys[TRACEPARENT]);
    if (PyErr_Occurred())
        return NULL;
    for (int at = header ? WITH_TRACEPARENT : WITHOUT; at < (header ? WITH_ENDS : REMOTE_KEYS); at++) {
        if (PyDict_GetItemWithError(environ, remote_keys[at]))
            return PyObject_CallOneArg(entry_plugins.environ_remote, environ);
        if (PyErr_Occurred())
            return NULL;
    }
    return Py_XNewRef(header);
}

/* -- start_response -- */

static int digits(PyObject *status) {
    if (!PyUnicode_Check(status) || PyUnicode_GetLength(status) < 3)
        return -1;
    int number = 0;
    for (Py_ssize_t at = 0; at < 3; at++) {
        Py_UCS4 digit = PyUnicode_READ_CHAR(status, at);
        if (digit < '0' || digit > '9')
            return -1;
        number = 10 * number + (int)(digit - '0');
    }
    return number;
}

/* The last status counts: before the first byte, a second call with exc_info may replace the first. */
static void started(Entry *self, PyObject *const *args, Py_ssize_t count) {
    int status = count ? digits(args[0]) : -1;
    if (status >= 0)
        self->status = status;
    else
        PyErr_SetString(PyExc_ValueError, "a status begins with three digits");
}

/* -- the body -- */

typedef struct {
    PyObject_HEAD PyObject *body, *chunks;
    Entry *entry;
} Body;

static PyTypeObject BodyType, SizedBodyType;

/* Not by asking for the attribute: that it is not there would be an exception, made to be thrown away. */
static bool has_length(PyTypeObject *type) {
    return (type->tp_as_sequence && type->tp_as_sequence->sq_length) ||
           (type->tp_as_mapping && type->tp_as_mapping->mp_length);
}

static PyObject *followed(PyObject *body, Entry *entry) {
    bool sized = has_length(Py_TYPE(body));
    Body *self = PyObject_GC_New(Body, sized ? &SizedBodyType : &BodyType);
    if (!self)
        return NULL;
    self->body = Py_NewRef(body);
    self->chunks = NULL;
    self->entry = (Entry *)Py_NewRef((PyObject *)entry);
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static PyObject *body_iterate(Body *self) {
    Py_XSETREF(self->chunks, PyObject_GetIter(self->body));
    if (!self->chunks) {
        entry_raised(self->entry);
        return NULL;
    }
    return Py_NewRef(self);
}

static PyObject *body_next(Body *self) {
    if (!self->chunks && !(self->chunks = PyObject_GetIter(self->body))) {
        entry_raised(self->entry);
        return NULL;
    }
    PyObject *chunks = Py_NewRef(self->chunks);
    PyObject *chunk = PyIter_Next(chunks);
    Py_DECREF(chunks);
    if (!chunk && PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_Exception))
        entry_raised(self->entry);
    return chunk;
}

/* Close the application's iterable; the span ends after it. */
static PyObject *body_close(Body *self, PyObject *Py_UNUSED(nothing)) {
    PyObject *close = PyObject_GetAttr(self->body, keys[CLOSE]), *answer = NULL;
    if (close)
        answer = PyObject_CallNoArgs(close);
    else if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        answer = Py_NewRef(Py_None);
    }
    Py_XDECREF(close);
    if (!answer)
        entry_raised(self->entry);
    if (entry_finish(self->entry) < 0)
        Py_CLEAR(answer);
    Py_XDECREF(answer);
    return answer ? Py_NewRef(Py_None) : NULL;
}

static Py_ssize_t body_length(Body *self) {
    return PyObject_Size(self->body);
}

/* Middleware between a server and a framework may know the framework's own response class. */
static PyObject *body_attribute(Body *self, PyObject *name) {
    PyObject *found = PyObject_GenericGetAttr((PyObject *)self, name);
    if (found || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return found;
    PyErr_Clear();
    return PyObject_GetAttr(self->body, name);
}

static int body_traverse(Body *self, visitproc visit, void *arg) {
    Py_VISIT(self->body);
    Py_VISIT(self->chunks);
    Py_VISIT(self->entry);
    return 0;
}

static int body_clear(Body *self) {
    Py_CLEAR(self->chunks);
    return 0;
}

/* A server that never closes, against the PEP. */
static void body_dealloc(Body *self) {
    PyObject_GC_UnTrack(self);
    if (entry_finish(self->entry) < 0)
        PyErr_WriteUnraisable(NULL); /* only while debugging */
    Py_DECREF(self->entry);
    Py_XDECREF(self->chunks);
    Py_DECREF(self->body);
    PyObject_GC_Del(self);
}

static PyMethodDef body_methods[] = {
    {"close", METHOD(body_close), METH_NOARGS, "Close the application's iterable; the span ends after it."},
    {0},
};

static PyMappingMethods sized = {.mp_length = (lenfunc)body_length};

#define BODY                                                                                                 \
    .tp_basicsize = sizeof(Body),                                                                            \
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,                 \
    .tp_iter = (getiterfunc)body_iterate, .tp_iternext = (iternextfunc)body_next,                            \
    .tp_getattro = (getattrofunc)body_attribute, .tp_methods = body_methods,                                 \
    .tp_traverse = (traverseproc)body_traverse, .tp_clear = (inquiry)body_clear,                             \
    .tp_dealloc = (destructor)body_dealloc

static PyTypeObject BodyType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "sonde.probe.core._core.Body",
    BODY,
};

/* Servers derive Content-Length from a length of 1. */
static PyTypeObject SizedBodyType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "sonde.probe.core._core.SizedBody",
    BODY,
    .tp_as_mapping = &sized,
};

/* -- serving -- */

/* NULL without an exception: there is an entry. */
static Entry *opened(PyObject *environ, PyObject *address) {
    if (!entry_plugins.key || !PyDict_CheckExact(environ) || entry_is_known(environ))
        return NULL;
    PyObject *served[SERVED_PARTS] = {0};
    PyObject *path = served_of(environ, address, served) == 0 ? path_of(environ) : NULL;
    PyObject *remote = path ? remote_of(environ) : NULL;
    Entry *entry = path && !PyErr_Occurred() ? entry_new(environ, served, path, remote) : NULL;
    for (int at = 0; at < SERVED_PARTS; at++)
        Py_XDECREF(served[at]);
    Py_XDECREF(path);
    Py_XDECREF(remote);
    return entry;
}

/* What the server gets for `body`, so that the span ends with it. Takes the reference to it. */
static PyObject *answered(PyObject *body, Entry *entry, PyObject *environ) {
    if (PyList_CheckExact(body) ||
        PyTuple_CheckExact(body)) { /* all bytes are there, nothing of theirs runs any more */
        if (entry_finish(entry) < 0)
            Py_CLEAR(body);
        return body;
    }
    PyObject *wrapper = PyDict_GetItemWithError(environ, keys[FILE_WRAPPER]), *out;
    if (wrapper && PyType_Check(wrapper) && PyObject_TypeCheck(body, (PyTypeObject *)wrapper))
        out = PyObject_CallFunctionObjArgs(entry_plugins.followed, body, (PyObject *)entry, environ, NULL);
    else
        out = followed(body, entry);
    if (!out && entry_fault("wsgi.body") == 0) {
        if (entry_finish(entry) == 0)
            return body;
    }
    Py_DECREF(body);
    return out;
}

PyObject *entry_serve_wsgi(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    PyObject *address = count == 4 && args[3] != Py_None ? args[3] : NULL;
    if (count < 3 || count > 4 || (address && !(PyTuple_Check(address) && PyTuple_GET_SIZE(address) == 2))) {
        PyErr_SetString(PyExc_TypeError,
                        "an application, its environ and start_response are needed, maybe an address");
        return NULL;
    }
    PyObject *application = args[0], *environ = args[1];
    Entry *entry = opened(environ, address);
    PyObject *start = entry ? entry_before(entry, args[2], started, "wsgi.start_response") : NULL;
    if (!start && PyErr_Occurred() && entry_fault("wsgi.serve") < 0) {
        Py_XDECREF(entry);
        return NULL;
    }
    if (!start) {
        Py_XDECREF(entry);
        return PyObject_Vectorcall(application, args + 1, 2, NULL);
    }
    PyObject *given[] = {environ, start};
    PyObject *body = PyObject_Vectorcall(application, given, 2, NULL);
    if (body) {
        body = answered(body, entry, environ);
    } else {
        entry_raised(entry);
        entry_finish(entry);
    }
    Py_DECREF(start);
    Py_DECREF(entry);
    return body;
}

int entry_wsgi_types_ready(void) {
    static const char *const names[KEYS] = {"REQUEST_METHOD", "wsgi.url_scheme",   "SERVER_NAME",
                                            "SERVER_PORT",    "SERVER_PROTOCOL",   "SCRIPT_NAME",
                                            "PATH_INFO",      "wsgi.file_wrapper", "close"};
    static const char *const remotes[REMOTE_KEYS] = {
        "HTTP_TRACEPARENT", "HTTP_TRACESTATE", "HTTP_SW8_CORRELATION", "HTTP_BAGGAGE",
        "HTTP_SW8",         "HTTP_B3",         "HTTP_X_B3_TRACEID",    "HTTP_X_SWOOLE_TRACEID"};
    for (int at = 0; at < KEYS; at++)
        if (!(keys[at] = PyUnicode_InternFromString(names[at])))
            return -1;
    for (int at = 0; at < REMOTE_KEYS; at++)
        if (!(remote_keys[at] = PyUnicode_InternFromString(remotes[at])))
            return -1;
    return PyType_Ready(&BodyType) < 0 ? -1 : PyType_Ready(&SizedBodyType);
}
