/* Bytes that grow: where a span's fields wait until it is finished.

   GIL: held by the caller of every function, it guards the pool of first blocks. Errors: no Python exception
   is set. */
#ifndef SONDE_BUFFER_H
#define SONDE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

/* All zero is an empty buffer that holds no memory. */
typedef struct {
    uint8_t *bytes;
    uint32_t used, room;
} Buffer;

/* Room for `size` bytes more, to be written at the returned address and then added to `used`.
   NULL where there is no memory: the buffer is as it was. */
uint8_t *buffer_reserve(Buffer *buffer, size_t size);

/* Take `size` bytes out, at offset `at`. */
void buffer_remove(Buffer *buffer, size_t at, size_t size);

void buffer_give_back(Buffer *buffer);

/* Let go of the memory. The buffer is empty and can be used again. */
static inline void buffer_clear(Buffer *buffer) {
    if (buffer->bytes)
        buffer_give_back(buffer);
}

#endif
