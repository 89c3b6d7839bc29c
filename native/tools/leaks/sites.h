/* Where allocations happen: an instruction of a code object; for library code that was seen to keep memory
   also the instruction of the application it was called from. GIL: held. */
#ifndef SONDE_LEAKS_SITES_H
#define SONDE_LEAKS_SITES_H

#include <stdbool.h>
#include <stdint.h>

#include "stack.h"

enum { APPLICATION = 1, LIBRARY, OURS };

enum { UNKNOWN_SITE = 0, MAX_SITES = 1 << 18 };

/* 64 bytes: what an allocation looks at is one line of the processor's cache. */
typedef struct {
    PyCodeObject *code;    /* owned; NULL: it has gone, or the site was given by name */
    const void *address;   /* of the instruction in it, see stack.h; NULL as well */
    uint32_t outer;        /* site of the application's line; UNKNOWN_SITE: none */
    uint32_t loop;         /* the last one that allocated here */
    int line;              /* 0 until asked for */
    uint16_t growths;      /* loops in a row that each allocated more than the one before */
    uint8_t level;         /* loops in a row that each allocated as much as the one before */
    uint8_t library : 2;   /* of the code: APPLICATION, LIBRARY, OURS; 0: not asked yet */
    uint8_t deep : 1;      /* look for the application's line from now on */
    uint64_t bytes;        /* that the loop allocated, be it freed or not */
    uint64_t bytes_before; /* the same of the loop before it */
    uint64_t grown;        /* what growths add up to */
    PyObject *file;        /* str, once asked for, or when the code has gone; owned */
} Site;

extern struct Sites {
    Site *list; /* the first stands for UNKNOWN_SITE */
    uint32_t count;
    uint32_t *index; /* open addressing by address and outer; 0: free */
    uint32_t places;
} sites;

static inline uint32_t sites_place(const void *address, uint32_t outer, uint32_t places) {
    uint64_t mixed = ((uint64_t)(uintptr_t)address ^ (uint64_t)outer << 32) * 0x9E3779B97F4A7C15ull;
    return (uint32_t)(mixed >> 32) & (places - 1);
}

/* Never NULL; valid until the next site is made. */
static inline Site *sites_at(uint32_t index) {
    return &sites.list[index < sites.count ? index : UNKNOWN_SITE];
}

/* Returns 0, or -1 with an exception set. `library`: tuple of str, beginnings of the names of files that are
   not the application's. */
int sites_start(PyObject *library);
void sites_stop(void);

uint32_t sites_look(const Frame *frame);

/* Of the running thread's innermost frame. UNKNOWN_SITE: none, or no room; the latter is counted. Runs no
   Python code. */
static inline uint32_t sites_here(const PyThreadState *thread) {
    const Frame *frame = stack_top(thread);
    if (!frame)
        return UNKNOWN_SITE;
    const void *address = stack_address(frame);
    uint32_t first = sites.index[sites_place(address, UNKNOWN_SITE, sites.places)];
    const Site *site = &sites.list[first];
    return site->address == address && !site->outer && !site->deep ? first : sites_look(frame);
}

/* A site by file and line alone. UNKNOWN_SITE: no room. May fail with no exception set. */
uint32_t sites_named(PyObject *file, int line);

/* File and line, new tuple of the application's and the innermost: (file, line, file, line). NULL with an
 * exception set. */
PyObject *sites_told(uint32_t index);

/* Let go of code that nobody else holds any more: a leak tool shall not be one. `every`: also code that has
   long been there. */
void sites_release(bool every);

/* From now on the application's line is looked for, where the site's code is a library's. */
void sites_deepen(uint32_t index);

/* The probe's own code allocated here: no loop's doing. */
bool sites_is_ours(uint32_t index);

/* It is what the interpreter notes with the code that allocated here, from 3.12 on: at its first run after
   somebody has begun or ended to watch calls or lines. It comes once, and is no loop's doing. */
bool sites_is_monitoring(uint32_t index, const void *memory);

uint64_t sites_lost(void);
uint32_t sites_count(void);

#endif
