/* How an extension module of ours is defined: it serves the main interpreter, whose threads and objects it
   knows, and can be imported by no other. */
#ifndef SONDE_MODULE_OF_H
#define SONDE_MODULE_OF_H

#include "compat.h"

#if PY_VERSION_HEX >= 0x030C0000
#define IN_ONE_INTERPRETER {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#else
#define IN_ONE_INTERPRETER
#endif

/* For `begin`, where there is nothing to begin with. */
static inline int begins_empty(PyObject *Py_UNUSED(module)) {
    return 0;
}

/* `begin(module)` returns 0, or -1 with an exception set; `refusal` is what another interpreter is told. */
#define MODULE_OF_MAIN_INTERPRETER(name, doc, functions, begin, refusal)                                     \
    static int execute(PyObject *module) {                                                                   \
        if (PyInterpreterState_Get() == PyInterpreterState_Main())                                           \
            return begin(module);                                                                            \
        PyErr_SetString(PyExc_ImportError, refusal);                                                         \
        return -1;                                                                                           \
    }                                                                                                        \
                                                                                                             \
    static PyModuleDef_Slot slots[] = {{Py_mod_exec, execute}, IN_ONE_INTERPRETER{0}};                       \
                                                                                                             \
    static struct PyModuleDef definition = {                                                                 \
        PyModuleDef_HEAD_INIT, .m_name = #name, .m_doc = doc, .m_methods = functions, .m_slots = slots,      \
    };                                                                                                       \
                                                                                                             \
    PyMODINIT_FUNC PyInit_##name(void) {                                                                     \
        return PyModuleDef_Init(&definition);                                                                \
    }

#endif
