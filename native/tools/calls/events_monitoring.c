/* From 3.12 on. The callbacks are objects of our own with nothing but a vectorcall: half the way of a
   built-in function. */
#include "events.h"

#if PY_VERSION_HEX >= 0x030C0000

#include "labels.h"
#include "marks.h"
#include "stacks.h"

static inline Activation frame_now(const PyThreadState *state) {
#if PY_VERSION_HEX < 0x030D0000
    return (Activation)state->cframe->current_frame;
#else
    return (Activation)state->current_frame;
#endif
}

/* -- callbacks: what each gets stands in the documentation of sys.monitoring -- */

#define CALLBACK(name)                                                                                       \
    static PyObject *name(PyObject *Py_UNUSED(self), PyObject *const *args, size_t Py_UNUSED(count),         \
                          PyObject *Py_UNUSED(names))

CALLBACK(py_start) {
    PyThreadState *state = PyThreadState_Get();
    Stack *stack = stack_of(state);
    if (!stack->excluded && (!marks_some || marks_here()))
        stack_enter(stack, frame_now(state), args[0], args[0], 1);
    Py_RETURN_NONE;
}

CALLBACK(py_resume) {
    PyThreadState *state = PyThreadState_Get();
    Stack *stack = stack_of(state);
    if (stack->excluded || (marks_some && !marks_here()))
        Py_RETURN_NONE;
    if (((PyCodeObject *)args[0])->co_flags & WAITING_KINDS)
        stacks_goes_on(frame_now(state));
    stack_enter(stack, frame_now(state), args[0], args[0], 0);
    Py_RETURN_NONE;
}

CALLBACK(py_return) {
    PyThreadState *state = PyThreadState_Get();
    Stack *stack = stack_of(state);
    if (!stack->excluded)
        stack_leave(stack, frame_now(state));
    Py_RETURN_NONE;
}

CALLBACK(py_yield) {
    PyThreadState *state = PyThreadState_Get();
    Stack *stack = stack_of(state);
    if (stack->excluded)
        Py_RETURN_NONE;
    Activation frame = frame_now(state);
    if (((PyCodeObject *)args[0])->co_flags & WAITING_KINDS)
        stack_waits(stack, frame);
    stack_leave(stack, frame);
    Py_RETURN_NONE;
}

CALLBACK(c_call) {
    const void *key = label_key(args[2]);
    if (!key)
        Py_RETURN_NONE;
    PyThreadState *state = PyThreadState_Get();
    Stack *stack = stack_of(state);
    if (stack->excluded || (marks_some && !marks_here()))
        Py_RETURN_NONE;
    Activation call = OF_C(frame_now(state));
    if (stack->calls[stack->depth].activation == call)
        stack_leave(stack, call); /* the one before it: a way to call that says nothing of the end */
    stack_enter(stack, call, key, args[2], 1);
    Py_RETURN_NONE;
}

CALLBACK(c_return) {
    PyThreadState *state = PyThreadState_Get();
    Stack *stack = stack_of(state);
    if (!stack->excluded && label_key(args[2]))
        stack_leave(stack, OF_C(frame_now(state)));
    Py_RETURN_NONE;
}

/* -- their objects -- */

typedef struct {
    PyObject_HEAD vectorcallfunc call;
} Callback;

static PyTypeObject CallbackType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "sonde.probe.tools._calls.Callback",
    .tp_basicsize = sizeof(Callback),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_vectorcall_offset = offsetof(Callback, call),
    .tp_call = PyVectorcall_Call,
};

static const struct {
    const char *name;
    vectorcallfunc call;
    bool of_c;
    bool own; /* has a bit of its own: C_RETURN and C_RAISE come with CALL */
} heard[] = {
    {"PY_START", py_start, false, true},   {"PY_RESUME", py_resume, false, true},
    {"PY_THROW", py_resume, false, true},  {"PY_RETURN", py_return, false, true},
    {"PY_UNWIND", py_return, false, true}, {"PY_YIELD", py_yield, false, true},
    {"CALL", c_call, true, true},          {"C_RETURN", c_return, true, false},
    {"C_RAISE", c_return, true, false},
};

enum { HEARD = sizeof heard / sizeof *heard };

static PyObject *monitoring; /* the module */
static int tool = -1;
static bool of_c;

int events_init(void) {
    return PyType_Ready(&CallbackType);
}

/* The event's bit, or -1 with an exception set. */
static long bit_of(const char *name) {
    PyObject *events = PyObject_GetAttrString(monitoring, "events");
    PyObject *bit = events ? PyObject_GetAttrString(events, name) : NULL;
    long value = bit ? PyLong_AsLong(bit) : -1;
    Py_XDECREF(events);
    Py_XDECREF(bit);
    return value;
}

static int set_callback(long bit, vectorcallfunc call) {
    PyObject *callback = Py_NewRef(Py_None);
    if (call) {
        Callback *made = PyObject_New(Callback, &CallbackType);
        if (made)
            made->call = call;
        Py_SETREF(callback, (PyObject *)made);
    }
    PyObject *old =
        callback ? PyObject_CallMethod(monitoring, "register_callback", "ilO", tool, bit, callback) : NULL;
    Py_XDECREF(callback);
    Py_XDECREF(old);
    return old ? 0 : -1;
}

static int set_events(long bits) {
    PyObject *answer = PyObject_CallMethod(monitoring, "set_events", "il", tool, bits);
    Py_XDECREF(answer);
    return answer ? 0 : -1;
}

static int set_callbacks(bool on) {
    for (int at = 0; at < HEARD; at++) {
        if (heard[at].of_c && !of_c)
            continue;
        long bit = bit_of(heard[at].name);
        if (bit < 0 || set_callback(bit, on ? heard[at].call : NULL) < 0)
            return -1;
    }
    return 0;
}

static long bits_heard(void) {
    long bits = 0;
    for (int at = 0; at < HEARD; at++) {
        if (!heard[at].own || (heard[at].of_c && !of_c))
            continue;
        long bit = bit_of(heard[at].name);
        if (bit < 0)
            return -1;
        bits |= bit;
    }
    return bits;
}

int events_on(int given, bool c_functions) {
    PyObject *sys = PyImport_ImportModule("sys");
    Py_XSETREF(monitoring, sys ? PyObject_GetAttrString(sys, "monitoring") : NULL);
    Py_XDECREF(sys);
    if (!monitoring)
        return -1;
    PyObject *answer = PyObject_CallMethod(monitoring, "use_tool_id", "is", given, "sonde calls");
    if (!answer)
        return -1;
    Py_DECREF(answer);
    tool = given;
    of_c = c_functions;
    long bits = bits_heard();
    if (bits < 0 || set_callbacks(true) < 0 || set_events(bits) < 0) {
        PyObject *type, *error, *traceback;
        PyErr_Fetch(&type, &error, &traceback);
        events_off();
        PyErr_Restore(type, error, traceback);
        return -1;
    }
    return 0;
}

void events_off(void) {
    if (tool < 0)
        return;
    if (set_events(0) < 0)
        PyErr_WriteUnraisable(monitoring);
    if (set_callbacks(false) < 0)
        PyErr_WriteUnraisable(monitoring);
    PyObject *answer = PyObject_CallMethod(monitoring, "free_tool_id", "i", tool);
    if (!answer)
        PyErr_WriteUnraisable(monitoring);
    Py_XDECREF(answer);
    tool = -1;
}

int events_adopt(void) {
    return 0; /* events are of the interpreter: a new thread is heard from its first call on */
}

void events_adopt_here(void) {}

bool events_by_thread(void) {
    return false;
}

#endif
