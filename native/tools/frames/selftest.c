#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "selftest.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "frames.h"
#include "state.h"

enum { MAX_CHECKED = 64 };

static bool is_same(const FrameRef *ref, PyFrameObject *frame, PyCodeObject *code) {
    char name[256], file[256];
    FrameSymbol symbol = {name, sizeof name, file, sizeof file, 0, 0};
    if (!frames_symbol(ref, &symbol))
        return false;
    const char *expected = PyUnicode_AsUTF8(code->co_qualname);
    bool same = expected && strncmp(name, expected, sizeof name - 4) == 0;
    expected = PyUnicode_AsUTF8(code->co_filename);
    same = same && expected && (strlen(expected) >= sizeof file / 4 || strcmp(file, expected) == 0);
    PyErr_Clear();
    int line = PyFrame_GetLineNumber(frame);
    return same && symbol.first_line == code->co_firstlineno && symbol.line == line;
}

/* A frame that has only been made is one to us and none to Python: those are passed over. */
static const char *check_frames(const FrameRef *refs, int depth) {
    PyFrameObject *frame = PyThreadState_GetFrame(PyThreadState_Get());
    const char *wrong = frame ? NULL : "no Python runs in the thread that tests";
    int at = 0;
    while (frame && !wrong && at < MAX_CHECKED) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        while (at < depth && refs[at].code != (uintptr_t)code)
            at++;
        if (at == depth)
            wrong = "self-test: the frames that were read are not those that Python has";
        else if (!is_same(&refs[at], frame, code))
            wrong = "self-test: a frame's name, file or line is not what Python says";
        Py_DECREF(code);
        PyFrameObject *back = PyFrame_GetBack(frame);
        Py_DECREF(frame);
        frame = back;
        at++;
    }
    Py_XDECREF(frame);
    return wrong;
}

const char *frames_self_test(void) {
    static FrameScratch scratch;
    static FrameRef own[4 * MAX_CHECKED], other[4 * MAX_CHECKED];
    const int room = 4 * MAX_CHECKED;
    FrameThread self;
    if (own_state() != (uintptr_t)PyThreadState_Get())
        return "self-test: the calling thread is not one of the main interpreter's own";
    if (!frames_find((pid_t)syscall(SYS_gettid), &self) || self.state != own_state() || !self.holds_gil)
        return "self-test: the list of threads is not where it is looked for";
    int depth = frames_walk_own(own, room);
    const char *wrong = check_frames(own, depth);
    if (wrong)
        return wrong;
    if (frames_walk(&self, &scratch, other, room) != depth ||
        memcmp(own, other, (size_t)depth * sizeof *own) != 0)
        return "self-test: a walk from outside and one from inside differ";
    return NULL;
}
