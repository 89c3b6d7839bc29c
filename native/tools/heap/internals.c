#define Py_BUILD_CORE_MODULE 1
#include "internals.h"

#include <internal/pycore_dict.h>
#include <internal/pycore_frame.h>
#include <internal/pycore_object.h>
#if PY_VERSION_HEX < 0x030C0000
#include <internal/pycore_interp.h>
#else
#include <internal/pycore_long.h>
#endif

static PyCodeObject *code_of(const _PyInterpreterFrame *frame) {
#if PY_VERSION_HEX < 0x030D0000
    return frame->f_code;
#else
    return (PyCodeObject *)frame->f_executable;
#endif
}

static const _PyInterpreterFrame *innermost(const PyThreadState *state) {
#if PY_VERSION_HEX < 0x030D0000
    return state->cframe ? state->cframe->current_frame : NULL;
#else
    return state->current_frame;
#endif
}

static bool runs(const _PyInterpreterFrame *frame) {
#if PY_VERSION_HEX >= 0x030C0000
    if (frame->owner == FRAME_OWNED_BY_CSTACK)
        return false;
#endif
    PyObject *code = (PyObject *)code_of(frame);
    return code && PyCode_Check(code) && !_PyFrame_IsIncomplete((_PyInterpreterFrame *)frame);
}

void internals_frames(const PyThreadState *state, int room, void (*seen)(const Running *, void *),
                      void *arg) {
    for (const _PyInterpreterFrame *frame = innermost(state); frame && room > 0; frame = frame->previous) {
        if (!runs(frame))
            continue;
        Running running = {code_of(frame), frame->localsplus};
        seen(&running, arg);
        room--;
    }
}

bool internals_generator(PyObject *object, Running *running) {
    if (!PyGen_CheckExact(object) && !PyCoro_CheckExact(object) && !PyAsyncGen_CheckExact(object))
        return false;
    PyGenObject *generator = (PyGenObject *)object;
    if (generator->gi_frame_state >= FRAME_COMPLETED)
        return false;
    const _PyInterpreterFrame *frame = (_PyInterpreterFrame *)generator->gi_iframe;
    *running = (Running){code_of(frame), frame->localsplus};
    return running->code && PyCode_Check((PyObject *)running->code);
}

#if PY_VERSION_HEX < 0x030C0000

static void walk_list(PyGC_Head *list, void (*seen)(PyObject *, void *), void *arg) {
    for (PyGC_Head *head = _PyGCHead_NEXT(list); head != list; head = _PyGCHead_NEXT(head))
        seen((PyObject *)(head + 1), arg);
}

void internals_tracked(void (*seen)(PyObject *, void *), void *arg) {
    struct _gc_runtime_state *state = &PyInterpreterState_Get()->gc;
    for (int generation = 0; generation < NUM_GENERATIONS; generation++)
        walk_list(&state->generations[generation].head, seen, arg);
    walk_list(&state->permanent_generation.head, seen, arg);
}

#else

typedef struct {
    void (*seen)(PyObject *, void *);
    void *arg;
} Seeing;

static int see(PyObject *object, void *arg) {
    const Seeing *seeing = arg;
    seeing->seen(object, seeing->arg);
    return 1;
}

void internals_tracked(void (*seen)(PyObject *, void *), void *arg) {
    Seeing seeing = {seen, arg};
    PyUnstable_GC_VisitObjects(see, &seeing);
}

#endif

static PyObject *name_in(PyTypeObject *type, PyDictValues *values, const PyObject *value) {
    PyDictKeysObject *keys = ((PyHeapTypeObject *)type)->ht_cached_keys;
    for (Py_ssize_t at = 0; keys && values && at < keys->dk_nentries; at++)
        if (values->values[at] == value)
            return DK_UNICODE_ENTRIES(keys)[at].me_key;
    return NULL;
}

PyObject *internals_attribute(PyObject *object, const PyObject *value) {
    PyTypeObject *type = Py_TYPE(object);
    if (!(type->tp_flags & Py_TPFLAGS_MANAGED_DICT))
        return NULL;
#if PY_VERSION_HEX < 0x030C0000
    return name_in(type, *_PyObject_ValuesPointer(object), value);
#elif PY_VERSION_HEX < 0x030D0000
    PyDictOrValues either = *_PyObject_DictOrValuesPointer(object);
    return _PyDictOrValues_IsValues(either) ? name_in(type, _PyDictOrValues_GetValues(either), value) : NULL;
#else
    if (!(type->tp_flags & Py_TPFLAGS_INLINE_VALUES) || !_PyObject_InlineValues(object)->valid)
        return NULL;
    return name_in(type, _PyObject_InlineValues(object), value);
#endif
}

size_t internals_before(PyObject *object) {
    size_t bytes = _PyObject_IS_GC(object) ? sizeof(PyGC_Head) : 0;
#if PY_VERSION_HEX < 0x030C0000
    const unsigned long before = Py_TPFLAGS_MANAGED_DICT;
#else
    const unsigned long before = Py_TPFLAGS_PREHEADER;
#endif
    return bytes + (Py_TYPE(object)->tp_flags & before ? 2 * sizeof(PyObject *) : 0);
}

size_t internals_digits(PyObject *number) {
#if PY_VERSION_HEX < 0x030C0000
    Py_ssize_t digits = Py_ABS(Py_SIZE(number));
#else
    Py_ssize_t digits = _PyLong_DigitCount((PyLongObject *)number);
#endif
    return (size_t)(digits ? digits : 1) * sizeof(digit);
}

size_t internals_dict(PyObject *dict) {
    return (size_t)_PyDict_SizeOf((PyDictObject *)dict);
}

PyObject *internals_type_dict(PyTypeObject *type) {
#if PY_VERSION_HEX < 0x030C0000
    return type->tp_dict;
#else
    PyObject *dict = PyType_GetDict(type);
    Py_XDECREF(dict);
    return dict;
#endif
}
