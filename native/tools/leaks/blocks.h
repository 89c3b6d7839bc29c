/* Pointer -> block: open addressing, linear probing, no graves. Its memory comes from libc, never from the
   domains that are watched. GIL: held. */
#ifndef SONDE_LEAKS_BLOCKS_H
#define SONDE_LEAKS_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is known of one allocation. */
typedef struct {
    size_t size;       /* bytes, now */
    size_t base;       /* of them, bytes that no loop has taken: of a block that was there before */
    uint32_t site;     /* where, see sites.h */
    uint32_t loop;     /* in which loop */
    uint32_t group;    /* site and kind, once it has outlived its loop; see groups.h */
    uint8_t header;    /* bytes before the object, where `object` */
    bool object;       /* the interpreter said that an object is made of it */
    bool from_objects; /* of the domain that objects come from */
    bool parked;       /* a dead object that the interpreter keeps for the next of its type */
} Block;

typedef struct {
    uintptr_t *keys; /* 0: free */
    Block *blocks;
    size_t capacity, used, most;
    uint64_t lost; /* blocks there was no room or memory for */
    int shift;
} Blocks;

/* At most `most` blocks. False: no memory. */
bool blocks_start(Blocks *all, size_t most);
void blocks_stop(Blocks *all);

/* NULL: none. Valid until the next put or take. */
Block *blocks_find(const Blocks *all, const void *pointer);

/* What was there is overwritten. False: no room or no memory; counted. */
bool blocks_put(Blocks *all, const void *pointer, const Block *block);

/* False: there is none. `out` may be NULL. */
bool blocks_take(Blocks *all, const void *pointer, Block *out);

/* Give memory back after a peak. */
void blocks_shrink(Blocks *all);

#endif
