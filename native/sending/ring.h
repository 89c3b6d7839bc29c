/* One thread's finished spans as bytes, on their way to the sender: one writer, one reader, no lock.

   A record is a ScopeSpans.spans field: tag 0x12, length, Span. So the bytes between `tail` and `head` are,
   as they are, the list of spans of a batch. No Python in here, and no GIL needed: the writer is whoever owns
   the ring, the reader is the sender. */
#ifndef SONDE_RING_H
#define SONDE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

typedef struct Ring {
    struct Ring *next; /* set before the ring is seen by others, then for ever */
    uint8_t *bytes;
    uint64_t room; /* a power of two */
    _Atomic bool owned;
    bool parked; /* its pages were given back; guarded by the registry's mutex */

    /* Positions only grow; modulo `room` they are offsets. Each side writes its own, in a cache line of its
     * own. */
    _Alignas(64) _Atomic uint64_t head;
    uint64_t tail_seen; /* the writer's last look at `tail` */
    _Atomic uint64_t finished, dropped_ring_full, dropped_no_agent;
    _Alignas(64) _Atomic uint64_t tail;
} Ring;

/* Where the writer is inside a record that the reader does not see yet. */
typedef struct {
    Ring *ring;
    uint64_t at;
} RingWriter;

typedef enum { RING_FULL, RING_OPEN, RING_FILLS_UP } RingState;

/* Map memory for a ring of at least `room` bytes. Pages come as they are first written. NULL: no memory. */
Ring *ring_new(size_t room);

/* Begin a record of `size` bytes. RING_FULL: it does not fit, nothing was begun. RING_FILLS_UP: more than
   half is in use with it, the reader should hurry. */
RingState ring_begin(Ring *ring, size_t size, RingWriter *writer);

/* Write the record's next bytes. All of them together are the `size` of ring_begin. */
void ring_write(RingWriter *writer, const void *bytes, size_t size);

/* Where the record's next `size` bytes are in one piece of memory, to be written by the caller. NULL: they
   are in two, for ring_write. */
static inline uint8_t *ring_piece(RingWriter *writer, size_t size) {
    size_t offset = writer->at & (writer->ring->room - 1);
    if (size > writer->ring->room - offset)
        return NULL;
    writer->at += size;
    return writer->ring->bytes + offset;
}

/* Show the record to the reader. */
void ring_end(RingWriter *writer);

/* The oldest whole records, of at most `budget` bytes, but one at least, as one or two pieces of memory.
   Returns their number; `size` gets their bytes, `pieces[1].iov_len` is 0 where they do not wrap. They stay
   until ring_discard. */
size_t ring_peek(const Ring *ring, size_t budget, struct iovec pieces[2], size_t *size);

/* Let go of the oldest `size` bytes. */
void ring_discard(Ring *ring, size_t size);

bool ring_empty(const Ring *ring);

/* Give the pages of an empty ring without owner back to the system. */
void ring_park(Ring *ring);

#endif
