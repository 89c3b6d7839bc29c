/* sonde.probe.core._core: the span recorder, native. What each function means is said in its Python twin. */
#include "../python/compat.h"

#include "../wrapping/around.h"
#include "../sending/commands.h"
#include "../spans/context.h"
#include "counters.h"
#include "drain.h"
#include "../requests/entry.h"
#include "../requests/entry_asgi.h"
#include "../requests/entry_gates.h"
#include "../requests/entry_wsgi.h"
#include "../wrapping/gates.h"
#include "../requests/headers.h"
#include "lifecycle.h"
#include "../python/module_of.h"
#include "../spans/operation.h"
#include "../wrapping/passing.h"
#include "../spans/request_now.h"
#include "../spans/scopes.h"
#include "selftest.h"
#include "../spans/span.h"
#include "../wrapping/starts.h"
#include "../spans/tally.h"
#include "tick.h"

static PyObject *module_counters(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    uint64_t values[COUNTERS];
    counters_read(values);
    PyObject *counts = PyDict_New();
    for (int at = 0; counts && at < COUNTERS; at++) {
        PyObject *value = PyLong_FromUnsignedLongLong(values[at]);
        if (!value || PyDict_SetItemString(counts, counter_names[at], value) < 0)
            Py_CLEAR(counts);
        Py_XDECREF(value);
    }
    return counts;
}

static PyMethodDef functions[] = {
    {"start", METHOD(lifecycle_start), METH_FASTCALL | METH_KEYWORDS, "Begin to record."},
    {"set_resource", METHOD(lifecycle_set_resource), METH_O, "What the next batches say about this process."},
    {"agent_path", METHOD(lifecycle_agent_path), METH_NOARGS, "Where the agent listens."},
    {"stop", METHOD(lifecycle_stop), METH_O, "Stop recording and send what is there."},
    {"flush", METHOD(lifecycle_flush), METH_O, "Send what is finished."},
    {"_flush_at_exit", METHOD(lifecycle_flush_at_exit), METH_NOARGS, "The same, for at most exit_flush_ms."},
    {"_before_fork", METHOD(lifecycle_before_fork), METH_NOARGS, "End the sender's thread for a while."},
    {"_after_fork", METHOD(lifecycle_after_fork), METH_NOARGS, "And begin it again."},
    {"operation", METHOD(operation_make), METH_FASTCALL | METH_KEYWORDS, "Made once per wrap point."},
    {"leaf", METHOD(scopes_leaf), METH_FASTCALL | METH_KEYWORDS, "A span below the current one."},
    {"scope", METHOD(scopes_scope), METH_FASTCALL | METH_KEYWORDS,
     "A span that is the current one until it ends."},
    {"around", METHOD(around_make), METH_FASTCALL, "A function with a leaf span around each call."},
    {"around_async", METHOD(around_make_async), METH_FASTCALL, "The same for a coroutine function."},
    {"unless_calling", METHOD(gates_unless_calling), METH_FASTCALL,
     "One function, or another inside of a call."},
    {"injecting", METHOD(gates_injecting), METH_FASTCALL, "The same, and the call gets its headers."},
    {"routing", METHOD(gates_routing), METH_FASTCALL, "Afterwards, the request is told its route."},
    {"routing_scope", METHOD(gates_routing_scope), METH_FASTCALL, "The same, before, for a request of ASGI."},
    {"if_awaited", METHOD(passing_if_awaited), METH_FASTCALL, "A finder of some packages' modules alone."},
    {"if_in_scope", METHOD(passing_if_in_scope), METH_FASTCALL,
     "One function, or another by what a scope has."},
    {"if_newer", METHOD(passing_if_newer), METH_FASTCALL,
     "One function, or another where a span is not shown."},
    {"show", METHOD(passing_show), METH_FASTCALL, "How spans are shown to OpenTelemetry."},
    {"kept", METHOD(starts_kept), METH_FASTCALL, "A start that looks for an operation kept with an object."},
    {"http_pool", METHOD(starts_http_pool), METH_FASTCALL, "A start of requests on a connection pool."},
    {"http_request", METHOD(starts_http_request), METH_FASTCALL, "A start of requests that are objects."},
    {"http_answered", METHOD(starts_http_answered), METH_FASTCALL, "The result of both."},
    {"silence", METHOD(scopes_silence), METH_O, "Nothing of this context is recorded until it ends."},
    {"calling", METHOD(scopes_calling), METH_NOARGS, "The client span of a call that is being made."},
    {"sample", METHOD(scopes_sample), METH_FASTCALL, "Which traces are recorded."},
    {"on_tick", METHOD(tick_configure), METH_FASTCALL, "What is asked every few seconds for more to send."},
    {"on_command", METHOD(tick_configure_commands), METH_O, "What hears the agent's commands."},
    {"ask_tick", METHOD(tick_ask), METH_NOARGS, "There is something to send, within seconds."},
    {"take_tallies", METHOD(tally_take), METH_NOARGS, "What was counted of the others."},
    {"propagate", METHOD(headers_configure), METH_FASTCALL, "Which headers are written."},
    {"entries", METHOD(entry_configure), METH_O, "What plugins bring for requests."},
    {"serve_wsgi", METHOD(entry_serve_wsgi), METH_FASTCALL, "Call a WSGI application under a server span."},
    {"serve_asgi", METHOD(entry_serve_asgi), METH_FASTCALL, "Await an ASGI application under a server span."},
    {"serving_wsgi", METHOD(entry_gates_wsgi), METH_FASTCALL, "A WSGI framework's way in."},
    {"serving_asgi", METHOD(entry_gates_asgi), METH_FASTCALL, "An ASGI framework's way in."},
    {"current", METHOD(scopes_current), METH_NOARGS, "The innermost scope of this context."},
    {"counters", METHOD(module_counters), METH_NOARGS, "How often what happened in this process."},
    {"drain", METHOD(drain), METH_NOARGS, "Take the finished spans out."},
    {"self_test", METHOD(self_test), METH_NOARGS, "A span with known ids and times, encoded."},
    {0},
};

