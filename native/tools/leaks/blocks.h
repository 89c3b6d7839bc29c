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

/* False: no room or no memory; counted. */
bool blocks_room(Blocks *all);

/* Where the first of those that share this place stands. */
static inline size_t blocks_home(const Blocks *all, uintptr_t key) {
    return (size_t)(((uint64_t)(key >> 4) * 0x9E3779B97F4A7C15ull) >> all->shift);
}

/* Place for what is to be known of the block, to be filled now; what was there is overwritten. NULL: no room
   or no memory; counted. */
static inline Block *blocks_add(Blocks *all, const void *pointer) {
    uintptr_t key = (uintptr_t)pointer;
    if (all->used * 2 >= all->capacity && !blocks_room(all))
        return NULL;
    size_t at = blocks_home(all, key);
    while (all->keys[at] && all->keys[at] != key)
        at = (at + 1) & (all->capacity - 1);
    all->used += all->keys[at] != key;
    all->keys[at] = key;
    return &all->blocks[at];
}

/* The same with a copy. False: no room or no memory; counted. */
bool blocks_put(Blocks *all, const void *pointer, const Block *block);

/* False: there is none. `out` may be NULL. */
bool blocks_take(Blocks *all, const void *pointer, Block *out);

/* Give memory back after a peak. */
void blocks_shrink(Blocks *all);

#endif
