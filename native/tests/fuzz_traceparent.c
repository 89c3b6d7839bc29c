/* The native reader of `traceparent` under libFuzzer, inside of an interpreter, see scripts/fuzz. Its twin in
   Python, src/sonde/wire/traceparent.py, is asked the same: both say no, or the same ids.

   The first byte chooses how the bytes become text, so that texts of one, two and four bytes a character
   come. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdlib.h>
#include <string.h>

#include "../requests/traceparent.h"

static PyObject *twin;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    Py_InitializeEx(0);
    PyObject *module = PyImport_ImportModule("sonde.wire.traceparent");
    twin = module ? PyObject_GetAttrString(module, "parse") : NULL;
    if (!twin) {
        PyErr_Print();
        exit(1);
    }
    return 0;
}

static void must(bool holds) {
    if (!holds) {
        PyErr_Print();
        abort();
    }
}

static PyObject *text_of(uint8_t how, const char *bytes, Py_ssize_t size) {
    static const char *const tails[] = {
        "", "", "\xc4\x80", "\xf0\x9f\x98\x80", "\xe2\x80\x83", "\xe3\x80\x80"};
    if (how % 8 == 0)
        return PyUnicode_DecodeUTF8(bytes, size, "surrogateescape");
    PyObject *text = PyUnicode_DecodeLatin1(bytes, size, NULL);
    PyObject *tail = PyUnicode_FromString(tails[how % 6]);
    PyObject *joined = text && tail ? PyUnicode_Concat(text, tail) : NULL;
    Py_XDECREF(text);
    Py_XDECREF(tail);
    return joined;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    PyObject *header = text_of(data[0], (const char *)data + 1, (Py_ssize_t)size - 1);
    must(header != NULL);
    TraceParent parsed;
    bool native = traceparent_parse(header, &parsed);
    must(!PyErr_Occurred());

    PyObject *other = PyObject_CallOneArg(twin, header);
    must(other != NULL);
    must(native == (other != Py_None));
    if (native) {
        PyObject *written = traceparent_text(parsed.trace_id, parsed.span_id, parsed.flags);
        PyObject *expected = PyObject_Str(other);
        must(written && expected && PyUnicode_Compare(written, expected) == 0);
        Py_DECREF(written);
        Py_DECREF(expected);
    }
    Py_DECREF(other);
    Py_DECREF(header);
    return 0;
}
