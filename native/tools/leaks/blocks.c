#include "blocks.h"

#include <stdlib.h>

enum { LEAST = 1024 };

static bool sized(Blocks *all, size_t capacity) {
    uintptr_t *keys = calloc(capacity, sizeof *keys);
    Block *blocks = malloc(capacity * sizeof *blocks);
    if (!keys || !blocks) {
        free(keys);
        free(blocks);
        return false;
    }
    Blocks before = *all;
    all->keys = keys;
    all->blocks = blocks;
    all->capacity = capacity;
    all->shift = 64 - __builtin_ctzll(capacity);
    for (size_t at = 0; at < before.capacity; at++) {
        if (!before.keys[at])
            continue;
        size_t to = blocks_home(all, before.keys[at]);
        while (keys[to])
            to = (to + 1) & (capacity - 1);
        keys[to] = before.keys[at];
        blocks[to] = before.blocks[at];
    }
    free(before.keys);
    free(before.blocks);
    return true;
}

bool blocks_start(Blocks *all, size_t most) {
    *all = (Blocks){.most = most};
    return sized(all, LEAST);
}

void blocks_stop(Blocks *all) {
    free(all->keys);
    free(all->blocks);
    *all = (Blocks){0};
}

Block *blocks_find(const Blocks *all, const void *pointer) {
    uintptr_t key = (uintptr_t)pointer;
    for (size_t at = blocks_home(all, key); all->keys[at]; at = (at + 1) & (all->capacity - 1))
        if (all->keys[at] == key)
            return &all->blocks[at];
    return NULL;
}

bool blocks_room(Blocks *all) {
    if (all->used < all->most && sized(all, all->capacity * 2))
        return true;
    all->lost++;
    return false;
}

bool blocks_put(Blocks *all, const void *pointer, const Block *block) {
    Block *place = blocks_add(all, pointer);
    if (!place)
        return false;
    *place = *block;
    return true;
}

bool blocks_take(Blocks *all, const void *pointer, Block *out) {
    uintptr_t key = (uintptr_t)pointer;
    size_t mask = all->capacity - 1, at = blocks_home(all, key);
    for (; all->keys[at] != key; at = (at + 1) & mask)
        if (!all->keys[at])
            return false;
    if (out)
        *out = all->blocks[at];
    /* Those behind it that would not be found any more move up. */
    for (size_t next = (at + 1) & mask; all->keys[next]; next = (next + 1) & mask) {
        size_t home = blocks_home(all, all->keys[next]);
        if (((next - home) & mask) >= ((next - at) & mask)) {
            all->keys[at] = all->keys[next];
            all->blocks[at] = all->blocks[next];
            at = next;
        }
    }
    all->keys[at] = 0;
    all->used--;
    return true;
}

void blocks_shrink(Blocks *all) {
    size_t fits = all->capacity;
    while (fits > LEAST && all->used * 16 < fits)
        fits /= 2;
    if (fits < all->capacity)
        sized(all, fits); /* without memory it stays as it is */
}
