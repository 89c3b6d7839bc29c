/* Which loop runs: a context variable holds it, so that a task, or a thread that was given the context, works
   for the loop of whoever started it, and requests that take turns on one event loop stay apart. GIL: held.
 */
#ifndef SONDE_LEAKS_MARKS_H
#define SONDE_LEAKS_MARKS_H

#include <stdbool.h>
#include <stdint.h>

#include "stack.h"

typedef struct Loop {
    PyObject_HEAD uint32_t number; /* 0: it does not count, or not yet */
    struct Loop *before, *after;   /* those with a number */
} Loop;

extern PyTypeObject LoopType;

/* Loops with a number that somebody's context still holds. 0: nothing is marked. */
extern uint32_t marks_open;

/* What the last look saw: valid as long as thread and version are the same. */
extern struct MarksSeen {
    uint64_t thread, version;
    uint32_t loop;
} marks_seen;

uint32_t marks_look(const PyThreadState *thread);

/* Number of the loop that the running thread works for; 0: none. Runs no Python code. */
static inline uint32_t marks_current(const PyThreadState *thread) {
    if (!marks_open || !thread)
        return 0;
    if (thread->id == marks_seen.thread && thread->context_ver == marks_seen.version)
        return marks_seen.loop;
    return marks_look(thread);
}

/* Give a loop the next number: what its contexts allocate counts from now on. Returns it; 0: it has one. */
uint32_t marks_begin(Loop *loop);

/* The loop with this number does not count any more; it need not exist. */
void marks_expire(uint32_t number);

/* `enter(loop)`: the running context works for it, and what is started from here. `leave(loop)`: if so, for
   none. `current()`: the Loop of the running context, or None. */
PyObject *marks_enter(PyObject *module, PyObject *loop);
PyObject *marks_leave(PyObject *module, PyObject *loop);
PyObject *marks_current_loop(PyObject *module, PyObject *nothing);

/* `over()`: numbers of loops that nobody's context holds any more, since the last call. */
PyObject *marks_over(PyObject *module, PyObject *nothing);

/* No loop counts any more; the next one is number 1. */
void marks_reset(void);

/* Returns 0, or -1 with an exception set. */
int marks_ready(void);

#endif
