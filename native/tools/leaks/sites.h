/* Where allocations happen: an instruction of a code object; for library code that was seen to keep memory
   also the instruction of the application it was called from. GIL: held. */
#ifndef SONDE_LEAKS_SITES_H
#define SONDE_LEAKS_SITES_H

#include <stdbool.h>
#include <stdint.h>

#include "stack.h"

enum { UNKNOWN_SITE = 0, MAX_SITES = 1 << 18 };

typedef struct {
    PyCodeObject *code;    /* owned; NULL: it has gone, or the site was given by name */
    PyObject *file;        /* str, once asked for, or when the code has gone; owned */
    int instruction, line; /* line: 0 until asked for */
    uint32_t outer;        /* site of the application's line; UNKNOWN_SITE: none */
    bool deep;             /* look for the application's line from now on */
    uint8_t library;       /* of the code: 1 no, 2 yes; 0: not asked yet */
    /* What it allocates in one loop, be it freed or not: see growth in hooks.h. */
    uint32_t loop, growths;
    uint64_t bytes, bytes_before, grown;
} Site;

/* Returns 0, or -1 with an exception set. `library`: tuple of str, beginnings of the names of files that are
   not the application's. */
int sites_start(PyObject *library);
void sites_stop(void);

/* Of the running thread's innermost frame. UNKNOWN_SITE: none, or no room; the latter is counted. Runs no
   Python code. */
uint32_t sites_here(const PyThreadState *thread);

/* Never NULL; valid until the next site is made. */
Site *sites_at(uint32_t index);

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

uint64_t sites_lost(void);
uint32_t sites_count(void);

#endif
