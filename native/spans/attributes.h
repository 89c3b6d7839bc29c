/* Python values as KeyValue fields of an OTLP message.

   GIL: held. Refs: borrowed. No code of the user runs in here, and no Python exception is set: a value that
   is not one of OTLP's own kinds is refused, never asked for its str(). The twin is twin/encode.py, byte for
   byte. */
#ifndef SONDE_ATTRIBUTES_H
#define SONDE_ATTRIBUTES_H

#include "../python/compat.h"

#include <stdbool.h>

#include "buffer.h"

/* A list of KeyValue fields with distinct keys, and nothing else. */
typedef struct {
    Buffer fields;
    uint64_t seen; /* one bit per key's hash: a clear bit says that the key is new */
    uint32_t count;
} Attributes;

typedef enum { PUT_DONE, PUT_UNENCODABLE, PUT_NO_ROOM } PutResult;

/* Append `key` = `value` as field `tag`, instead of an earlier one of that key. Texts are cut to `limit`
   bytes; cuts are counted. None appends nothing. PUT_NO_ROOM: it would be more than `most` attributes or
   `most_bytes`, or there is no memory; an earlier one of that key is gone all the same. */
PutResult attributes_put(Attributes *attributes, uint8_t tag, PyObject *key, PyObject *value, size_t limit,
                         uint32_t most, size_t most_bytes);

/* Append every item of a mapping. What has no form is counted and left out.
   Returns 0, or -1 with an exception set where the mapping itself raises. */
int attributes_put_all(Attributes *attributes, uint8_t tag, PyObject *mapping, size_t limit);

/* Copy to `out` those fields whose key is not in `but`; returns how many bytes. NULL `out` only measures. */
size_t attributes_without(const Attributes *attributes, const Attributes *but, uint8_t *out);

/* Whether a key of one may be a key of the other. False is certain. */
static inline bool attributes_may_share(const Attributes *one, const Attributes *other) {
    return (one->seen & other->seen) != 0;
}

static inline void attributes_clear(Attributes *attributes) {
    buffer_clear(&attributes->fields);
    attributes->seen = attributes->count = 0;
}

#endif
