/* The slots through which a program and its libraries call functions of the C library (their GOT): filled
   with functions of ours while a tool is on, and with what stood there before once it is off.

   A slot that somebody else has changed since is theirs: it is left alone and counted. A library that is
   unloaded takes its slots along. glibc only: see slots_why_not(). */
#ifndef SONDE_WATCH_SLOTS_H
#define SONDE_WATCH_SLOTS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *name; /* of the function */
    void *ours;
    void **theirs; /* where the function's own address is put; NULL there: the C library has none */
} Hook;

typedef struct {
    unsigned filled;    /* that hold our functions now */
    unsigned foreign;   /* that we had filled and that somebody has changed since */
    unsigned refused;   /* whose page could not be made writable, or for which there was no room */
    unsigned libraries; /* that were looked at */
} SlotCounts;

/* Which libraries: by path (empty: the program itself) and by what they are. */
typedef bool WantsLibrary(const char *path);

/* NULL, or a sentence: why slots cannot be filled here. */
const char *slots_why_not(void);

/* Find the functions' own addresses. False: none is there. GIL: held or not. */
bool slots_find(const Hook *hooks, size_t count);

/* Fill those of all wanted libraries that are loaded now; again: of those that have come since. Any thread,
   but not from a signal handler. Returns false where slots_why_not(). */
bool slots_fill(const Hook *hooks, size_t count, WantsLibrary *wants);

/* Whether libraries have been loaded since the last slots_fill(). Cheap. */
bool slots_are_stale(void);

/* Put back what stood there. */
void slots_restore(void);

/* A forked child has its own copy of all, and no other thread is ever in here when it is born. */
SlotCounts slots_counts(void);

#endif
