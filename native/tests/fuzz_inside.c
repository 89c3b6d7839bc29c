/* What strangers send to the extension modules, under libFuzzer, inside of an interpreter, see scripts/fuzz.
   They are built with its counters, so an input is kept where it reaches new C code; fuzz_inside.py calls
   them with what the input says. SONDE_FUZZED is the name of its function. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdlib.h>

static PyObject *function;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    const char *name = getenv("SONDE_FUZZED");
    Py_InitializeEx(0);
    PyObject *module = PyImport_ImportModule("fuzz_inside");
    function = module && name ? PyObject_GetAttrString(module, name) : NULL;
    if (!function) {
        PyErr_Print();
        exit(1);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    PyObject *answer = PyObject_CallFunction(function, "y#", (const char *)data, (Py_ssize_t)size);
    if (!answer) {
        PyErr_Print();
        abort();
    }
    Py_DECREF(answer);
    return 0;
}
