/* The interpreter's own frames, read in place: an allocation may not make frame objects. GIL: held. */
#ifndef SONDE_LEAKS_STACK_H
#define SONDE_LEAKS_STACK_H

#define PY_SSIZE_T_CLEAN
#define Py_BUILD_CORE 1
#include <Python.h>

#if PY_VERSION_HEX >= 0x030E0000
#error "the frames of this version are not known"
#endif

#ifdef Py_GIL_DISABLED
#error "without the GIL the tables would need locks"
#endif

#include <internal/pycore_frame.h>

typedef struct _PyInterpreterFrame Frame;

static inline PyThreadState *stack_thread(void) {
#if PY_VERSION_HEX >= 0x030D0000
    return PyThreadState_GetUnchecked();
#else
    return _PyThreadState_UncheckedGet();
#endif
}

/* NULL: the frame is none of Python's. Borrowed. */
static inline PyCodeObject *stack_code(const Frame *frame) {
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *code = frame->f_executable;
    return code && PyCode_Check(code) && frame->owner != FRAME_OWNED_BY_CSTACK ? (PyCodeObject *)code : NULL;
#elif PY_VERSION_HEX >= 0x030C0000
    return frame->owner != FRAME_OWNED_BY_CSTACK ? frame->f_code : NULL;
#else
    return frame->f_code;
#endif
}

/* Innermost frame of Python's; NULL: none. */
static inline const Frame *stack_top(const PyThreadState *thread) {
#if PY_VERSION_HEX >= 0x030D0000
    const Frame *frame = thread->current_frame;
#else
    const Frame *frame = thread->cframe ? thread->cframe->current_frame : NULL;
#endif
    while (frame && !stack_code(frame))
        frame = frame->previous;
    return frame;
}

/* The one that called it; NULL: none. */
static inline const Frame *stack_back(const Frame *frame) {
    do
        frame = frame->previous;
    while (frame && !stack_code(frame));
    return frame;
}

/* Where the instruction stands: no two have one address, for as long as their code lives. */
static inline const void *stack_address(const Frame *frame) {
#if PY_VERSION_HEX >= 0x030D0000
    return frame->instr_ptr;
#else
    return frame->prev_instr;
#endif
}

/* The same as PyCode_Addr2Line asks for it. */
static inline int stack_offset(const PyCodeObject *code, const void *address) {
    return (int)((const char *)address - (const char *)_PyCode_CODE(code));
}

#endif
