/* The protobuf wire format, as far as an OTLP span needs it. Source:
   https://protobuf.dev/programming-guides/encoding/. No Python in here; every writer returns the end of what
   it wrote, and the caller has made room. */
#ifndef SONDE_PROTOBUF_H
#define SONDE_PROTOBUF_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Tags: field number << 3 | wire type. Source: opentelemetry/proto/trace/v1/trace.proto and
 * common/v1/common.proto. */
enum {
    REQUEST_RESOURCE_SPANS = 0x0a,

    RESOURCE_SPANS_RESOURCE = 0x0a,
    RESOURCE_SPANS_SCOPE_SPANS = 0x12,
    RESOURCE_SPANS_SCHEMA_URL = 0x1a,

    SCOPE_SPANS_SCOPE = 0x0a,
    SCOPE_SPANS_SPANS = 0x12,

    SCOPE_NAME = 0x0a,
    SCOPE_VERSION = 0x12,

    RESOURCE_ATTRIBUTES = 0x0a,

    SPAN_TRACE_ID = 0x0a,
    SPAN_SPAN_ID = 0x12,
    SPAN_PARENT_SPAN_ID = 0x22,
    SPAN_NAME = 0x2a,
    SPAN_KIND = 0x30,
    SPAN_START_TIME = 0x39,
    SPAN_END_TIME = 0x41,
    SPAN_ATTRIBUTES = 0x4a,
    SPAN_DROPPED_ATTRIBUTES = 0x50,
    SPAN_EVENTS = 0x5a,
    SPAN_DROPPED_EVENTS = 0x60,
    SPAN_LINKS = 0x6a,
    SPAN_DROPPED_LINKS = 0x70,
    SPAN_STATUS = 0x7a,
    SPAN_FLAGS_1 = 0x85, /* field 16: a tag of two bytes */
    SPAN_FLAGS_2 = 0x01,

    EVENT_TIME = 0x09,
    EVENT_NAME = 0x12,
    EVENT_ATTRIBUTES = 0x1a,

    LINK_TRACE_ID = 0x0a,
    LINK_SPAN_ID = 0x12,

    STATUS_MESSAGE = 0x12,
    STATUS_CODE = 0x18,
    STATUS_CODE_ERROR = 2,

    KEY_VALUE_KEY = 0x0a,
    KEY_VALUE_VALUE = 0x12,

    ANY_STRING = 0x0a,
    ANY_BOOL = 0x10,
    ANY_INT = 0x18,
    ANY_DOUBLE = 0x21,
    ANY_ARRAY = 0x2a,

    ARRAY_VALUES = 0x0a,
};

static inline size_t varint_size(uint64_t value) {
    return (size_t)(64 - __builtin_clzll(value | 1) + 6) / 7;
}

static inline uint8_t *put_varint(uint8_t *at, uint64_t value) {
    while (value > 0x7f) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

static inline uint8_t *put_bytes(uint8_t *at, const void *bytes, size_t size) {
    if (size)
        memcpy(at, bytes, size);
    return at + size;
}

static inline uint8_t *put_fixed32(uint8_t *at, uint32_t value) {
    value = htole32(value);
    return put_bytes(at, &value, sizeof value);
}

static inline uint8_t *put_fixed64(uint8_t *at, uint64_t value) {
    value = htole64(value);
    return put_bytes(at, &value, sizeof value);
}

/* Tag and length of a nested message, text or bytes; the body follows. */
static inline uint8_t *put_head(uint8_t *at, uint8_t tag, size_t body_size) {
    *at++ = tag;
    return put_varint(at, body_size);
}

static inline uint8_t *put_field(uint8_t *at, uint8_t tag, const void *body, size_t size) {
    return put_bytes(put_head(at, tag, size), body, size);
}

/* Size of such a field, its tag and length included. */
static inline size_t field_size(size_t body_size) {
    return 1 + varint_size(body_size) + body_size;
}

/* Read a varint the reader knows to be whole. Returns its end. */
static inline const uint8_t *get_varint(const uint8_t *at, uint64_t *value) {
    uint64_t sum = 0;
    for (int shift = 0;; shift += 7) {
        uint8_t byte = *at++;
        sum |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            break;
    }
    *value = sum;
    return at;
}

#endif
