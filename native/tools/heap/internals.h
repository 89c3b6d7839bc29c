/* What CPython has no interface for: the only file that knows its private structures, see internals.c. All of
   it is called in the image, where nothing changes; nothing here allocates or runs code of the application.
 */
#ifndef SONDE_HEAP_INTERNALS_H
#define SONDE_HEAP_INTERNALS_H

#include "../../python/compat.h"

#include <stdbool.h>

/* A function that runs, in some thread. */
typedef struct {
    PyCodeObject *code;
    PyObject *const *locals; /* co_nlocalsplus of them, each may be NULL */
} Running;

/* The frames of a thread, the innermost first; calls `seen` for each. At most `room`. */
void internals_frames(const PyThreadState *state, int room, void (*seen)(const Running *, void *), void *arg);

/* Every object that the garbage collector knows. */
void internals_tracked(void (*seen)(PyObject *, void *), void *arg);

/* The attribute of an object that has its attributes without a dict: its name, or NULL. Borrowed. */
PyObject *internals_attribute(PyObject *object, const PyObject *value);

/* The locals of a generator or coroutine that is suspended. False: it is none, or has ended. */
bool internals_generator(PyObject *object, Running *running);

/* Bytes in front of an object: for the garbage collector, and for its dict. */
size_t internals_before(PyObject *object);

/* Of an int, and of a dict: what their class's layout does not say. */
size_t internals_digits(PyObject *number);
size_t internals_dict(PyObject *dict);

/* The dict of a class that is not on the heap; borrowed, may be NULL. */
PyObject *internals_type_dict(PyTypeObject *type);

#endif
