#include "entry.h"

#include <structmember.h>

#include "../python/errors.h"
#include "../spans/scopes.h"
#include "../spans/span_events.h"

Plugins entry_plugins;

static struct {
    PyObject *path, *route, *status, *error_type;
} keys;

PyObject *entry_configure(PyObject *Py_UNUSED(module), PyObject *parts) {
    static const struct {
        const char *name;
        PyObject **place;
    } all[] = {
        {"key", &entry_plugins.key},
        {"operations", &entry_plugins.operations},
        {"names", &entry_plugins.names},
        {"failing", &entry_plugins.failing},
        {"unrouted", &entry_plugins.unrouted},
        {"ignored", &entry_plugins.ignored},
        {"fault", &entry_plugins.fault},
        {"environ_remote", &entry_plugins.environ_remote},
        {"scope_remote", &entry_plugins.scope_remote},
        {"followed", &entry_plugins.followed},
        {"began", &entry_plugins.began},
        {"ended", &entry_plugins.ended},
        {"watched", &entry_plugins.watched},
    };
    entry_names_forget();
    for (size_t at = 0; at < sizeof all / sizeof *all; at++) {
        PyObject *part = PyMapping_GetItemString(parts, all[at].name);
        if (part == Py_None)
            Py_CLEAR(part);
        if (part || !PyErr_Occurred())
            Py_XSETREF(*all[at].place, part);
        else if (PyErr_ExceptionMatches(PyExc_KeyError))
            PyErr_Clear();
        else
            return NULL;
    }
    Py_RETURN_NONE;
}

int entry_fault(const char *place) {
    if (!PyErr_ExceptionMatches(PyExc_Exception))
        return -1;
    PyObject *error = error_taken(), *before = PyErr_GetHandledException();
    PyErr_SetHandledException(error);
    PyObject *answer = PyObject_CallFunction(entry_plugins.fault, "s", place);
    PyErr_SetHandledException(before);
    Py_XDECREF(error);
    Py_XDECREF(before);
    Py_XDECREF(answer);
    return answer ? 0 : -1;
}

/* -- life -- */

/* 1: its requests are left out; 0: not; -1: with an exception set. */
static int is_ignored(PyObject *path) {
    if (!entry_plugins.ignored)
        return 0;
    PyObject *answer = PyObject_CallOneArg(entry_plugins.ignored, path);
    int ignored = answer ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    return ignored;
}

static Span *begin(PyObject *const served[SERVED_PARTS], PyObject *path, PyObject *remote) {
    Operation *operation = entry_operation(served);
    int ignored = operation ? is_ignored(path) : -1;
    Span *span = NULL;
    if (ignored > 0)
        span = scope_silence(operation);
    else if (ignored == 0)
        span = scope_begin(operation, remote);
    Py_XDECREF(operation);
    if (span && span_set(span, keys.path, path) < 0) {
        span_finish(span);
        Py_CLEAR(span);
    }
    return span;
}

/* Tell watchers. Returns 0, or -1 with an exception set. */
static int tell(PyObject *watcher, Entry *entry) {
    PyObject *answer = watcher ? PyObject_CallOneArg(watcher, (PyObject *)entry) : Py_NewRef(Py_None);
    int result = answer ? 0 : entry_fault("entry.watch");
    Py_XDECREF(answer);
    return result;
}

Entry *entry_new(PyObject *mapping, PyObject *const served[SERVED_PARTS], PyObject *path, PyObject *remote) {
    Span *span = begin(served, path, remote);
    Entry *self = span ? PyObject_New(Entry, &EntryType) : NULL;
    if (!self) {
        if (span)
            span_finish(span);
        Py_XDECREF(span);
        return NULL;
    }
    self->span = span;
    self->scope = (Span *)Py_NewRef((PyObject *)span);
    self->method = Py_NewRef(served[SERVED_METHOD]);
    self->path = Py_NewRef(path);
    self->name = NULL;
    self->status = 0;
    self->failed = self->answered = self->routed = false;
    if (PyDict_SetItem(mapping, entry_plugins.key, (PyObject *)self) < 0 ||
        tell(entry_plugins.began, self) < 0) {
        entry_finish(self);
        Py_CLEAR(self);
    }
    return self;
}

