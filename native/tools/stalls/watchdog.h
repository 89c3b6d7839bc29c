/* The watchdog: a thread without the GIL that looks at loops which have been busy for long, while they are;
   and what it has found, until somebody takes it. */
#ifndef SONDE_STALLS_WATCHDOG_H
#define SONDE_STALLS_WATCHDOG_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "loops.h"

typedef struct {
    uint64_t stalls, stalled_ns; /* that were over the threshold; exact */
    uint64_t unseen;             /* of them: without a stack */
    uint64_t dropped;            /* of them: for which there was no room */
    uint64_t looks, own_cpu_ns;
} WatchdogCounts;

/* Ticks from which on a callback is a stall; UINT64_MAX while nobody watches. */
extern _Atomic uint64_t stall_threshold;

/* Watch, or with another threshold. GIL: held or not. Returns 0 or an errno. */
int watchdog_start(uint64_t threshold_ns);

/* The thread begins with the first loop that is entered, and again with the first of a forked child. */
void watchdog_needed(void);

/* End the thread. The GIL must not be held. What was found stays. */
void watchdog_stop(void);

/* A callback that began at `since` has taken `ticks`. Called by its loop's thread. `said`: what ran, a
   reference that is taken over, NULL: nothing is known. The GIL is needed only for `said`. */
void watchdog_ended(Loop *loop, uint64_t since, uint64_t ticks, PyObject *said);

/* Whether anything waits to be taken. */
bool watchdog_has_news(void);

/* A list of tuples, see _stalls.pyi: those that ended; with `ongoing` those that go on. GIL: held. New
   reference, or NULL with an exception set. */
PyObject *watchdog_taken(void);
PyObject *watchdog_ongoing(void);

WatchdogCounts watchdog_counts(void);

/* GIL: held, no thread runs. Counts and what was found; in a child, the parent's. */
void watchdog_forget(bool is_child);

#endif
