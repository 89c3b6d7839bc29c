#include "buffer.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BLOCK = 512, MAX_POOLED = 256 };

static uint8_t *pool[MAX_POOLED];
static int pooled;

static uint8_t *first_block(void) {
    return pooled ? pool[--pooled] : malloc(FIRST_BLOCK);
}

static void give_back(uint8_t *block, size_t room) {
#ifndef __SANITIZE_ADDRESS__ /* a pool would hide from it who uses what after its end */
    if (room == FIRST_BLOCK && pooled < MAX_POOLED) {
        pool[pooled++] = block;
        return;
    }
#endif
    (void)room;
    free(block);
}

static int grow(Buffer *buffer, size_t needed) {
    size_t room = FIRST_BLOCK;
    while (room < needed)
        room *= 2;
    if (room > UINT32_MAX)
        return -1;
    uint8_t *bytes = room == FIRST_BLOCK ? first_block() : malloc(room);
    if (!bytes)
        return -1;
    if (buffer->bytes) {
        memcpy(bytes, buffer->bytes, buffer->used);
        give_back(buffer->bytes, buffer->room);
    }
    buffer->bytes = bytes;
    buffer->room = (uint32_t)room;
    return 0;
}

uint8_t *buffer_reserve(Buffer *buffer, size_t size) {
    size_t needed = buffer->used + size;
    if ((needed > buffer->room || !buffer->bytes) && grow(buffer, needed) < 0)
        return NULL;
    return buffer->bytes + buffer->used;
}

void buffer_remove(Buffer *buffer, size_t at, size_t size) {
    memmove(buffer->bytes + at, buffer->bytes + at + size, buffer->used - at - size);
    buffer->used -= (uint32_t)size;
}

void buffer_give_back(Buffer *buffer) {
    give_back(buffer->bytes, buffer->room);
    *buffer = (Buffer){0};
}