bool entry_is_known(PyObject *mapping) {
    PyObject *known = PyDict_CheckExact(mapping) ? PyDict_GetItemWithError(mapping, entry_plugins.key) : NULL;
    if (!known || known == Py_None)
        return false;
    if (Py_TYPE(known) == &EntryType)
        return ((Entry *)known)->span != NULL;
    PyObject *span = PyObject_GetAttrString(known, "span");
    bool runs = span && span != Py_None;
    PyErr_Clear();
    Py_XDECREF(span);
    return runs;
}

static int set_status(Entry *self, Span *span) {
    if (!self->status)
        return 0;
    PyObject *status = PyLong_FromLong(self->status);
    int result = status ? span_set(span, keys.status, status) : -1;
    if (result == 0 && self->status >= 500 && !self->failed) {
        PyObject *text = PyObject_Str(status);
        result = text ? span_set(span, keys.error_type, text) : -1;
        Py_XDECREF(text);
        if (result == 0)
            result = span_fail_with(span, NULL, NULL);
    }
    Py_XDECREF(status);
    return result;
}

int entry_end(Entry *self) {
    Span *span = self->span;
    if (!span)
        return 0;
    self->span = NULL;
    int result = 0;
    if (!self->routed && self->status != 404 && self->status != 405 && entry_plugins.unrouted) {
        PyObject *answer = PyObject_CallFunctionObjArgs(entry_plugins.unrouted, (PyObject *)span,
                                                        self->method, self->path, NULL);
        result = answer ? 0 : -1;
        Py_XDECREF(answer);
    }
    if (result == 0)
        result = set_status(self, span);
    if (result < 0)
        result = entry_fault("entry.finish");
    if (span_record(span) < 0)
        result = -1;
    Py_DECREF(span);
    return result;
}

int entry_finish(Entry *self) {
    PyObject *before = PyErr_Occurred() ? error_taken() : NULL;
    int result = entry_end(self);
    Span *scope = self->scope;
    self->scope = NULL;
    if (scope) {
        if (span_finish(scope) < 0)
            result = -1;
        Py_DECREF(scope);
        if (result == 0)
            result = tell(entry_plugins.ended, self);
    }
    if (before) {
        PyErr_Clear(); /* only while debugging */
        error_raise(before);
        return 0;
    }
    return result;
}

static int fail(Entry *self, PyObject *error) {
    if (!self->span || self->failed)
        return 0;
    PyObject *answer =
        PyObject_CallFunctionObjArgs(entry_plugins.failing, (PyObject *)self->span, error, NULL);
    if (!answer)
        return -1;
    self->failed = answer == Py_True;
    Py_DECREF(answer);
    return 0;
}

void entry_raised(Entry *self) {
    PyObject *error = error_taken();
    if (fail(self, error) == 0)
        error_raise(error);
    else
        Py_DECREF(error); /* only while debugging */
}

/* -- for plugins -- */

static int routed(Entry *self, PyObject *route) {
    if (!self->span)
        return 0;
    self->routed = true;
    PyObject *name = entry_name(self->method, route);
    int result = name ? span_set(self->span, keys.route, route) : -1;
    if (result == 0)
        result = span_rename(self->span, name);
    Py_XSETREF(self->name, name);
    return result;
}

int entry_routed(PyObject *entry, PyObject *route) {
    if (Py_TYPE(entry) == &EntryType)
        return routed((Entry *)entry, route);
    PyObject *answer = PyObject_CallMethod(entry, "routed", "O", route);
    Py_XDECREF(answer);
    return answer ? 0 : -1;
}