static int add_kinds(PyObject *module) {
    if (PyModule_AddIntConstant(module, "INTERNAL", INTERNAL) < 0 ||
        PyModule_AddIntConstant(module, "SERVER", SERVER) < 0 ||
        PyModule_AddIntConstant(module, "CLIENT", CLIENT) < 0 ||
        PyModule_AddIntConstant(module, "PRODUCER", PRODUCER) < 0 ||
        PyModule_AddIntConstant(module, "CONSUMER", CONSUMER) < 0)
        return -1;
    return 0;
}

static int add_commands(PyObject *module) {
    PyObject *capsule = PyCapsule_New((void *)&commands_for_others, COMMANDS_CAPSULE, NULL);
    int result = capsule ? PyModule_AddObjectRef(module, "_commands", capsule) : -1;
    Py_XDECREF(capsule);
    return result;
}

static int add_request_now(PyObject *module) {
    PyObject *capsule = request_now_capsule();
    int result = capsule ? PyModule_AddObjectRef(module, "_request_now", capsule) : -1;
    Py_XDECREF(capsule);
    return result;
}

static int begin(PyObject *module) {
    if (context_init() < 0 || operation_type_ready() < 0 || span_type_ready() < 0 ||
        around_types_ready() < 0 || starts_type_ready() < 0 || entry_types_ready() < 0 ||
        entry_wsgi_types_ready() < 0 || entry_asgi_types_ready() < 0 || add_kinds(module) < 0 ||
        add_commands(module) < 0 || PyModule_AddObjectRef(module, "CURRENT", context_variable()) < 0 ||
        add_request_now(module) < 0 || PyModule_AddType(module, &OperationType) < 0 ||
        PyModule_AddType(module, &SpanType) < 0)
        return -1;
    return 0;
}

/* One recorder per process. A sub-interpreter has the Python twin. */
MODULE_OF_MAIN_INTERPRETER(_core, "The span recorder, native.", functions, begin,
                           "the native core serves the main interpreter only")
