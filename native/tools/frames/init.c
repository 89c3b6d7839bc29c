#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "frames.h"

#include <stdatomic.h>

#include "layout.h"
#include "memory.h"
#include "selftest.h"
#include "state.h"

uintptr_t frames_interpreter, frames_gil;
uintptr_t frames_code_type, frames_text_type, frames_bytes_type;

static _Atomic bool available;
static const char *why_not = "nobody has called frames_init() yet", *way = "";
static bool looked;

uintptr_t own_state(void) {
    return (uintptr_t)PyGILState_GetThisThreadState();
}

static const char *find_out(void) {
    if (!layout.known)
        return "the frames of this CPython are not known: 3.11 to 3.13 with a GIL are";
    const char *found = memory_init();
    if (!found)
        return "neither process_vm_readv nor /proc/self/mem can be used here";
    way = found;
    frames_interpreter = layout_interpreter();
    frames_gil = layout_gil();
    frames_code_type = (uintptr_t)&PyCode_Type;
    frames_text_type = (uintptr_t)&PyUnicode_Type;
    frames_bytes_type = (uintptr_t)&PyBytes_Type;
    atomic_store(&available, true); /* for the test alone, under the GIL */
    const char *wrong = frames_self_test();
    if (wrong)
        way = "";
    return wrong;
}

bool frames_init(void) {
    if (PyInterpreterState_Get() != PyInterpreterState_Main())
        return false;
    if (!looked) {
        const char *wrong = find_out();
        why_not = wrong ? wrong : "";
        atomic_store(&available, !wrong);
        looked = true;
    }
    return frames_available();
}

bool frames_available(void) {
    return atomic_load_explicit(&available, memory_order_acquire);
}

const char *frames_why_not(void) {
    return why_not;
}

const char *frames_way(void) {
    return way;
}
