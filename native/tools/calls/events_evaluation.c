#include <Python.h>

#if PY_VERSION_HEX < 0x030C0000

#define Py_BUILD_CORE 1 /* for the frame's layout, of this one version */
#include <internal/pycore_frame.h>

#include "events_evaluation.h"

#include <opcode.h>

#include "marks.h"
#include "stacks.h"

typedef struct _PyInterpreterFrame Frame;

enum { GENERATORS = CO_GENERATOR | CO_COROUTINE | CO_ITERABLE_COROUTINE | CO_ASYNC_GENERATOR };

static bool on;
static uint64_t run; /* what a frame that outlives its run is known by */

static PyObject *evaluate(PyThreadState *state, Frame *frame, int throwing);

static void install(bool ours) {
    _PyInterpreterState_SetEvalFrameFunc(PyInterpreterState_Get(),
                                         ours ? evaluate : _PyEval_EvalFrameDefault);
}

bool evaluation_is_free(void) {
    return _PyInterpreterState_GetEvalFrameFunc(PyInterpreterState_Get()) == _PyEval_EvalFrameDefault;
}

/* Half of the C stack is taken: Python calls in here are evaluated as without us, on Python's own stack, and
   for that time no thread is heard. */
static PyObject *step_aside(PyThreadState *state, Frame *frame, int throwing) {
    uint64_t its_run = run;
    stacks_aside++;
    install(false);
    PyObject *value = _PyEval_EvalFrameDefault(state, frame, throwing);
    if (on && run == its_run && evaluation_is_free())
        install(true);
    return value;
}

/* A generator's body has not begun: it stands behind what made the generator. */
static bool begins(const Frame *frame) {
    return _Py_OPCODE(*frame->prev_instr) == RETURN_GENERATOR;
}

static bool is_suspended(const Frame *frame) {
    return _PyFrame_GetGenerator((Frame *)frame)->gi_frame_state == FRAME_SUSPENDED;
}

static PyObject *evaluate(PyThreadState *state, Frame *frame, int throwing) {
    Stack *stack = stack_of(state);
    if (__builtin_expect((uintptr_t)__builtin_frame_address(0) < stack_floor(stack), 0))
        return step_aside(state, frame, throwing);
    PyCodeObject *code = frame->f_code;
    bool generator = code->co_flags & GENERATORS;
    /* the first evaluation of a generator's code does no more than make it */
    if (stack->excluded || (generator && frame->owner != FRAME_OWNED_BY_GENERATOR) ||
        (marks_some && !marks_here()))
        return _PyEval_EvalFrameDefault(state, frame, throwing);

    uint64_t its_run = run;
    bool waits = code->co_flags & WAITING_KINDS;
    bool first = !generator || begins(frame);
    if (waits && !first)
        stacks_goes_on((Activation)frame);
    stack_enter(stack, (Activation)frame, code, (PyObject *)code, first);
    PyObject *value = _PyEval_EvalFrameDefault(state, frame, throwing);
    if (!on || run != its_run)
        return value;
    stack = stack_of(state);
    if (waits && value && is_suspended(frame))
        stack_waits(stack, (Activation)frame);
    stack_leave(stack, (Activation)frame);
    return value;
}

void evaluation_on(void) {
    run++;
    on = true;
    install(true);
}

void evaluation_off(void) {
    if (!on)
        return;
    on = false;
    if (_PyInterpreterState_GetEvalFrameFunc(PyInterpreterState_Get()) == evaluate)
        install(false);
}

#endif
