#define PY_SSIZE_T_CLEAN
#define Py_BUILD_CORE 1 /* here and nowhere else: see layout.h */
#include <Python.h>

#include "layout.h"

#if PY_VERSION_HEX >= 0x030B0000 && PY_VERSION_HEX < 0x030E0000 && !defined(Py_GIL_DISABLED)

#include <internal/pycore_context.h>
#include <internal/pycore_frame.h>
#include <internal/pycore_hamt.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_runtime.h>

#if PY_VERSION_HEX < 0x030C0000
/* hamt.c's own until 3.12 */
typedef struct {
    PyObject_VAR_HEAD uint32_t b_bitmap;
    PyObject *b_array[1];
} PyHamtNode_Bitmap;
#endif

/* The walker has so much room for each. */
_Static_assert(sizeof(PyThreadState) <= LAYOUT_STATE_BYTES,
               "a thread state is larger than what it is read into");
_Static_assert(offsetof(PyCodeObject, co_code_adaptive) <= LAYOUT_CODE_BYTES,
               "so is the head of a code object");
_Static_assert(offsetof(_PyInterpreterFrame, localsplus) <= LAYOUT_FRAME_BYTES, "so is the head of a frame");

const Layout layout = {
    .known = true,
    .interp_threads_head = offsetof(PyInterpreterState, threads.head),
    .interp_births = offsetof(PyInterpreterState, threads.next_unique_id),
    .gil_holder = offsetof(struct _gil_runtime_state, last_holder),
    .gil_locked = offsetof(struct _gil_runtime_state, locked),

    .state_bytes = sizeof(PyThreadState),
    .state_next = offsetof(PyThreadState, next),
    .state_thread_id = offsetof(PyThreadState, thread_id),
    .state_tid = offsetof(PyThreadState, native_thread_id),
    .state_context = offsetof(PyThreadState, context),
    .state_chunk = offsetof(PyThreadState, datastack_chunk),
    .state_top = offsetof(PyThreadState, datastack_top),
#if PY_VERSION_HEX < 0x030D0000
    .state_has_cframe = true,
    .state_frame = offsetof(PyThreadState, cframe),
    .cframe_frame = offsetof(_PyCFrame, current_frame),
#else
    .state_frame = offsetof(PyThreadState, current_frame),
#endif

    .chunk_previous = offsetof(_PyStackChunk, previous),
    .chunk_size = offsetof(_PyStackChunk, size),
    .chunk_top = offsetof(_PyStackChunk, top),
    .chunk_bytes = offsetof(_PyStackChunk, data),

    .frame_bytes = offsetof(_PyInterpreterFrame, localsplus),
    .frame_previous = offsetof(_PyInterpreterFrame, previous),
    .frame_owner = offsetof(_PyInterpreterFrame, owner),
#if PY_VERSION_HEX < 0x030D0000
    .frame_code = offsetof(_PyInterpreterFrame, f_code),
    .frame_instr = offsetof(_PyInterpreterFrame, prev_instr),
#else
    .frame_code = offsetof(_PyInterpreterFrame, f_executable),
    .frame_instr = offsetof(_PyInterpreterFrame, instr_ptr),
#endif
#if PY_VERSION_HEX < 0x030C0000
    .owner_c = -1,
#else
    .owner_c = FRAME_OWNED_BY_CSTACK,
#endif

    .code_bytes = offsetof(PyCodeObject, co_code_adaptive),
    .code_first_line = offsetof(PyCodeObject, co_firstlineno),
    .code_file = offsetof(PyCodeObject, co_filename),
    .code_name = offsetof(PyCodeObject, co_qualname),
    .code_lines = offsetof(PyCodeObject, co_linetable),
    .code_instructions = offsetof(PyCodeObject, co_code_adaptive),

    .context_vars = offsetof(PyContext, ctx_vars),
    .hamt_root = offsetof(PyHamtObject, h_root),
    .bitmap_bits = offsetof(PyHamtNode_Bitmap, b_bitmap),
    .bitmap_items = offsetof(PyHamtNode_Bitmap, b_array),
    .var_hash = offsetof(PyContextVar, var_hash),
};

uintptr_t layout_gil(void) {
#if PY_VERSION_HEX < 0x030C0000
    return (uintptr_t)&_PyRuntime.ceval.gil;
#else
    return (uintptr_t)PyInterpreterState_Main()->ceval.gil;
#endif
}

uintptr_t layout_interpreter(void) {
    return (uintptr_t)PyInterpreterState_Main();
}

#else

const Layout layout = {0};

uintptr_t layout_gil(void) {
    return 0;
}

uintptr_t layout_interpreter(void) {
    return 0;
}

#endif
