/* What was seen of one callback that took long: stacks, how long each stood, and why. */
#ifndef SONDE_STALLS_EPISODE_H
#define SONDE_STALLS_EPISODE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "../frames/frames.h"
#include "../frames/spans.h"
#include "../watch/listed.h"
#include "../watch/places.h"

enum { MAX_HELD = 32, HELD_DEPTH = 96, HOLDER_DEPTH = 8, EPISODE_PLACES = 256, EPISODE_TEXT = 24 << 10 };

/* What the thread did when it was looked at. The order is that of CAUSES in stalls/verdict.py. */
typedef enum {
    CAUSE_PYTHON,   /* it ran Python code */
    CAUSE_C_CALL,   /* it held the GIL and no instruction was run: C code */
    CAUSE_C_NO_GIL, /* C code that had let go of the GIL */
    CAUSE_GIL,      /* it waited for the GIL */
    CAUSE_GC,       /* a collection of the garbage collector */
    CAUSE_SYSCALL,  /* it was in a system call */
    CAUSE_LOCK,     /* it waited for a lock */
    CAUSE_CPU,      /* it could have run, and the kernel ran others */
} Cause;

/* One stack and how long it stood. */
typedef struct {
    uint64_t weight; /* ticks */
    uint32_t count;
    uint8_t cause;
    int16_t call; /* number of the system call, -1: none */
    pid_t holder; /* CAUSE_GIL: who had it, 0: not seen */
    uint16_t depth, holder_depth;
    uint16_t places[HELD_DEPTH], holder_places[HOLDER_DEPTH]; /* the innermost first */
} Held;

typedef struct Episode {
    struct Episode *next;
    uint64_t since, last; /* ticks: its begin; the last look */
    uint64_t ended;       /* ticks; 0: it goes on */
    uint64_t ended_unix_ns, gc_ns;
    uint64_t torn; /* ticks that a stack was not found for */
    uint32_t looks;
    pid_t tid;
    uint8_t kind;
    bool has_span;
    FrameSpan span;
    int base_depth;
    PyObject *said; /* what ran, as the loop's thread has told; owned, NULL: nothing */
    int last_held;  /* -1: none */
    uint32_t held_count;
    Held held[MAX_HELD];
    Places places;
    Place place_room[EPISODE_PLACES];
    char text_room[EPISODE_TEXT];
} Episode;

/* A cleared one, of a few that wait, else new memory. NULL: there is none. Any thread, no GIL. */
Episode *episode_new(void);

/* Back. `said` has been taken care of. */
void episode_free(Episode *episode);

/* Begin anew for what began at `since`. */
void episode_begin(Episode *episode, uint64_t since, pid_t tid, int kind);

/* A look: the stack stands since the last one. `depth` may be 0: none could be read. */
void episode_add(Episode *episode, uint64_t now, Cause cause, int call, const FrameRef *frames, int depth,
                 pid_t holder, const FrameRef *holder_frames, int holder_depth);

/* It has ended: what has passed since the last look is the last stack's. */
void episode_end(Episode *episode, uint64_t now);

/* In a forked child: no other thread is in here. */
void episode_after_fork(void);

/* As a tuple, see _stalls.pyi. GIL: held. New reference, or NULL with an exception set. */
PyObject *episode_tuple(Episode *episode);

#endif
