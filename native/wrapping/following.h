/* A coroutine that follows another one step by step and is told how that goes: what would otherwise have to
   be a Python coroutine around it. GIL: held. */
#ifndef SONDE_FOLLOWING_H
#define SONDE_FOLLOWING_H

#include "../python/compat.h"

#include <stdbool.h>

typedef struct Following Following;

/* What its maker does. `state` is the maker's, owned by the coroutine. */
typedef struct {
    /* At the first step: see that there is an inner coroutine, from the arguments. Returns 0, or -1 with an
     * exception set. */
    int (*begin)(Following *self);
    /* The inner one waits for something. May be NULL. Returns 0, or -1 with an exception set. */
    int (*waits)(Following *self);
    /* It returned `value`, whose reference is taken. Returns it, or NULL with an exception set. */
    PyObject *(*returned)(Following *self, PyObject *value);
    /* It raised, the exception is set, and is set afterwards. After a close or a drop that is a
     * GeneratorExit. */
    void (*raised)(Following *self);
} Steps;

struct Following {
    PyObject_VAR_HEAD const Steps *steps;
    PyObject *owner, *inner, *state, *names, *weakrefs;
    Py_ssize_t positional;
    bool begun, over;
    PyObject *args[]; /* of the call, kept until it begins; ob_size of them, those with `names` last */
};

/* Takes the reference to `inner`, also on failure; NULL: `begin` makes one. New reference, or NULL with an
 * exception set. */
PyObject *following_new(const Steps *steps, PyObject *owner, PyObject *inner, PyObject *const *args,
                        Py_ssize_t count, PyObject *names);

/* Returns 0, or -1 with an exception set. */
int following_type_ready(void);

#endif
