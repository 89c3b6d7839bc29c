#include "lifecycle.h"

#include "../python/args.h"
#include "../spans/attributes.h"
#include "../spans/clock.h"
#include "../sending/connection.h"
#include "../sending/frame_queue.h"
#include "process.h"
#include "../spans/protobuf.h"
#include "recorder.h"
#include "../sending/rings.h"
#include "../sending/sender.h"
#include "../sending/target.h"
#include "../sending/termination.h"
#include "tick.h"
#include "../python/text.h"
#include "../sending/work.h"

#include <unistd.h>

static const uint64_t PARK_WITHIN_NS = 20000000;   /* the longest that a fork waits for a slow agent, */
static const uint64_t PARK_AT_MOST_NS = 200000000; /* and for a processor */
/* And for Python's work: a thread that imports something leaves the module's lock taken in the child. */
static const uint64_t WORK_WITHIN_NS = 1000000000;

static bool append_text(Buffer *out, uint8_t tag, PyObject *text) {
    size_t size = text_size(text, recorder.max_value_bytes);
    uint8_t *at = buffer_reserve(out, field_size(size));
    if (!at)
        return false;
    put_text(put_head(at, tag, size), text, size);
    out->used += (uint32_t)field_size(size);
    return true;
}

/* ScopeSpans.scope as a field. Returns 0, or -1 with an exception set. */
static int encode_scope(PyObject *hello, Buffer *out) {
    Buffer body = {0};
    PyObject *name = PyUnicode_FromString("sonde");
    PyObject *version = PyMapping_GetItemString(hello, "probe_version");
    if (!version) {
        PyErr_Clear();
        version = PyUnicode_New(0, 0);
    }
    PyObject *text = version ? PyObject_Str(version) : NULL;
    uint8_t *at = NULL;
    if (name && text && append_text(&body, SCOPE_NAME, name) && append_text(&body, SCOPE_VERSION, text))
        at = buffer_reserve(out, field_size(body.used));
    if (at) {
        put_field(at, SCOPE_SPANS_SCOPE, body.bytes, body.used);
        out->used = (uint32_t)field_size(body.used);
    } else if (!PyErr_Occurred()) {
        PyErr_NoMemory();
    }
    Py_XDECREF(name);
    Py_XDECREF(version);
    Py_XDECREF(text);
    buffer_clear(&body);
    return at ? 0 : -1;
}

/* Hand the mapping to the sender as ResourceSpans.resource. Returns 0, or -1 with an exception set. */
static int set_resource(PyObject *mapping) {
    Attributes attributes = {0};
    Buffer field = {0};
    int result = attributes_put_all(&attributes, RESOURCE_ATTRIBUTES, mapping, recorder.max_value_bytes);
    if (result == 0) {
        uint8_t *at = buffer_reserve(&field, field_size(attributes.fields.used));
        if (at)
            put_field(at, RESOURCE_SPANS_RESOURCE, attributes.fields.bytes, attributes.fields.used);
        if (!at || !target_set_resource(at, field_size(attributes.fields.used))) {
            PyErr_NoMemory();
            result = -1;
        }
    }
    attributes_clear(&attributes);
    buffer_clear(&field);
    return result;
}

/* The HELLO payload up to where the pid comes in: a JSON object without its end. New reference, or NULL with
   an exception set. */
static PyObject *hello_start(PyObject *hello) {
    PyObject *json = PyImport_ImportModule("sonde.probe.core.plain_json");
    PyObject *facts = PyDict_New();
    PyObject *text = NULL;
    if (json && facts && PyDict_Update(facts, hello) == 0 &&
        (PyDict_DelItemString(facts, "pid") == 0 ||
         (PyErr_ExceptionMatches(PyExc_KeyError) && (PyErr_Clear(), 1))))
        text = PyObject_CallMethod(json, "dumps", "O", facts);
    Py_XDECREF(json);
    Py_XDECREF(facts);
    if (!text)
        return NULL;
    PyObject *open = PyUnicode_Substring(text, 0, PyUnicode_GET_LENGTH(text) - 1);
    Py_DECREF(text);
    if (!open || PyUnicode_GET_LENGTH(open) == 1)
        return open;
    Py_SETREF(open, PyUnicode_FromFormat("%U,", open));
    return open;
}

