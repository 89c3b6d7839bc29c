/* sonde.probe.tools._leaks: what memory each loop of a marked part of the program keeps. */
#include "blocks.h"
#include "groups.h"
#include "hooks.h"
#include "judge.h"
#include "marks.h"
#include "paths.h"
#include "sites.h"

static PyObject *start(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *library;
    Py_ssize_t most;
    int exact;
    if (!PyArg_ParseTuple(args, "O!np", &PyTuple_Type, &library, &most, &exact))
        return NULL;
    if (hooks.on || most < 1) {
        PyErr_SetString(PyExc_RuntimeError, hooks.on ? "it runs" : "no room for any block");
        return NULL;
    }
    if (sites_start(library) < 0)
        return NULL;
    if (!groups_start()) {
        sites_stop();
        return PyErr_NoMemory();
    }
    if (hooks_set((size_t)most, exact) < 0) {
        groups_stop();
        sites_stop();
        return NULL;
    }
    return PyBool_FromLong(hooks.exact);
}

static PyObject *stop(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    if (!hooks.on)
        Py_RETURN_TRUE;
    marks_reset();
    bool clean = hooks_remove();
    groups_stop();
    judge_reset();
    sites_stop();
    return PyBool_FromLong(clean);
}

static PyObject *running(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    return PyBool_FromLong(hooks.on);
}

static PyObject *expire(PyObject *Py_UNUSED(module), PyObject *number) {
    unsigned long which = PyLong_AsUnsignedLong(number);
    if (PyErr_Occurred())
        return NULL;
    marks_expire((uint32_t)which);
    Py_RETURN_NONE;
}

static PyObject *changed(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    return hooks.on ? groups_changed() : PyList_New(0);
}

static PyObject *site(PyObject *Py_UNUSED(module), PyObject *index) {
    unsigned long which = PyLong_AsUnsignedLong(index);
    if (PyErr_Occurred())
        return NULL;
    if (!hooks.on) {
        PyErr_SetString(PyExc_RuntimeError, "it does not run");
        return NULL;
    }
    return sites_told((uint32_t)which);
}

static PyObject *release(PyObject *Py_UNUSED(module), PyObject *every) {
    if (hooks.on)
        sites_release(every == Py_True);
    Py_RETURN_NONE;
}

static PyObject *figures(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    return Py_BuildValue(
        "{s:O,s:K,s:n,s:n,s:K,s:K,s:K,s:I,s:I}", "exact", hooks_exact() ? Py_True : Py_False, "tracked",
        (unsigned long long)hooks.tracked, "young", (Py_ssize_t)hooks.young.used, "old",
        (Py_ssize_t)hooks.old.used, "blocks_lost", (unsigned long long)(hooks.young.lost + hooks.old.lost),
        "events_lost", (unsigned long long)hooks.events_lost, "sites_lost", (unsigned long long)sites_lost(),
        "sites", (unsigned int)sites_count(), "open", (unsigned int)marks_open);
}

#define METHOD(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef methods[] = {
    {"start", METHOD(start), METH_VARARGS, "Set the hooks. (library, most blocks, exact) -> exact."},
    {"stop", METHOD(stop), METH_NOARGS, "Take the hooks away. False: somebody else's are above them."},
    {"running", METHOD(running), METH_NOARGS, "Whether the hooks are set."},
    {"enter", METHOD(marks_enter), METH_O, "The running context works for a Loop."},
    {"leave", METHOD(marks_leave), METH_O, "If the running context works for this Loop, it does no more."},
    {"current", METHOD(marks_current_loop), METH_NOARGS, "The Loop of the running context, or None."},
    {"over", METHOD(marks_over), METH_NOARGS, "Numbers of loops that no context holds any more."},
    {"expire", METHOD(expire), METH_O, "The loop with this number does not count any more."},
    {"closed", METHOD(judge_closed), METH_VARARGS, "(number, alone) -> [(site, times, bytes)] of growth."},
    {"judged", METHOD(judge_judged), METH_VARARGS, "(number, traced) -> (survivors, events, unknown)."},
    {"known", METHOD(judge_known), METH_O, "Types that objects may be of."},
    {"changed", METHOD(changed), METH_NOARGS, "Groups that changed since the last call."},
    {"site", METHOD(site), METH_O, "(file, line, innermost file, innermost line) of a site."},
    {"samples", METHOD(judge_samples), METH_VARARGS, "(group, most) -> [(address, bytes, loop)]."},
    {"spread", METHOD(judge_spread), METH_O, "group -> (blocks and bytes per window, distinct loops)."},
    {"bury", METHOD(judge_bury), METH_NOARGS, "Forget objects that have died while their blocks live on."},
    {"by_loop", METHOD(judge_by_loop), METH_NOARGS, "Bytes that live, by loop."},
    {"paths", METHOD(paths_find), METH_VARARGS, "(addresses, roots, most) -> who holds each."},
    {"release", METHOD(release), METH_O, "Let go of code that nobody else holds, old code too?"},
    {"figures", METHOD(figures), METH_NOARGS, "What it holds, and what it had no room for."},
    {0},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_leaks",
    .m_doc = "What memory each loop of a marked part of the program keeps.",
    .m_size = -1,
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit__leaks(void);
PyMODINIT_FUNC PyInit__leaks(void) {
    if (marks_ready() < 0)
        return NULL;
    PyObject *module = PyModule_Create(&definition);
    if (module && PyModule_AddObjectRef(module, "Loop", (PyObject *)&LoopType) < 0)
        Py_CLEAR(module);
    return module;
}
