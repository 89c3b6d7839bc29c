/* Event loops, one a thread: since when each has been busy with what. The thread of a loop writes, at each
   callback; the watchdog reads, without the GIL. */
#ifndef SONDE_STALLS_LOOPS_H
#define SONDE_STALLS_LOOPS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <pthread.h>
#include <stdatomic.h>

#include "../frames/frames.h"
#include "episode.h"

enum { MAX_LOOPS = 64 };

typedef enum { LOOP_CALLBACKS, LOOP_ITERATIONS } LoopKind; /* asyncio's own; uvloop's */

typedef struct {
    /* The loop's thread writes these. */
    _Alignas(64) _Atomic uint64_t since; /* ticks; 0: it waits, or is not known to run */
    uint64_t gc_ns, gc_since;            /* collections in the callback that began at gc_since */
    _Atomic pid_t tid;                   /* 0: free */
    LoopKind kind;
    FrameRef base; /* of iterations: the frame that runs the loop, and how deep it stands */
    int base_depth;
    uintptr_t outermost; /* code of the outermost frame below that */

    /* Under the lock: what the watchdog has seen of the callback that began at episode->since. */
    _Alignas(64) _Atomic uint64_t looked; /* `since` of the last callback that the watchdog found late */
    pthread_mutex_t lock;
    Episode *episode;
    FrameThread thread;
    bool is_found;
} Loop;

/* That of the calling thread, or NULL: it has none. */
extern _Thread_local Loop *loops_own;

/* The same, made where there is none; NULL: there are too many, which is counted. The lock may be taken. */
Loop *loops_enter(LoopKind kind);

/* All places, MAX_LOOPS of them; one is in use where its tid is not 0. */
Loop *loops_all(void);

unsigned loops_count(void);
unsigned loops_refused(void);

/* In a forked child: no loop is known any more. */
void loops_after_fork(void);

#endif
