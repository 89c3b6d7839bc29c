/* Is this a protobuf message of a given shape? A walk over its bytes that makes no objects. No Python in
 * here. */
#ifndef SONDE_INTAKE_WALK_H
#define SONDE_INTAKE_WALK_H

#include <stddef.h>
#include <stdint.h>

/* What a field may hold. The order is known to src/sonde/server/intake/shape.py, which makes the shapes. */
enum kind {
    UNKNOWN, /* no such field: skipped, as every protobuf parser does */
    VARINT_FIELD,
    FIXED64_FIELD,
    FIXED32_FIELD,
    STRING, /* valid UTF-8 */
    BYTES,
    MESSAGE,       /* of the shape `message` */
    PACKED_VARINT, /* repeated number, packed or not */
    PACKED_FIXED64,
    TRACE_ID,  /* bytes: 16, not all zero */
    SPAN_ID,   /* bytes: 8, not all zero */
    PARENT_ID, /* bytes: 8 or none */
};

enum flags {
    IS_ITEM = 1,   /* count these */
    NEEDS_IDS = 2, /* a TRACE_ID and a SPAN_ID field must be there */
};

#define FIELDS 32 /* a shape has room for field numbers 0 to 31 */

struct field {
    uint8_t kind;
    uint8_t message;
};

/* Field 0, which no message has, carries the flags in `kind`. */
struct shape {
    struct field fields[FIELDS];
};

/* Walks `length` bytes as a message of the first shape.
   Returns how many items are in it, or -1 for anything out of the ordinary: bytes that are no such message,
   ids that are invalid, but also what a full parser may accept (groups, a field of another wire type). -1
   means: ask that one. */
int64_t walk(const struct shape *shapes, const uint8_t *bytes, size_t length);

#endif
