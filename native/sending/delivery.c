#include "delivery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch.h"
#include "../spans/clock.h"
#include "../core/counters.h"
#include "frame_queue.h"
#include "rings.h"
#include "target.h"

static const uint64_t STATUS_EVERY_NS = 10000000000u;
static const uint64_t RETRY_FIRST_NS = 100000000u, RETRY_MOST_NS = 2000000000u;

static Batch batch;
static Prologue prologue;
static uint8_t *head; /* of the frame, with room for the prologue */
static uint32_t head_version;
static uint64_t retry_ns, retry_at_ns;
static bool met; /* an agent has been there */
static uint64_t report_at_ns;
static uint64_t reported[COUNTERS];
static uint32_t jitter;

void delivery_reset(void) {
    retry_ns = RETRY_FIRST_NS;
    retry_at_ns = report_at_ns = 0;
    met = false;
    memset(reported, 0, sizeof reported);
    batch.next = NULL;
    jitter = (uint32_t)clock_monotonic_ns() ^ (uint32_t)getpid();
}

/* -- connecting -- */

static bool send_small(uint8_t kind, char *payload, int size, Expired expired) {
    uint8_t header[FRAME_HEADER_BYTES];
    frame_header(header, kind, (size_t)size);
    struct iovec pieces[] = {{header, sizeof header}, {payload, (size_t)size}};
    return connection_send(pieces, 2, expired);
}

static bool greet(Expired expired) {
    size_t room = strlen(target_hello()) + 32;
    char *text = malloc(room);
    if (!text)
        return false;
    int size = snprintf(text, room, "%s\"pid\":%d}", target_hello(), (int)getpid());
    bool sent = send_small(FRAME_HELLO, text, size, expired);
    free(text);
    return sent;
}

/* The next pause, 25 % shorter to 25 % longer: many processes of one host should not come all at once. */
static void back_off(void) {
    jitter = jitter * 1103515245u + 12345u;
    uint64_t pause_ns = retry_ns / 4 * 3 + retry_ns / 2 / 1024 * (jitter >> 16 & 1023);
    retry_at_ns = clock_monotonic_ns() + pause_ns;
    retry_ns = retry_ns * 2 < RETRY_MOST_NS ? retry_ns * 2 : RETRY_MOST_NS;
}

static bool connected(bool at_once, Expired expired) {
    if (connection_is_open())
        return true;
    if (!at_once && clock_monotonic_ns() < retry_at_ns)
        return false;
    if (connection_open(target_socket_path()) && greet(expired)) {
        retry_ns = RETRY_FIRST_NS;
        retry_at_ns = 0;
        met = true;
        return true;
    }
    back_off();
    return false;
}

void delivery_look_for_agent(Expired expired) {
    if (met)
        connected(false, expired);
}

uint64_t delivery_look_at_ns(void) {
    return met && !connection_is_open() ? retry_at_ns : UINT64_MAX;
}

/* -- spans -- */

/* Take over a resource that was set meanwhile. False: no memory. */
static bool renew_head(void) {
    if (!target_renew(&prologue))
        return false;
    if (head && head_version == prologue.version)
        return true;
    uint8_t *room = malloc(batch_head_room(&prologue));
    if (!room)
        return false;
    free(head);
    head = room;
    head_version = prologue.version;
    return true;
}

static bool send_batch(Expired expired) {
    batch_frame(&batch, &prologue, head);
    if (!connection_send(batch.pieces, batch.piece_count, expired))
        return false;
    /* Only now: what a broken connection got half of is still in the rings, and goes again as a whole. */
    batch_discard(&batch);
    count_many(COUNT_sent_spans, batch.spans);
    return true;
}

static bool send_spans(bool at_once, bool *sent, Expired expired) {
    bool broke = false; /* the agent may have been started anew meanwhile: one more attempt, at once */
    *sent = false;
    while (!rings_empty()) {
        if (!connected(broke || (at_once && !*sent), expired) || !renew_head())
            return false;
        if (!batch_collect(&batch))
            return true;
        if (send_batch(expired)) {
            broke = false;
            *sent = true;
        } else if (broke) {
            back_off();
            return false;
        } else {
            broke = true;
        }
    }
    return true;
}

/* False: not all went. */
static bool send_extras(bool at_once, Expired expired) {
    while (queue_waits(&outbox)) {
        if (!connected(at_once, expired))
            return false;
        Frame *frame = queue_take(&outbox);
        if (!frame)
            return true;
        if (!send_small(frame->kind, (char *)frame->bytes, (int)frame->size, expired)) {
            queue_return(&outbox, frame);
            return false;
        }
        free(frame);
    }
    return true;
}

bool delivery_send_all(bool at_once, bool *sent, Expired expired) {
    bool emptied = send_spans(at_once, sent, expired);
    return send_extras(at_once && !*sent, expired) && emptied;
}

/* -- counters -- */

/* The counters of our own frames are no news. */
static bool has_news(uint64_t values[COUNTERS]) {
    counters_read(values);
    if (!connection_is_open())
        return false;
    for (int at = 0; at < COUNTERS; at++)
        if (at != COUNT_sent_bytes && at != COUNT_sent_frames && values[at] != reported[at])
            return true;
    return false;
}

void delivery_report(bool at_once, Expired expired) {
    uint64_t values[COUNTERS];
    char text[COUNTERS * 48];
    if ((!at_once && clock_monotonic_ns() < report_at_ns) || !has_news(values))
        return;
    if (send_small(FRAME_STATUS, text, counters_json(values, text, sizeof text), expired)) {
        memcpy(reported, values, sizeof values);
        report_at_ns = clock_monotonic_ns() + STATUS_EVERY_NS;
    }
}

uint64_t delivery_retry_at_ns(void) {
    return retry_at_ns;
}

uint64_t delivery_report_at_ns(void) {
    uint64_t values[COUNTERS];
    return has_news(values) ? report_at_ns : UINT64_MAX;
}
