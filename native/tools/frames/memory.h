/* Reading this process's memory at addresses that may not be there (any more). */
#ifndef SONDE_TOOLS_MEMORY_H
#define SONDE_TOOLS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uintptr_t from;
    void *into;
    size_t size;
} MemoryPart;

enum { MEMORY_PARTS = 8 }; /* at once, at most */

/* Find a way that works here; a forked child goes on with it. Returns its name, NULL: there is none. No two
   threads at once. */
const char *memory_init(void);

/* All of it, or false. Any thread, no lock; not before memory_init() has found a way. */
bool memory_read(void *into, uintptr_t from, size_t size);

/* Several, in this order, in one system call where that is possible. */
bool memory_read_parts(const MemoryPart *parts, int count);

#endif
