/* A TRACES frame made of what is in the rings: their memory is sent as it is, nothing is copied. No Python in
   here; used by the sender's thread alone. */
#ifndef SONDE_BATCH_H
#define SONDE_BATCH_H

#include "ring.h"
#include "target.h"

enum { MAX_BATCH_BYTES = 1 << 20, MAX_BATCH_RINGS = 256, MAX_BATCH_PIECES = 2 * MAX_BATCH_RINGS + 2 };

typedef struct {
    struct iovec pieces[MAX_BATCH_PIECES]; /* the frame: its head, the spans, its tail */
    size_t piece_count;
    size_t span_bytes, spans;
    struct {
        Ring *ring;
        size_t bytes;
    } taken[MAX_BATCH_RINGS];
    size_t ring_count;
    Ring *next; /* the ring that is first to be heard next time */
} Batch;

/* Collect up to MAX_BATCH_BYTES of spans, ring by ring. False: there are none. */
bool batch_collect(Batch *batch);

/* Bytes that `head` of batch_frame needs. */
size_t batch_head_room(const Prologue *prologue);

/* Put head and tail around the collected spans, so that `pieces` are a frame. */
void batch_frame(Batch *batch, const Prologue *prologue, uint8_t *head);

/* The frame was sent: let go of its spans. */
void batch_discard(Batch *batch);

#endif
