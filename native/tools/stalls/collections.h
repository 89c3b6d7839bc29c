/* Pauses of the garbage collector, by its own callbacks. */
#ifndef SONDE_STALLS_COLLECTIONS_H
#define SONDE_STALLS_COLLECTIONS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { GENERATIONS = 3 };

typedef struct {
    uint64_t count[GENERATIONS], ns[GENERATIONS], longest_ns, dropped;
} CollectionCounts;

/* From how many ticks on a pause is kept. GIL: held. */
void collections_threshold(uint64_t ticks);

/* What stands in gc.callbacks: METH_FASTCALL. */
PyObject *collections_callback(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* The thread that collects now; 0: none. Any thread. */
pid_t collections_tid(void);

/* A list of tuples, see _stalls.pyi; they are forgotten. GIL: held. New reference, or NULL with an exception
   set. */
PyObject *collections_taken(void);

CollectionCounts collections_counts(void);

/* GIL: held. All counts and what was kept; in a child, the parent's. */
void collections_forget(void);

#endif