/* Tell the interpreter to call us when it ends. Returns 0, or -1 with an exception set. */
static int watch_exit(PyObject *module) {
    Py_XSETREF(recorder_exit_hook, PyObject_GetAttrString(module, "_flush_at_exit"));
    PyObject *exits = recorder_exit_hook ? PyImport_ImportModule("sonde.probe.core.exits") : NULL;
    PyObject *result = exits ? PyObject_CallMethod(exits, "at_exit", "O", recorder_exit_hook) : NULL;
    Py_XDECREF(exits);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

/* Ask to be called around the forks that Python knows of. Returns 0, or -1 with an exception set. */
static int watch_forks(PyObject *module) {
    static bool watched;
    if (watched)
        return 0;
    PyObject *os = PyImport_ImportModule("os");
    PyObject *function = os ? PyObject_GetAttrString(os, "register_at_fork") : NULL;
    PyObject *before = PyObject_GetAttrString(module, "_before_fork");
    PyObject *after = PyObject_GetAttrString(module, "_after_fork");
    PyObject *nothing = PyTuple_New(0), *result = NULL;
    PyObject *names =
        before && after ? Py_BuildValue("{s:O,s:O}", "before", before, "after_in_parent", after) : NULL;
    if (function && nothing && names)
        result = PyObject_Call(function, nothing, names);
    watched = result != NULL;
    Py_XDECREF(os);
    Py_XDECREF(function);
    Py_XDECREF(before);
    Py_XDECREF(after);
    Py_XDECREF(nothing);
    Py_XDECREF(names);
    Py_XDECREF(result);
    return watched ? 0 : -1;
}

static int prepare_sender(PyObject *module, PyObject *resource, PyObject *path, PyObject *hello,
                          long interval_ms) {
    Buffer scope = {0};
    PyObject *greeting = hello_start(hello);
    int result = -1;
    if (greeting && encode_scope(hello, &scope) == 0) {
        const char *text = PyUnicode_AsUTF8(greeting);
        if (text && target_set(PyBytes_AS_STRING(path), text, scope.bytes, scope.used)) {
            sender_prepare((uint32_t)interval_ms);
            sender_tick_at_ns = tick_at_ns;
            sender_tick = tick_begin_if_due;
            result = set_resource(resource);
        } else if (!PyErr_Occurred()) {
            PyErr_NoMemory();
        }
    }
    Py_XDECREF(greeting);
    buffer_clear(&scope);
    return result < 0 || watch_exit(module) < 0 ? -1 : watch_forks(module);
}

/* The number at `*given`, `missing` where there is none. Returns 0, or -1 with an exception set. */
static int read_number(PyObject *given, long missing, const char *name, long *number) {
    *number = given ? PyLong_AsLong(given) : missing;
    if (*number == -1 && PyErr_Occurred())
        return -1;
    if (*number < 0 || *number > 1L << 30) {
        PyErr_Format(PyExc_ValueError, "%s: %ld is out of range", name, *number);
        return -1;
    }
    return 0;
}

PyObject *lifecycle_start(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    enum {
        RESOURCE,
        SOCKET_PATH,
        HELLO,
        FLUSH_INTERVAL,
        RING_BYTES,
        MAX_VALUE,
        EXIT_FLUSH,
        DEBUG_,
        PARAMETERS
    };
    static const char *const parameters[] = {"resource",          "socket_path", "hello",
                                             "flush_interval_ms", "ring_bytes",  "max_value_bytes",
                                             "exit_flush_ms",     "debug",       NULL};
    static const Signature signature = {"start", parameters, 3, 2};
    PyObject *given[PARAMETERS], *path;
    long interval_ms, ring_bytes, max_value, exit_ms;
    if (args_read(&signature, args, count, names, given) < 0 ||
        read_number(given[FLUSH_INTERVAL], 100, "flush_interval_ms", &interval_ms) < 0 ||
        read_number(given[RING_BYTES], 1 << 20, "ring_bytes", &ring_bytes) < 0 ||
        read_number(given[MAX_VALUE], 1024, "max_value_bytes", &max_value) < 0 ||
        read_number(given[EXIT_FLUSH], 500, "exit_flush_ms", &exit_ms) < 0)
        return NULL;
    int debug = given[DEBUG_] ? PyObject_IsTrue(given[DEBUG_]) : 0;
    if (debug < 0 || recorder.on)
        return debug < 0 ? NULL : Py_NewRef(Py_None);
    if (!PyUnicode_FSConverter(given[SOCKET_PATH], &path))
        return NULL;

    int result = 0;
    recorder.has_sender = PyBytes_GET_SIZE(path) > 0;
    recorder.max_value_bytes = (size_t)max_value;
    recorder.exit_flush_ms = (uint32_t)exit_ms;
    termination_within((uint64_t)exit_ms * 1000000u);
    recorder.debug = debug;
    rings_set_room((size_t)ring_bytes);
    if (PyBytes_GET_SIZE(path) > MAX_PATH_BYTES) {
        PyErr_Format(PyExc_ValueError, "the path of a unix socket has at most %d bytes: %S", MAX_PATH_BYTES,
                     given[SOCKET_PATH]);
        result = -1;
    } else if (process_watch_forks() != 0) {
        PyErr_NoMemory();
        result = -1;
    } else if (recorder.has_sender) {
        result = prepare_sender(module, given[RESOURCE], path, given[HELLO], interval_ms);
    }
    Py_DECREF(path);
    if (result < 0) {
        recorder.has_sender = false;
        return NULL;
    }
    recorder.on = true;
    Py_RETURN_NONE;
}

PyObject *lifecycle_agent_path(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    const char *path = recorder.has_sender ? target_socket_path() : "";
    return PyUnicode_DecodeFSDefault(path);
}

PyObject *lifecycle_set_resource(PyObject *Py_UNUSED(module), PyObject *resource) {
    if (recorder.has_sender && set_resource(resource) < 0 && recorder_fault() < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* Returns 0, or -1 with an exception set. */
static int read_timeout(PyObject *seconds, uint64_t *ns) {
    double value = PyFloat_AsDouble(seconds);
    if (value == -1.0 && PyErr_Occurred())
        return -1;
    const double longest_s = 86400; /* NaN ends up here, too */
    *ns = (uint64_t)((value <= 0 ? 0 : value < longest_s ? value : longest_s) * 1e9);
    return 0;
}

static uint64_t left_until(uint64_t until_ns) {
    uint64_t now_ns = clock_monotonic_ns();
    return now_ns < until_ns ? until_ns - now_ns : 0;
}

PyObject *lifecycle_stop(PyObject *Py_UNUSED(module), PyObject *timeout_s) {
    uint64_t timeout_ns;
    if (read_timeout(timeout_s, &timeout_ns) < 0)
        return NULL;
    recorder.on = false;
    if (recorder.has_sender) {
        tick_now();
        recorder.has_sender = false;
        if (!sender_is_running() && queue_waits(&outbox))
            sender_start();
        Py_BEGIN_ALLOW_THREADS;
        uint64_t until_ns = clock_monotonic_ns() + timeout_ns;
        work_wait(timeout_ns);
        sender_stop(left_until(until_ns));
        queue_clear(&inbox); /* what the agent has said to a probe that is off is not for the next one */
        queue_clear(&command_inbox);
        Py_END_ALLOW_THREADS;
    }
    Py_RETURN_NONE;
}

static PyObject *flush(uint64_t timeout_ns, bool last) {
    bool flushed;
    if (recorder.has_sender)
        tick_now();
    if (last)
        tick_never_again();
    if (recorder.has_sender && !sender_is_running() && (!rings_empty() || queue_waits(&outbox)))
        sender_start(); /* it was parked for a fork while no agent was there, or could not be started */
    Py_BEGIN_ALLOW_THREADS;
    uint64_t until_ns = clock_monotonic_ns() + timeout_ns;
    if (last)
        work_wait(timeout_ns); /* it may not be in the middle of something when the interpreter ends */
    flushed = recorder.has_sender ? sender_flush(left_until(until_ns), last) : rings_empty();
    Py_END_ALLOW_THREADS;
    return PyBool_FromLong(flushed);
}

PyObject *lifecycle_flush(PyObject *Py_UNUSED(module), PyObject *timeout_s) {
    uint64_t timeout_ns;
    return read_timeout(timeout_s, &timeout_ns) < 0 ? NULL : flush(timeout_ns, false);
}

PyObject *lifecycle_flush_at_exit(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    return flush(recorder.exit_flush_ms * 1000000ull, true);
}

PyObject *lifecycle_before_fork(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    if (recorder.on && recorder.has_sender) {
        Py_BEGIN_ALLOW_THREADS;
        sender_park(PARK_WITHIN_NS, PARK_AT_MOST_NS);
        work_wait(WORK_WITHIN_NS);
        Py_END_ALLOW_THREADS;
    }
    Py_RETURN_NONE;
}

static PyFrameObject *forking; /* compared only */

/* In the first thread, at its next step in Python: fork() has returned, and who warns of it has counted
 * threads. */
static int resume(void *Py_UNUSED(nothing)) {
    PyFrameObject *now = PyEval_GetFrame(), *caller = now ? PyFrame_GetBack(now) : NULL;
    bool in_hook = caller && caller == forking; /* of another's: then the next span will do */
    Py_XDECREF(caller);
    if (!in_hook && recorder.on && recorder.has_sender)
        sender_resume();
    return 0;
}

PyObject *lifecycle_after_fork(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    forking = PyEval_GetFrame();
    /* A thread that forks is warned of anyway, and the first one may not take another step for long. */
    if (gettid() != getpid() || Py_AddPendingCall(resume, NULL) < 0)
        resume(NULL);
    Py_RETURN_NONE;
}
