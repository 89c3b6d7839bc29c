#include "unsampled.h"

#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "protobuf.h"
#include "recorder.h"
#include "rings.h"
#include "tally.h"

enum { MAX_WAITING = 512, MAX_WAITING_BYTES = 256 << 10 };

/* An ended span that waits: its references are owned, its record stands in `records`. */
typedef struct {
    Ended ended;
    uint32_t size;
} Waiting;

typedef struct Waiters {
    Buffer records;
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

/* False: it cannot wait. */
static bool wait_with(Span *root, const Span *span, const Ended *ended, uint64_t end_ns) {
    Waiters *waiters = root->waiters;
    if (!waiters && !(waiters = root->waiters = calloc(1, sizeof *waiters)))
        return false;
    if (waiters->count == MAX_WAITING || waiters->records.used > MAX_WAITING_BYTES)
        return false;
    if (waiters->count == waiters->room) {
        uint32_t room = waiters->room ? 2 * waiters->room : 16;
        Waiting *moved = realloc(waiters->all, room * sizeof *moved);
        if (!moved)
            return false;
        waiters->all = moved;
        waiters->room = room;
    }
    uint32_t before = waiters->records.used;
    if (!span_append(span, end_ns, &waiters->records))
        return false;
    Py_INCREF(ended->operation);
    Py_XINCREF(ended->name);
    waiters->all[waiters->count++] = (Waiting){*ended, waiters->records.used - before};
    return true;
}

static void free_waiters(Waiters *waiters) {
    for (uint32_t at = 0; at < waiters->count; at++) {
        Py_DECREF(waiters->all[at].ended.operation);
        Py_XDECREF(waiters->all[at].ended.name);
    }
    buffer_clear(&waiters->records);
    free(waiters->all);
    free(waiters);
}

static int write_all(const Waiters *waiters) {
    const uint8_t *at = waiters->records.bytes;
    for (uint32_t number = 0; number < waiters->count; number++) {
        uint32_t size = waiters->all[number].size;
        Ring *ring = rings_mine();
        if (!ring)
            return 0;
        RingWriter writer;
        RingState state = ring_begin(ring, size, &writer);
        if (state != RING_FULL) {
            ring_write(&writer, at, size);
            ring_end(&writer);
        }
        if (recorder_wrote(ring, state) < 0)
            return -1;
        at += size;
    }
    return 0;
}

static void count_all(const Waiters *waiters) {
    for (uint32_t at = 0; at < waiters->count; at++)
        tally(&waiters->all[at].ended);
    count_many(COUNT_tallied, waiters->count);
}

static void count_one(const Ended *ended) {
    tally(ended);
    count(COUNT_tallied);
}

static int write_one(const Span *span, uint64_t end_ns) {
    Ring *ring = rings_mine();
    return ring ? recorder_wrote(ring, span_write(span, end_ns, ring)) : 0;
}

/* Say on the first span why its request was kept. */
static void mark(Span *span, const Ended *ended) {
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
    if (root && !root->finished && wait_with(root, span, &ended, end_ns))
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
