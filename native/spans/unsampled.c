#include "unsampled.h"

#include <stdlib.h>

#include "../core/counters.h"
#include "protobuf.h"
#include "../core/recorder.h"
#include "../sending/rings.h"
#include "span_later.h"
#include "tally.h"

enum { MAX_WAITING = 512, MAX_WAITING_BYTES = 256 << 10, FIRST_ROOM = 16 };

/* An ended span that waits. `span` is no object: it is what the object was, and owns its operation, its name
   and its buffers. */
typedef struct {
    Span span;
    uint64_t end_ns;
} Waiting;

typedef struct Waiters {
    size_t bytes;
    uint32_t count, room;
    Waiting *all;
} Waiters;

bool unsampled_decides(const uint8_t trace_id[TRACE_ID_BYTES]) {
    uint64_t random =
        0; /* 56 bits: https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling */
    for (int at = TRACE_ID_BYTES - 7; at < TRACE_ID_BYTES; at++)
        random = random << 8 | trace_id[at];
    return random >= recorder.sampled_from;
}

void unsampled_join(Span *span, const Span *parent) {
    span->root = (Span *)Py_NewRef((PyObject *)(parent->root ? parent->root : parent));
}

static Ended ended_of(const Span *span, uint64_t end_ns) {
    return (Ended){span->operation,         span->name,        span->start_unix_ns,
                   end_ns - span->start_ns, span->status_code, span->status.used > 0,
                   !span->has_parent};
}

static Waiters *spare; /* the last request's, for the next one */

static Waiters *waiters_of(Span *root) {
    if (!root->waiters) {
        root->waiters = spare ? spare : calloc(1, sizeof *root->waiters);
        spare = NULL;
    }
    return root->waiters;
}

static bool has_room(Waiters *waiters) {
    if (waiters->count == MAX_WAITING || waiters->bytes > MAX_WAITING_BYTES)
        return false;
    if (waiters->count < waiters->room)
        return true;
    uint32_t room = waiters->room ? 2 * waiters->room : FIRST_ROOM;
    Waiting *moved = realloc(waiters->all, room * sizeof *moved);
    if (!moved)
        return false;
    waiters->all = moved;
    waiters->room = room;
    return true;
}

/* What the span has is the waiting one's from now on. False: it cannot wait. */
static bool wait_with(Span *root, Span *span, uint64_t end_ns) {
    Waiters *waiters = waiters_of(root);
    if (!waiters || !has_room(waiters))
        return false;
    waiters->bytes += span->attributes.fields.used + span->more.used + span->status.used;
    if (span->later.used)
        waiters->bytes += later_size(span);
    Waiting *waiting = &waiters->all[waiters->count++];
    waiting->span = *span;
    waiting->end_ns = end_ns;
    Py_INCREF(span->operation);
    span->name = NULL;
    span->attributes = (Attributes){0};
    span->later = span->more = span->status = (Buffer){0};
    return true;
}

static void free_waiting(Waiting *waiting) {
    Span *span = &waiting->span;
    Py_DECREF(span->operation);
    Py_XDECREF(span->name);
    attributes_clear(&span->attributes);
    if (span->later.used)
        later_clear(span);
    buffer_clear(&span->more);
    buffer_clear(&span->status);
}

static void free_waiters(Waiters *waiters) {
    for (uint32_t at = 0; at < waiters->count; at++)
        free_waiting(&waiters->all[at]);
    if (!spare && waiters->room <= FIRST_ROOM) {
        waiters->count = 0;
        waiters->bytes = 0;
        spare = waiters;
        return;
    }
    free(waiters->all);
    free(waiters);
}

static int write_one(Span *span, uint64_t end_ns) {
    if (span->later.used)
        later_encode(span);
    Ring *ring = rings_mine();
    return ring ? recorder_wrote(ring, span_write(span, end_ns, ring)) : 0;
}

static int write_all(Waiters *waiters) {
    for (uint32_t at = 0; at < waiters->count; at++)
        if (write_one(&waiters->all[at].span, waiters->all[at].end_ns) < 0)
            return -1;
    return 0;
}

static void count_all(const Waiters *waiters) {
    for (uint32_t at = 0; at < waiters->count; at++) {
        Ended ended = ended_of(&waiters->all[at].span, waiters->all[at].end_ns);
        tally(&ended);
    }
    count_many(COUNT_tallied, waiters->count);
}

static void count_one(const Ended *ended) {
    tally(ended);
    count(COUNT_tallied);
}

/* Say on the first span why its request was kept. */
static void mark(Span *span, const Ended *ended) {
    later_encode(span);
    PyObject *key = PyUnicode_InternFromString("sonde.kept");
    PyObject *why = key ? PyUnicode_FromString(ended->failed ? "error" : "slow") : NULL;
    if (why)
        attributes_put(&span->attributes, SPAN_ATTRIBUTES, key, why, recorder.max_value_bytes,
                       MAX_ATTRIBUTES + 1, MAX_FIELD_BYTES);
    else
        PyErr_Clear();
    Py_XDECREF(key);
    Py_XDECREF(why);
}

int unsampled_finished(Span *span, uint64_t end_ns) {
    Ended ended = ended_of(span, end_ns);
    Span *root = span->root;
    if (root && !root->finished && wait_with(root, span, end_ns))
        return 0;
    if (root) { /* it comes late: as its request was */
        if (root->finished && root->kept)
            return write_one(span, end_ns);
        count_one(&ended);
        return recorder_tallied();
    }
    Waiters *waiters = span->waiters;
    span->waiters = NULL;
    span->kept = ended.failed || ended.duration_ns >= recorder.slow_ns;
    int result = 0;
    if (!span->kept) {
        count_one(&ended);
        if (waiters)
            count_all(waiters);
        result = recorder_tallied();
    } else {
        mark(span, &ended);
        result = waiters ? write_all(waiters) : 0;
        if (write_one(span, end_ns) < 0)
            result = -1;
    }
    if (waiters)
        free_waiters(waiters);
    return result;
}

void unsampled_forget(Span *span) {
    Waiters *waiters = span->waiters;
    span->waiters = NULL;
    if (waiters) {
        if (span->generation == recorder.generation) /* else the parent counts them */
            count_all(waiters);
        free_waiters(waiters);
    }
}
