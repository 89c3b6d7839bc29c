/* Before 3.12: the profile hook, which each thread has one of; without calls of C, the evaluation of frames.
 */
#include "events.h"

#if PY_VERSION_HEX < 0x030C0000

#include <opcode.h>

#include "events_evaluation.h"
#include "labels.h"
#include "marks.h"
#include "stacks.h"

static bool on, of_c;

/* -- generators: the hook says call for a resumption, and return for a yield -- */

static int last_opcode(PyFrameObject *frame, PyCodeObject *code, int *argument) {
    int at = PyFrame_GetLasti(frame);
    if (at < 0)
        return -1;
    _Py_CODEUNIT unit = _PyCode_CODE(code)[at / (int)sizeof(_Py_CODEUNIT)];
    *argument = _Py_OPARG(unit);
    return _Py_OPCODE(unit);
}

static bool is_generator(const PyCodeObject *code) {
    return code->co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ITERABLE_COROUTINE | CO_ASYNC_GENERATOR);
}

static bool begins(PyFrameObject *frame, PyCodeObject *code) {
    int argument = 0;
    if (!is_generator(code))
        return true;
    int opcode = last_opcode(frame, code, &argument);
    return (opcode == RESUME || opcode == RESUME_QUICK) && argument == 0;
}

static bool yields(PyFrameObject *frame, PyCodeObject *code) {
    int argument;
    return last_opcode(frame, code, &argument) == YIELD_VALUE;
}

/* -- the hook -- */

static void enter_python(Stack *stack, PyFrameObject *frame) {
    PyCodeObject *code = PyFrame_GetCode(frame);
    bool first = begins(frame, code);
    if (!first && code->co_flags & WAITING_KINDS)
        stacks_goes_on((Activation)frame);
    stack_enter(stack, (Activation)frame, code, (PyObject *)code, first);
    Py_DECREF(code);
}

static void leave_python(Stack *stack, PyFrameObject *frame, PyObject *value) {
    PyCodeObject *code = PyFrame_GetCode(frame);
    if (value && code->co_flags & WAITING_KINDS && yields(frame, code))
        stack_waits(stack, (Activation)frame);
    Py_DECREF(code);
    stack_leave(stack, (Activation)frame);
}

static int hook(PyObject *Py_UNUSED(own), PyFrameObject *frame, int what, PyObject *arg) {
    Stack *stack = stack_of(PyThreadState_Get());
    if (!on || stack->excluded)
        return 0;
    bool begins_now = what == PyTrace_CALL || (what == PyTrace_C_CALL && of_c);
    if (begins_now && marks_some && !marks_here())
        return 0;
    if (what == PyTrace_CALL)
        enter_python(stack, frame);
    else if (what == PyTrace_RETURN)
        leave_python(stack, frame, arg);
    else if (what == PyTrace_C_CALL && of_c)
        stack_enter(stack, OF_C(frame), label_key(arg), arg, 1);
    else if (of_c)
        stack_leave(stack, OF_C(frame));
    return 0;
}

/* -- all threads -- */

int events_init(void) {
    return 0;
}

static bool adopted(PyThreadState *state) {
    if (_PyEval_SetProfile(state, hook, NULL) == 0)
        return true;
    PyErr_WriteUnraisable(NULL); /* an audit hook of the application's says no */
    return false;
}

int events_adopt(void) {
    int count = 0;
    PyThreadState *own = PyThreadState_Get();
    for (PyThreadState *state = on ? PyInterpreterState_ThreadHead(own->interp) : NULL; state;
         state = PyThreadState_Next(state))
        if (!state->c_profilefunc && state != own)
            count += adopted(state);
    return count;
}

void events_adopt_here(void) {
    adopted(PyThreadState_Get());
}

int events_on(int Py_UNUSED(tool), bool c_functions) {
    PyThreadState *own = PyThreadState_Get();
    for (PyThreadState *state = PyInterpreterState_ThreadHead(own->interp); state;
         state = PyThreadState_Next(state)) {
        if (state->c_profilefunc) {
            PyErr_SetString(PyExc_RuntimeError,
                            "another profiler has a thread's profile hook (sys.setprofile)");
            return -1;
        }
    }
    of_c = c_functions;
    if (!c_functions && evaluation_is_free()) {
        evaluation_on();
        return 0;
    }
    on = true;
    events_adopt();
    return 0;
}

bool events_by_thread(void) {
    return on;
}

void events_off(void) {
    PyThreadState *own = PyThreadState_Get();
    on = false;
    evaluation_off();
    for (PyThreadState *state = PyInterpreterState_ThreadHead(own->interp); state;
         state = PyThreadState_Next(state))
        if (state->c_profilefunc == hook && _PyEval_SetProfile(state, NULL, NULL) < 0)
            PyErr_WriteUnraisable(NULL);
}

#endif
