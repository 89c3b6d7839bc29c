/* A finished span as a record. The field order is that of the twin (twin/span.py, Span._encode). */
#include "span.h"

#include "protobuf.h"
#include "../python/text.h"

enum {
    HEAD_BYTES = 18 + 10 + 10 + 6 + 9 + 9, /* three ids, flags, two times */
    DROPPED_BYTES = 3 * 6,
    MAX_PIECES = 8,
};

/* What the record is made of, in order; sizes first, then all of it goes into the ring at once. */
typedef struct {
    struct {
        const void *bytes;
        size_t size;
    } piece[MAX_PIECES];
    int count;
    size_t size;
} Pieces;

static void add(Pieces *pieces, const void *bytes, size_t size) {
    if (!size)
        return;
    pieces->piece[pieces->count].bytes = bytes;
    pieces->piece[pieces->count++].size = size;
    pieces->size += size;
}

static void add_buffer(Pieces *pieces, const Buffer *buffer) {
    add(pieces, buffer->bytes, buffer->used);
}

static uint8_t *put_ids_and_times(uint8_t *at, const Span *span, uint64_t end_ns) {
    at = put_field(at, SPAN_TRACE_ID, span->trace_id, TRACE_ID_BYTES);
    at = put_field(at, SPAN_SPAN_ID, span->span_id, SPAN_ID_BYTES);
    if (span->has_parent)
        at = put_field(at, SPAN_PARENT_SPAN_ID, span->parent_id, SPAN_ID_BYTES);
    *at++ = SPAN_FLAGS_1;
    *at++ = SPAN_FLAGS_2;
    at = put_fixed32(at, span->flags | FLAG_PARENT_KNOWN);
    *at++ = SPAN_START_TIME;
    at = put_fixed64(at, span->start_unix_ns);
    *at++ = SPAN_END_TIME;
    return put_fixed64(at, span->start_unix_ns + (end_ns - span->start_ns));
}

static uint8_t *put_dropped(uint8_t *at, uint8_t tag, uint32_t dropped) {
    if (!dropped)
        return at;
    *at++ = tag;
    return put_varint(at, dropped);
}

static uint8_t *put_all_dropped(uint8_t *at, const Span *span) {
    at = put_dropped(at, SPAN_DROPPED_ATTRIBUTES, span->dropped_attributes);
    at = put_dropped(at, SPAN_DROPPED_EVENTS, span->dropped_events);
    return put_dropped(at, SPAN_DROPPED_LINKS, span->dropped_links);
}

/* Name and kind of a span that was given a name of its own, behind what `made` has. False: no memory. */
static bool make_name_and_kind(const Span *span, Buffer *made) {
    size_t size = field_size(span->name_bytes) + 2;
    uint8_t *at = buffer_reserve(made, size);
    if (!at)
        return false;
    at = put_text(put_head(at, SPAN_NAME, span->name_bytes), span->name, span->name_bytes);
    *at++ = SPAN_KIND;
    *at = (uint8_t)span->operation->kind;
    made->used += (uint32_t)size;
    return true;
}

/* Those constants of the operation that no attribute of the span has replaced, behind what `made` has. */
static bool make_constants(const Span *span, Buffer *made) {
    const Attributes *constants = &span->operation->constants;
    uint8_t *at = buffer_reserve(made, constants->fields.used);
    if (!at)
        return false;
    made->used += (uint32_t)attributes_without(constants, &span->attributes, at);
    return true;
}

/* Name, kind and constants: the operation's bytes as they are, or made anew for this span. */
static bool add_operation(Pieces *pieces, const Span *span, Buffer *made) {
    const Operation *operation = span->operation;
    bool replaced = attributes_may_share(&operation->constants, &span->attributes);
    if (span->name && !make_name_and_kind(span, made))
        return false;
    size_t name_size = made->used;
    if (replaced && !make_constants(span, made))
        return false;
    if (span->name)
        add(pieces, made->bytes, name_size);
    else
        add_buffer(pieces, &operation->name_and_kind);
    if (replaced)
        add(pieces, made->bytes + name_size, made->used - name_size);
    else
        add_buffer(pieces, &operation->constants.fields);
    return true;
}

static RingState write_pieces(const Pieces *pieces, Ring *ring) {
    uint8_t head[1 + 10], *end = put_head(head, SCOPE_SPANS_SPANS, pieces->size);
    RingWriter writer;
    RingState state = ring_begin(ring, (size_t)(end - head) + pieces->size, &writer);
    if (state == RING_FULL)
        return state;
    uint8_t *to = ring_piece(&writer, (size_t)(end - head) + pieces->size);
    if (to) {
        to = put_bytes(to, head, (size_t)(end - head));
        for (int at = 0; at < pieces->count; at++)
            to = put_bytes(to, pieces->piece[at].bytes, pieces->piece[at].size);
    } else {
        ring_write(&writer, head, (size_t)(end - head));
        for (int at = 0; at < pieces->count; at++)
            ring_write(&writer, pieces->piece[at].bytes, pieces->piece[at].size);
    }
    ring_end(&writer);
    return state;
}

/* The pieces of the record are pointers into the span, `head`, `dropped` and `made`. False: no memory. */
static bool collect(const Span *span, uint64_t end_ns, uint8_t *head, uint8_t *dropped, Buffer *made,
                    Pieces *pieces) {
    pieces->count = 0;
    pieces->size = 0;
    add(pieces, head, (size_t)(put_ids_and_times(head, span, end_ns) - head));
    if (!add_operation(pieces, span, made))
        return false;
    add_buffer(pieces, &span->attributes.fields);
    add_buffer(pieces, &span->more);
    add(pieces, dropped, (size_t)(put_all_dropped(dropped, span) - dropped));
    add_buffer(pieces, &span->status);
    return true;
}

RingState span_write(const Span *span, uint64_t end_ns, Ring *ring) {
    uint8_t head[HEAD_BYTES], dropped[DROPPED_BYTES];
    Buffer made = {0};
    Pieces pieces;
    RingState state =
        collect(span, end_ns, head, dropped, &made, &pieces) ? write_pieces(&pieces, ring) : RING_FULL;
    buffer_clear(&made);
    return state;
}
