/* CPython's API, and the places where its versions differ. Everything else is the same from 3.11 on. */
#ifndef SONDE_COMPAT_H
#define SONDE_COMPAT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if !defined(__linux__)
#error "the native core knows Linux only (MSG_NOSIGNAL, getrandom, madvise); elsewhere the Python twin runs"
#endif

/* Until 3.11 a string could exist without its data. Returns 0, or -1 with an exception set. */
static inline int text_ready(PyObject *text) {
#if PY_VERSION_HEX < 0x030C0000
    return PyUnicode_READY(text);
#else
    (void)text;
    return 0;
#endif
}

#if PY_VERSION_HEX < 0x030D0000
#define IS_FINALIZING() _Py_IsFinalizing()
#else
#define IS_FINALIZING() Py_IsFinalizing()
#endif

/* A method table holds one function type for all calling conventions; this is the cast through which they go.
 */
#define METHOD(function) ((PyCFunction)(void (*)(void))(function))

#endif
