#include "entry_asgi.h"

#include "../python/errors.h"
#include "../wrapping/following.h"

enum { TYPE, METHOD_, SCHEME, SERVER_, VERSION, PATH, HEADERS, STATUS, MORE_BODY, KEYS };
enum { HTTP, WEBSOCKET, START, BODY, PATHSEND, DEFAULT_METHOD, EMPTY, TEXTS };

static PyObject *keys[KEYS], *texts[TEXTS], *zero;

static bool is(PyObject *text, int which) {
    return text == texts[which] || (PyUnicode_Check(text) && PyUnicode_Compare(text, texts[which]) == 0);
}

/* Borrowed; `missing` where there is none. */
static PyObject *look(PyObject *mapping, int key, PyObject *missing) {
    PyObject *found = PyDict_GetItemWithError(mapping, keys[key]);
    return found ? found : missing;
}

/* -- the request -- */

/* The protocol is `websocket`, or HTTP's version. New references. Returns 0, or -1 with an exception set. */
static int served_of(PyObject *scope, bool websocket, PyObject *served[SERVED_PARTS]) {
    PyObject *server = look(scope, SERVER_, Py_None), *host = NULL, *port = NULL;
    if (server != Py_None) {
        host = PySequence_GetItem(server, 0);
        port = host ? PySequence_GetItem(server, 1) : NULL;
    } else {
        host = Py_NewRef(texts[EMPTY]);
        port = Py_NewRef(zero);
    }
    if (port == Py_None) /* a unix socket */
        Py_SETREF(port, Py_NewRef(zero));
    served[0] = Py_NewRef(look(scope, METHOD_, texts[DEFAULT_METHOD]));
    served[1] = Py_NewRef(look(scope, SCHEME, texts[HTTP]));
    served[2] = host;
    served[3] = port;
    served[4] = Py_NewRef(websocket ? texts[WEBSOCKET] : look(scope, VERSION, texts[EMPTY]));
    return host && port ? 0 : -1;
}

/* 1: traceparent; 2: another header that a caller's trace may come by; 0: none. Names are lower case, by the
 * specification. */
static int kind_of(PyObject *name) {
    static const struct {
        const char *name;
        Py_ssize_t size;
    } others[] = {{"sw8", 3},
                  {"b3", 2},
                  {"baggage", 7},
                  {"tracestate", 10},
                  {"sw8-correlation", 15},
                  {"x-b3-traceid", 12},
                  {"x-swoole-traceid", 16}};
    if (!PyBytes_Check(name))
        return 0;
    Py_ssize_t size = PyBytes_GET_SIZE(name);
    const char *text = PyBytes_AS_STRING(name);
    if (size == 11)
        return memcmp(text, "traceparent", 11) == 0;
    for (size_t at = 0; at < sizeof others / sizeof *others; at++)
        if (size == others[at].size && text[0] == others[at].name[0] &&
            !memcmp(text, others[at].name, (size_t)size))
            return 2;
    return 0;
}

/* What core.scope takes as remote. New reference, NULL without one, or with an exception set. */
static PyObject *remote_of(PyObject *scope) {
    PyObject *headers = look(scope, HEADERS, NULL),
             *fast = headers ? PySequence_Fast(headers, "headers are a list") : NULL;
    PyObject *value = NULL;
    bool closer = false;
    for (Py_ssize_t at = 0; fast && at < PySequence_Fast_GET_SIZE(fast); at++) {
        PyObject *pair = PySequence_Fast_GET_ITEM(fast, at), *name;
        if (PyTuple_CheckExact(pair) && PyTuple_GET_SIZE(pair) == 2)
            name = PyTuple_GET_ITEM(pair, 0);
        else if (PyList_CheckExact(pair) && PyList_GET_SIZE(pair) == 2)
            name = PyList_GET_ITEM(pair, 0);
        else
            continue;
        int kind = kind_of(name);
        if (kind == 1 && !value)
            value = PyTuple_CheckExact(pair) ? PyTuple_GET_ITEM(pair, 1) : PyList_GET_ITEM(pair, 1);
        closer = closer || kind == 2;
    }
    PyObject *remote = NULL;
    if (closer)
        remote = PyObject_CallOneArg(entry_plugins.scope_remote, scope);
    else if (value && PyBytes_Check(value))
        remote = PyUnicode_DecodeLatin1(PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value), "replace");
    Py_XDECREF(fast);
    return remote;
}

/* -- send -- */

