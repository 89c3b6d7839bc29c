#include "walk.h"

#include <string.h>

#include "utf8.h"

enum wire { VARINT = 0, FIXED64 = 1, LENGTH = 2, FIXED32 = 5 };

/* Deeper nesting is left to the full parser, which stops at 100. */
#define MAX_DEPTH 64

enum { SEEN_TRACE_ID = 1, SEEN_SPAN_ID = 2 };

struct walker {
    const struct shape *shapes;
    int64_t items;
};

/* Reads a varint of at most 64 bits. Returns where it ends, or NULL. */
static inline const uint8_t *read_varint(const uint8_t *at, const uint8_t *end, uint64_t *value) {
    if (at < end && *at < 0x80) {
        *value = *at;
        return at + 1;
    }
    uint64_t result = 0;
    for (int shift = 0; shift < 70 && at < end; shift += 7) {
        uint8_t byte = *at++;
        if (shift == 63 && byte > 1)
            return NULL;
        result |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *value = result;
            return at;
        }
    }
    return NULL;
}

static int all_zero(const uint8_t *bytes, size_t length) {
    static const uint8_t zeros[16];
    return memcmp(bytes, zeros, length) == 0;
}

static int all_varints(const uint8_t *at, const uint8_t *end) {
    uint64_t ignored;
    while (at && at < end)
        at = read_varint(at, end, &ignored);
    return at == end;
}

static int walk_message(struct walker *walker, unsigned message, const uint8_t *at, const uint8_t *end,
                        int depth);

/* Looks at the content of a length-delimited field. Returns 0 for what is out of the ordinary. */
static int delimited(struct walker *walker, struct field field, const uint8_t *at, size_t length, int depth,
                     unsigned *seen) {
    switch (field.kind) {
    case UNKNOWN:
    case BYTES:
        return 1;
    case STRING:
        return is_utf8(at, length);
    case MESSAGE:
        return walk_message(walker, field.message, at, at + length, depth + 1);
    case PACKED_VARINT:
        return all_varints(at, at + length);
    case PACKED_FIXED64:
        return length % 8 == 0;
    case TRACE_ID:
        *seen |= SEEN_TRACE_ID;
        return length == 16 && !all_zero(at, 16);
    case SPAN_ID:
        *seen |= SEEN_SPAN_ID;
        return length == 8 && !all_zero(at, 8);
    case PARENT_ID:
        return length == 8 || length == 0;
    default:
        return 0;
    }
}

/* Whether a field of this kind may come as this wire type; LENGTH is judged by `delimited`. */
static int may_be(uint8_t kind, unsigned wire) {
    switch (wire) {
    case VARINT:
        return kind == UNKNOWN || kind == VARINT_FIELD || kind == PACKED_VARINT;
    case FIXED64:
        return kind == UNKNOWN || kind == FIXED64_FIELD || kind == PACKED_FIXED64;
    case FIXED32:
        return kind == UNKNOWN || kind == FIXED32_FIELD;
    default:
        return 0;
    }
}

static int walk_message(struct walker *walker, unsigned message, const uint8_t *at, const uint8_t *end,
                        int depth) {
    if (depth > MAX_DEPTH)
        return 0;
    const struct field *fields = walker->shapes[message].fields;
    unsigned seen = 0;
    while (at < end) {
        uint64_t tag, value;
        at = read_varint(at, end, &tag);
        if (!at || tag < 8 || tag > UINT32_MAX)
            return 0;
        unsigned wire = tag & 7;
        struct field field = {UNKNOWN, 0};
        if (tag >> 3 < FIELDS)
            field = fields[tag >> 3];
        if (wire == LENGTH) {
            at = read_varint(at, end, &value);
            if (!at || value > (uint64_t)(end - at) || !delimited(walker, field, at, value, depth, &seen))
                return 0;
            at += value;
            continue;
        }
        if (!may_be(field.kind, wire))
            return 0;
        if (wire == VARINT) {
            at = read_varint(at, end, &value);
            if (!at)
                return 0;
        } else {
            ptrdiff_t width = wire == FIXED64 ? 8 : 4;
            if (end - at < width)
                return 0;
            at += width;
        }
    }
    uint8_t flags = fields[0].kind;
    if (flags & NEEDS_IDS && seen != (SEEN_TRACE_ID | SEEN_SPAN_ID))
        return 0;
    walker->items += flags & IS_ITEM;
    return 1;
}

int64_t walk(const struct shape *shapes, const uint8_t *bytes, size_t length) {
    struct walker walker = {shapes, 0};
    return walk_message(&walker, 0, bytes, bytes + length, 0) ? walker.items : -1;
}
