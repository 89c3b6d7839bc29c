/* sonde.probe.tools._stacks: what all threads are doing, for Python and, where it does not answer, without
 * it. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "../../python/module_of.h"
#include "../frames/frames.h"
#include "../frames/spans.h"
#include "answer.h"
#include "capture.h"

enum { MAX_CAPTURE_BYTES = 8 << 20, MAX_DEPTH = 4096, SETTLES_US = 300 };

static PyObject *module_init(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    if (frames_init())
        frames_spans_init();
    return PyUnicode_FromString(frames_why_not());
}

static PyObject *module_way(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    return PyUnicode_FromString(frames_way());
}

/* Without the GIL, so that whoever waits for it has it, and is seen to. */
static PyObject *module_capture(PyObject *Py_UNUSED(module), PyObject *args) {
    int never, frames;
    Json json = {.room = MAX_CAPTURE_BYTES};
    Captured seen;
    if (!PyArg_ParseTuple(args, "ii", &never, &frames))
        return NULL;
    json.text = PyMem_RawMalloc(MAX_CAPTURE_BYTES);
    if (!json.text)
        return PyErr_NoMemory();
    Py_BEGIN_ALLOW_THREADS;
    usleep(SETTLES_US);
    seen = capture_threads(&json, never, frames);
    Py_END_ALLOW_THREADS;
    PyObject *result =
        Py_BuildValue("(y#iii)", json.text, (Py_ssize_t)json.used, seen.threads, seen.left_out, seen.cut);
    PyMem_RawFree(json.text);
    return result;
}

static PyObject *walked(const FrameRef *frames, int depth) {
    char name[512], file[1024];
    FrameSymbol symbol = {name, sizeof name, file, sizeof file, 0, 0};
    PyObject *list = PyList_New(0);
    for (int at = 0; list && at < depth; at++) {
        if (!frames_symbol(&frames[at], &symbol))
            continue;
        PyObject *row =
            Py_BuildValue("(ssiii)", name, file, symbol.first_line, symbol.line, (int)frames[at].instr);
        if (!row || PyList_Append(list, row) < 0)
            Py_CLEAR(list);
        Py_XDECREF(row);
    }
    return list;
}

static FrameRef frames[MAX_DEPTH]; /* the GIL is held by whoever uses it */

static PyObject *module_own(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    return walked(frames, frames_walk_own(frames, MAX_DEPTH));
}

static PyObject *module_walk(PyObject *Py_UNUSED(module), PyObject *given) {
    static FrameScratch scratch;
    FrameThread thread;
    long tid = PyLong_AsLong(given);
    if (tid == -1 && PyErr_Occurred())
        return NULL;
    if (!frames_find((pid_t)tid, &thread))
        Py_RETURN_NONE;
    int depth = frames_walk(&thread, &scratch, frames, MAX_DEPTH);
    if (depth < 0)
        Py_RETURN_NONE;
    return walked(frames, depth);
}

static PyObject *module_answer_commands(PyObject *Py_UNUSED(module), PyObject *args) {
    const char *python;
    if (!PyArg_ParseTuple(args, "s", &python))
        return NULL;
    const Commands *commands = PyCapsule_Import(COMMANDS_CAPSULE, 0);
    if (!commands)
        return NULL;
    if (!frames_init())
        return PyBool_FromLong(0);
    frames_spans_init();
    int error = answer_listen(commands, python);
    if (error) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyBool_FromLong(1);
}

static PyObject *module_claim(PyObject *Py_UNUSED(module), PyObject *run) {
    const char *id = PyUnicode_AsUTF8(run);
    return id ? PyBool_FromLong(answer_claim(id)) : NULL;
}

static PyObject *module_answered(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    return PyLong_FromUnsignedLong(answer_count());
}

static PyMethodDef functions[] = {
    {"init", METHOD(module_init), METH_NOARGS, "Why frames cannot be read here; empty: they can."},
    {"way", METHOD(module_way), METH_NOARGS, "How memory is read."},
    {"capture", METHOD(module_capture), METH_VARARGS, "All threads but one, as JSON, and counts."},
    {"own", METHOD(module_own), METH_NOARGS, "The calling thread's frames, read from inside."},
    {"walk", METHOD(module_walk), METH_O,
     "The frames of the thread with this native id; None: there is none."},
    {"answer_commands", METHOD(module_answer_commands), METH_VARARGS, "Answer for a Python that does not."},
    {"claim", METHOD(module_claim), METH_O, "Python answers this run; False: it was answered."},
    {"answered", METHOD(module_answered), METH_NOARGS, "How many runs were answered without Python."},
    {0},
};

MODULE_OF_MAIN_INTERPRETER(_stacks, "What all threads are doing.", functions, begins_empty,
                           "only the main interpreter's frames can be read")