static PyObject *method_routed(Entry *self, PyObject *route) {
    if (routed(self, route) < 0 && entry_fault("entry.routed") < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *method_fail(Entry *self, PyObject *error) {
    if (fail(self, error) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *method_finish(Entry *self, PyObject *Py_UNUSED(nothing)) {
    if (entry_finish(self) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *get_span(Entry *self, void *Py_UNUSED(closure)) {
    return Py_NewRef(self->span ? (PyObject *)self->span : Py_None);
}

static void dealloc(Entry *self) {
    Py_XDECREF(self->span);
    Py_XDECREF(self->scope);
    Py_XDECREF(self->method);
    Py_XDECREF(self->path);
    Py_XDECREF(self->name);
    PyObject_Free(self);
}

static PyMethodDef methods[] = {
    {"routed", METHOD(method_routed), METH_O, "The framework found the route."},
    {"fail", METHOD(method_fail), METH_O, "Mark the request failed by an exception."},
    {"finish", METHOD(method_finish), METH_NOARGS, "End the span, the first time."},
    {0},
};

static PyMemberDef members[] = {
    {"status", T_LONG, offsetof(Entry, status), 0, "The answer's status code; 0 while there is none."},
    {"method", T_OBJECT, offsetof(Entry, method), READONLY, "Of the request."},
    {"path", T_OBJECT, offsetof(Entry, path), READONLY, "Of the request."},
    {"name", T_OBJECT, offsetof(Entry, name), READONLY, "Method and route; None while that is not known."},
    {0},
};

static PyGetSetDef properties[] = {
    {"span", (getter)get_span, NULL, "None when the entry is finished.", NULL},
    {0},
};

PyTypeObject EntryType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "sonde.probe.core._core.Entry",
    .tp_basicsize = sizeof(Entry),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_methods = methods,
    .tp_members = members,
    .tp_getset = properties,
    .tp_dealloc = (destructor)dealloc,
};

/* -- before the server's functions -- */

/* An object of its own: it leads to the server's, which lead to the mapping with the entry. */
typedef struct {
    PyObject_HEAD vectorcallfunc call;
    Entry *entry;
    PyObject *next;
    EntryLooks looks;
    const char *place;
} Before;

static PyTypeObject BeforeType;

static PyObject *before_call(Before *self, PyObject *const *args, size_t count, PyObject *names) {
    self->looks(self->entry, args, PyVectorcall_NARGS(count));
    if (PyErr_Occurred() && entry_fault(self->place) < 0)
        return NULL;
    return PyObject_Vectorcall(self->next, args, count, names);
}

PyObject *entry_before(Entry *entry, PyObject *next, EntryLooks looks, const char *place) {
    Before *self = PyObject_GC_New(Before, &BeforeType);
    if (!self)
        return NULL;
    self->call = (vectorcallfunc)(void (*)(void))before_call;
    self->entry = (Entry *)Py_NewRef((PyObject *)entry);
    self->next = Py_NewRef(next);
    self->looks = looks;
    self->place = place;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static int before_traverse(Before *self, visitproc visit, void *arg) {
    Py_VISIT(self->next);
    return 0;
}

static void before_dealloc(Before *self) {
    PyObject_GC_UnTrack(self);
    Py_DECREF(self->entry);
    Py_DECREF(self->next);
    PyObject_GC_Del(self);
}

static PyTypeObject BeforeType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "sonde.probe.core._core.Before",
    .tp_basicsize = sizeof(Before),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
                Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_vectorcall_offset = offsetof(Before, call),
    .tp_call = PyVectorcall_Call,
    .tp_traverse = (traverseproc)before_traverse,
    .tp_dealloc = (destructor)before_dealloc,
};

int entry_types_ready(void) {
    if (!(keys.path = PyUnicode_InternFromString("url.path")) ||
        !(keys.route = PyUnicode_InternFromString("http.route")) ||
        !(keys.status = PyUnicode_InternFromString("http.response.status_code")) ||
        !(keys.error_type = PyUnicode_InternFromString("error.type")))
        return -1;
    return PyType_Ready(&EntryType) < 0 ? -1 : PyType_Ready(&BeforeType);
}