/* What the server gets. The last message ends the span: at the application's next pause, or its end. */
static void sending(Entry *self, PyObject *const *args, Py_ssize_t count) {
    PyObject *message = count ? args[0] : NULL;
    if (!message || !PyDict_Check(message))
        return;
    PyObject *type = look(message, TYPE, NULL);
    if (!type)
        return;
    if (is(type, START)) {
        PyObject *status = look(message, STATUS, NULL);
        if (status && PyLong_Check(status))
            self->status = PyLong_AsLong(status);
    } else if (is(type, BODY)) {
        PyObject *more = look(message, MORE_BODY, Py_False);
        self->answered = PyObject_IsTrue(more) == 0;
    } else if (is(type, PATHSEND)) {
        self->answered = true;
    }
}

/* -- serving -- */

enum { SCOPE, RECEIVE, SEND, ARGUMENTS };

/* NULL without an exception: there is an entry, or it is another kind of scope. */
static Entry *opened(PyObject *scope, bool *websocket) {
    if (!entry_plugins.key || !PyDict_CheckExact(scope))
        return NULL;
    PyObject *type = look(scope, TYPE, NULL);
    *websocket = type && is(type, WEBSOCKET);
    if (!type || (!*websocket && !is(type, HTTP)) || entry_is_known(scope))
        return NULL;
    PyObject *path = look(scope, PATH, NULL), *served[SERVED_PARTS] = {0};
    bool known = served_of(scope, *websocket, served) == 0;
    PyObject *remote = known ? remote_of(scope) : NULL;
    Entry *entry = known && path && !PyErr_Occurred() ? entry_new(scope, served, path, remote) : NULL;
    for (int at = 0; at < SERVED_PARTS; at++)
        Py_XDECREF(served[at]);
    Py_XDECREF(remote);
    return entry;
}

/* (receive, send) for the application, of which the entry hears. New reference, or NULL with an exception
 * set. */
static PyObject *watched(Following *self, Entry *entry, bool websocket) {
    PyObject *scope = self->args[SCOPE], *receive = self->args[RECEIVE];
    if (websocket)
        return PyObject_CallFunctionObjArgs(entry_plugins.watched, (PyObject *)entry, scope, receive,
                                            self->args[SEND], NULL);
    PyObject *send = entry_before(entry, self->args[SEND], sending, "asgi.send");
    return send ? Py_BuildValue("(ON)", receive, send) : NULL;
}

static int begin(Following *self) {
    bool websocket = false;
    Entry *entry = opened(self->args[SCOPE], &websocket);
    PyObject *pair = entry ? watched(self, entry, websocket) : NULL;
    self->state = (PyObject *)entry;
    if (PyErr_Occurred() && entry_fault("asgi.serve") < 0) {
        Py_XDECREF(pair);
        return -1;
    }
    PyObject *given[] = {self->args[SCOPE], self->args[RECEIVE], self->args[SEND]};
    if (pair && PyTuple_CheckExact(pair) && PyTuple_GET_SIZE(pair) == 2) {
        given[RECEIVE] = PyTuple_GET_ITEM(pair, 0);
        given[SEND] = PyTuple_GET_ITEM(pair, 1);
    }
    self->inner = PyObject_Vectorcall(self->owner, given, ARGUMENTS, NULL);
    Py_XDECREF(pair);
    return self->inner ? 0 : -1;
}

static int waits(Following *self) {
    Entry *entry = (Entry *)self->state;
    return entry && entry->answered ? entry_end(entry) : 0; /* what goes on is a background task */
}

static PyObject *returned(Following *self, PyObject *value) {
    if (self->state && entry_finish((Entry *)self->state) < 0)
        Py_CLEAR(value);
    return value;
}

static void raised(Following *self) {
    if (!self->state)
        return;
    entry_raised((Entry *)self->state);
    entry_finish((Entry *)self->state);
}

static const Steps steps = {.begin = begin, .waits = waits, .returned = returned, .raised = raised};

PyObject *entry_serve_asgi(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 1 + ARGUMENTS) {
        PyErr_SetString(PyExc_TypeError, "an application, its scope, receive and send are needed");
        return NULL;
    }
    if (PyDict_CheckExact(args[1]) && entry_plugins.key &&
        entry_is_known(args[1])) /* somebody further out serves it */
        return PyObject_Vectorcall(args[0], args + 1, ARGUMENTS, NULL);
    return following_new(&steps, args[0], NULL, args + 1, ARGUMENTS, NULL);
}

int entry_asgi_types_ready(void) {
    static const char *const names[KEYS] = {"type", "method",  "scheme", "server",   "http_version",
                                            "path", "headers", "status", "more_body"};
    static const char *const words[TEXTS] = {
        "http", "websocket", "http.response.start", "http.response.body", "http.response.pathsend",
        "GET",  ""};
    for (int at = 0; at < KEYS; at++)
        if (!(keys[at] = PyUnicode_InternFromString(names[at])))
            return -1;
    for (int at = 0; at < TEXTS; at++)
        if (!(texts[at] = PyUnicode_InternFromString(words[at])))
            return -1;
    return (zero = PyLong_FromLong(0)) ? 0 : -1;
}
