#include "batch.h"

#include "connection.h"
#include "../spans/protobuf.h"
#include "rings.h"

/* ResourceSpans.schema_url, behind the spans. */
#define SCHEMA_URL "https://opentelemetry.io/schemas/1.30.0"
static const char tail[] = "\x1a\x27" SCHEMA_URL;
enum { TAIL_BYTES = sizeof tail - 1 };
_Static_assert(sizeof SCHEMA_URL - 1 == 0x27, "the length in front of the text");

static void take(Batch *batch, Ring *ring) {
    struct iovec *pieces = batch->pieces + batch->piece_count;
    size_t bytes;
    size_t spans = ring_peek(ring, MAX_BATCH_BYTES - batch->span_bytes, pieces, &bytes);
    if (!spans)
        return;
    batch->piece_count += pieces[1].iov_len ? 2 : 1;
    batch->taken[batch->ring_count].ring = ring;
    batch->taken[batch->ring_count++].bytes = bytes;
    batch->spans += spans;
    batch->span_bytes += bytes;
}

bool batch_collect(Batch *batch) {
    Ring *first = batch->next ? batch->next : rings_first();
    batch->piece_count = 1; /* the head's place */
    batch->span_bytes = batch->spans = batch->ring_count = 0;
    batch->next = NULL;
    if (!first)
        return false;
    Ring *ring = first;
    do { /* around all rings; the next batch goes on where this one was full, so that a busy ring starves
            nobody */
        if (batch->span_bytes >= MAX_BATCH_BYTES || batch->ring_count == MAX_BATCH_RINGS) {
            batch->next = ring;
            break;
        }
        take(batch, ring);
        ring = ring->next ? ring->next : rings_first();
    } while (ring != first);
    return batch->spans > 0;
}

size_t batch_head_room(const Prologue *prologue) {
    return FRAME_HEADER_BYTES + prologue->resource_size + prologue->scope_size + 2 * (1 + 10);
}

void batch_frame(Batch *batch, const Prologue *prologue, uint8_t *head) {
    size_t scope_spans = prologue->scope_size + batch->span_bytes;
    size_t resource_spans = prologue->resource_size + field_size(scope_spans) + TAIL_BYTES;

    frame_header(head, FRAME_TRACES, field_size(resource_spans));
    uint8_t *at = put_head(head + FRAME_HEADER_BYTES, REQUEST_RESOURCE_SPANS, resource_spans);
    at = put_bytes(at, prologue->bytes, prologue->resource_size);
    at = put_head(at, RESOURCE_SPANS_SCOPE_SPANS, scope_spans);
    at = put_bytes(at, prologue->bytes + prologue->resource_size, prologue->scope_size);
    batch->pieces[0] = (struct iovec){head, (size_t)(at - head)};
    batch->pieces[batch->piece_count++] = (struct iovec){(void *)tail, TAIL_BYTES};
}

void batch_discard(Batch *batch) {
    for (size_t at = 0; at < batch->ring_count; at++)
        ring_discard(batch->taken[at].ring, batch->taken[at].bytes);
}
