#include "ring.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

Ring *ring_new(size_t room) {
    size_t power = 1 << 12;
    while (power < room)
        power *= 2;
    Ring *ring = aligned_alloc(_Alignof(Ring), sizeof(Ring));
    if (!ring)
        return NULL;
    memset(ring, 0, sizeof *ring);
    ring->bytes =
        mmap(NULL, power, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (ring->bytes == MAP_FAILED) {
        free(ring);
        return NULL;
    }
    madvise(ring->bytes, power, MADV_NOHUGEPAGE); /* a huge page would be all there at the first byte */
    ring->room = power;
    return ring;
}

RingState ring_begin(Ring *ring, size_t size, RingWriter *writer) {
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    uint64_t used = head - ring->tail_seen + size;
    if (used * 2 > ring->room) { /* look at the reader's cache line only when it may matter */
        ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
        used = head - ring->tail_seen + size;
        if (used > ring->room)
            return RING_FULL;
    }
    *writer = (RingWriter){ring, head};
    return used * 2 > ring->room ? RING_FILLS_UP : RING_OPEN;
}

void ring_write(RingWriter *writer, const void *bytes, size_t size) {
    Ring *ring = writer->ring;
    size_t offset = writer->at & (ring->room - 1);
    size_t first = ring->room - offset;
    if (size <= first) {
        memcpy(ring->bytes + offset, bytes, size);
    } else {
        memcpy(ring->bytes + offset, bytes, first);
        memcpy(ring->bytes, (const uint8_t *)bytes + first, size - first);
    }
    writer->at += size;
}

void ring_end(RingWriter *writer) {
    /* Sequentially consistent, not just release: the writer then looks whether the reader is asleep, and the
       reader, before it sleeps, looks here. One of them has to see the other. */
    atomic_store(&writer->ring->head, writer->at);
}

static uint8_t byte_at(const Ring *ring, uint64_t position) {
    return ring->bytes[position & (ring->room - 1)];
}

static uint64_t record_end(const Ring *ring, uint64_t position) {
    uint64_t length = 0;
    position++; /* the tag */
    for (int shift = 0;; shift += 7) {
        uint8_t byte = byte_at(ring, position++);
        length |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return position + length;
    }
}

size_t ring_peek(const Ring *ring, size_t budget, struct iovec pieces[2], size_t *size) {
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
    uint64_t end = tail;
    size_t records = 0;
    while (end != head) {
        uint64_t next = record_end(ring, end);
        if (records && next - tail > budget)
            break;
        end = next;
        records++;
    }
    *size = end - tail;
    size_t offset = tail & (ring->room - 1);
    size_t first = ring->room - offset < *size ? ring->room - offset : *size;
    pieces[0] = (struct iovec){ring->bytes + offset, first};
    pieces[1] = (struct iovec){ring->bytes, *size - first};
    return records;
}

void ring_discard(Ring *ring, size_t size) {
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    atomic_store_explicit(&ring->tail, tail + size, memory_order_release);
}

bool ring_empty(const Ring *ring) {
    return atomic_load(&ring->head) == atomic_load_explicit(&ring->tail, memory_order_relaxed);
}

void ring_park(Ring *ring) {
    if (!ring->parked)
        madvise(ring->bytes, ring->room, MADV_DONTNEED);
    ring->parked = true;
}
