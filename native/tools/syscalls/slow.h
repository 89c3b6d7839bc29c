/* Calls that took long: noted by the thread that made them, right after, without the GIL; taken by Python. */
#ifndef SONDE_SYSCALLS_SLOW_H
#define SONDE_SYSCALLS_SLOW_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "calls.h"

/* Ticks from which on a call is slow; UINT64_MAX while nobody wants to know. */
extern _Atomic uint64_t slow_threshold;

/* Above 0: the thread is in a call that makes others. */
extern _Thread_local int slow_inside;

typedef struct {
    uint64_t count[CALLS], ns[CALLS]; /* exact */
    uint64_t dropped;                 /* of them: for which there was no room, or somebody was in the way */
} SlowCounts;

/* `file`: the descriptor, -1: none; `what`: a path or a name, NULL: find out from the descriptor. errno is as
   it was before. Any thread, also in a signal handler: waits for a lock for a few moments at most. */
void slow_seen(Call call, uint64_t since, uint64_t ticks, int file, const char *what, int error);

/* Note calls of at least so many ticks from now on. GIL: held. */
void slow_begin(uint64_t ticks);
void slow_end(void);

/* Meanwhile each call of the calling thread counts as slow, however quick. */
void slow_test(bool on);

/* A list of tuples, see _syscalls.pyi; they are forgotten. GIL: held. New reference, or NULL with an
   exception set. */
PyObject *slow_taken(void);

SlowCounts slow_counts(void);

/* Counts and what waits; in a child, what a thread of the parent's held. GIL: held. */
void slow_forget(bool is_child);

#endif
