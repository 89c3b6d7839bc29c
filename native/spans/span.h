/* One timed operation: its attributes are encoded as they are set, the whole as soon as it is finished; one
   that is not sampled, only if its request is kept. What its methods mean is said in twin/span.py. */
#ifndef SONDE_SPAN_H
#define SONDE_SPAN_H

#include "../python/compat.h"

#include <stdbool.h>

#include "attributes.h"
#include "buffer.h"
#include "ids.h"
#include "operation.h"
#include "../sending/ring.h"
#include "../requests/traceparent.h"

/* OpenTelemetry's default limits, and the room for attributes and again for events and links. */
enum { MAX_ATTRIBUTES = 128, MAX_EVENTS = 128, MAX_LINKS = 128, MAX_FIELD_BYTES = 1 << 16 };

/* Trace flags, and what Span.flags says above them about the parent. */
enum { FLAG_SAMPLED = 0x01, FLAG_RANDOM = 0x02, FLAG_PARENT_KNOWN = 0x100, FLAG_PARENT_REMOTE = 0x200 };

typedef struct Span {
    PyObject_HEAD Operation *operation;
    struct Span *previous; /* what was current before it; owned */
    struct Span
        *root; /* of one that is not sampled: whose end decides what becomes of it; owned, NULL: itself */
    struct Waiters *waiters; /* ended spans that wait for this one's end, see unsampled.h */
    PyObject *carried; /* what came with the request and goes on with its calls, see propagation.py; owned or
                          NULL */
    PyObject *name;    /* NULL: the operation's; owned */
    size_t name_bytes;
    Attributes attributes;
    Buffer later;  /* attributes that are not encoded yet, see span_later.h */
    Buffer more;   /* events and links */
    Buffer status; /* Span.status; empty: not failed */
    uint64_t start_ns, start_unix_ns;
    uint32_t dropped_attributes, dropped_events, dropped_links;
    uint32_t generation; /* of the process that opened it */
    uint16_t events, links, flags, status_code;
    uint8_t trace_id[TRACE_ID_BYTES], span_id[SPAN_ID_BYTES], parent_id[SPAN_ID_BYTES];
    bool has_parent, recording, finished, scoped, left_behind, kept, silent;
} Span;

extern PyTypeObject SpanType;

/* Where a request comes from. */
typedef struct {
    TraceParent parent;
    PyObject *carried; /* borrowed; NULL: nothing */
} Remote;

/* A running span below `parent`, else below `remote`, else the root of a new trace (both may be NULL).
   GIL: held. Returns a new reference, or NULL with an exception set. */
Span *span_new(Operation *operation, const Span *parent, const Remote *remote);

/* Span.rename(); returns 0, or -1 with an exception set, which only happens while debugging. */
int span_rename(Span *span, PyObject *name);

/* Span.set(); returns 0, or -1 with an exception set, which only happens while debugging. */
int span_set(Span *span, PyObject *key, PyObject *value);

/* End it where it is: it stays the current one of its context. Returns 0, or -1 with an exception set. */
int span_record(Span *span);

/* Span.finish(); returns 0, or -1 with an exception set that is not ours to swallow. */
int span_finish(Span *span);

/* Encode the span as a record into the ring. GIL: held. The buffers of the span stay. */
RingState span_write(const Span *span, uint64_t end_ns, Ring *ring);

/* GIL: held. Returns 0, or -1 with an exception set. */
int span_type_ready(void);

#endif
