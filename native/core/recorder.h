/* Whether this process records, and how: what `start` was told. GIL: it guards all of it. */
#ifndef SONDE_RECORDER_H
#define SONDE_RECORDER_H

#include "../python/compat.h"

#include <stdbool.h>

#include "../sending/ring.h"

typedef struct {
    bool on;
    bool debug;      /* raise what is otherwise counted */
    bool has_sender; /* false: finished spans stay in the rings until `drain` */
    size_t max_value_bytes;
    uint32_t generation; /* grows at each fork: a span with another number was opened by the parent */
    uint32_t exit_flush_ms;
    uint64_t sampled_from; /* a trace is sampled if its id's last 56 bits are at least this */
    uint64_t slow_ns;      /* a request of this length is kept */
    bool follows_parent;   /* a caller's decision on sampling is taken over */
} Recorder;

extern Recorder recorder;

/* A span has ended: count it by what became of its record; see that there is a sender and that it knows.
   Returns 0, or -1 with an exception set that is not ours to swallow (KeyboardInterrupt). */
int recorder_wrote(Ring *ring, RingState state);

/* Something was counted and not written: see that there is a sender, who will ask for it. Returns 0, or -1
   with an exception set that is not ours to swallow. */
int recorder_tallied(void);

/* Count what OTLP has no place for. Returns 0, or -1 with a TypeError set while debugging. */
int recorder_unencodable(const char *what, PyObject *value);

/* A Python exception is set that our own code, or the user's called by it, has raised: count and clear it,
   unless it is not ours to swallow (KeyboardInterrupt) or we are debugging. Returns 0, or -1 with the
   exception still set. */
int recorder_fault(void);

/* In a forked child. */
void recorder_after_fork_in_child(void);

/* The module's function that flushes at exit; set by start. */
extern PyObject *recorder_exit_hook;

#endif
