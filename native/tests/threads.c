/* Rings, sender and connection under real threads, without Python: made for ThreadSanitizer, see
   scripts/sanitize.

   Writers record numbered spans as fast as they can, threads come and go, others flush, park, stop, count and
   change the resource. In the end every record has arrived once and in its thread's order, or was counted as
   dropped. */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../sending/commands.h"
#include "../sending/connection.h"
#include "../core/counters.h"
#include "../sending/frame_queue.h"
#include "../spans/protobuf.h"
#include "../sending/rings.h"
#include "../sending/sender.h"
#include "../sending/target.h"
#include "../sending/work.h"

enum { WRITERS = 4, LIVES = 5, RECORDS = 20000, ROUNDS = 3 };

static char path[64];
static _Atomic bool writers_done;

/* -- the application -- */

/* A record with a number and who wrote it; its size varies, so that it ends at every offset of the ring. */
static void record(uint32_t writer, uint32_t number) {
    uint8_t bytes[256] = {0};
    size_t size = 8 + number % 200;
    Ring *ring = rings_mine();
    RingWriter in;
    uint8_t head[4], *end = put_head(head, SCOPE_SPANS_SPANS, size);
    put_fixed32(put_fixed32(bytes, writer), number);
    RingState state = ring_begin(ring, (size_t)(end - head) + size, &in);
    if (state == RING_FULL) {
        atomic_fetch_add(&ring->dropped_ring_full, 1);
        return;
    }
    ring_write(&in, head, (size_t)(end - head));
    ring_write(&in, bytes, size);
    ring_end(&in);
    atomic_fetch_add(&ring->finished, 1);
    if (atomic_load(&sender_asleep)) {
        if (sender_is_running())
            sender_wake(false);
        else
            sender_start();
    } else if (state == RING_FILLS_UP) {
        sender_hurry();
    }
}

static void *write_records(void *writer) {
    for (uint32_t number = 0; number < RECORDS; number++) {
        record((uint32_t)(uintptr_t)writer, number);
        if (number % 1000 == 0)
            usleep(500);
    }
    return NULL;
}

static void *disturb(void *nothing) {
    static const uint8_t resource[] = {RESOURCE_SPANS_RESOURCE, 0};
    for (int turn = 0; !atomic_load(&writers_done); turn++) {
        uint64_t values[COUNTERS];
        counters_read(values);
        if (turn % 3 == 0)
            sender_flush(1000000, false);
        if (turn % 7 == 0)
            sender_park(10000000, 10000000), work_wait(10000000), sender_resume();
        assert(target_set_resource(resource, sizeof resource));
        usleep(1000);
    }
    return nothing;
}

/* -- what is done for the sender -- */

static _Atomic uint64_t commanded, answered;

static bool answer(const uint8_t *json, size_t size) {
    char id[8];
    if (!commands_for_others.text_of(json, size, "id", id, sizeof id))
        return false;
    commands_for_others.say(FRAME_REPLY, id, strlen(id));
    atomic_fetch_add(&answered, 1);
    return true;
}

/* In the place of Python. */
static void work_off(void) {
    Frame *frame;
    while ((frame = queue_take(&command_inbox))) {
        atomic_fetch_add(&commanded, 1);
        queue_add(&outbox, FRAME_REPLY, frame->bytes, frame->size);
        free(frame);
    }
}

static uint64_t work_at_ns(void) {
    return queue_waits(&command_inbox) ? work_possible_at_ns() : UINT64_MAX;
}

static void begin_work(void) {
    if (queue_waits(&command_inbox))
        work_begin(work_off);
}

/* -- the agent -- */

static uint32_t expected[WRITERS * LIVES * ROUNDS];
static uint64_t received, connections;

static bool read_all(int from, uint8_t *bytes, size_t size) {
    while (size) {
        ssize_t got = recv(from, bytes, size, 0);
        if (got <= 0)
            return false;
        bytes += got;
        size -= (size_t)got;
    }
    return true;
}

static void check_span(const uint8_t *span) {
    uint32_t writer, number;
    memcpy(&writer, span, 4);
    memcpy(&number, span + 4, 4);
    assert(writer < WRITERS * LIVES * ROUNDS);
    assert(number >= expected[writer]); /* in order, none twice; some may have been dropped */
    expected[writer] = number + 1;
    received++;
}

/* resource_spans { resource, scope_spans { spans… }, schema_url } */
static void check_payload(const uint8_t *at, const uint8_t *end) {
    uint64_t size;
    at = get_varint(at + 1, &size);
    assert(at + size == end);
    while (at < end) {
        uint8_t tag = *at;
        const uint8_t *body = get_varint(at + 1, &size);
        at = body + size;
        if (tag != RESOURCE_SPANS_SCOPE_SPANS)
            continue;
        while (body < at) {
            bool is_span = *body == SCOPE_SPANS_SPANS;
            assert(is_span || *body == SCOPE_SPANS_SCOPE);
            body = get_varint(body + 1, &size);
            if (is_span)
                check_span(body);
            body += size;
        }
    }
    assert(at == end);
}

/* A command for each batch, to be answered by who does without Python, and by Python, in turn. */
static void command(int to) {
    static const char *const said[] = {"{\"id\":\"1\",\"do\":\"start\",\"tool\":\"stacks\"}",
                                       "{\"id\":\"1\",\"do\":\"start\",\"tool\":\"cpu\"}"};
    static int turn;
    const char *now = said[turn++ % 2];
    uint8_t frame[128];
    frame_header(frame, FRAME_COMMAND, strlen(now));
    memcpy(frame + FRAME_HEADER_BYTES, now, strlen(now));
    send(to, frame, FRAME_HEADER_BYTES + strlen(now), MSG_NOSIGNAL);
}

static void serve(int from) {
    uint8_t header[FRAME_HEADER_BYTES];
    while (read_all(from, header, sizeof header)) {
        uint32_t size;
        memcpy(&size, header + 4, 4);
        assert(header[0] == 'S' && header[1] == 'D' && header[2] == 1 && size < 2 << 20);
        uint8_t *payload = malloc(size);
        assert(payload && read_all(from, payload, size)); /* no frame is broken off */
        if (header[3] == FRAME_TRACES)
            check_payload(payload, payload + size), command(from);
        free(payload);
    }
    close(from);
    connections++;
}

static void *agent(void *listener) {
    int from;
    while ((from = accept(*(int *)listener, NULL, NULL)) >= 0)
        serve(from);
    return NULL;
}

static int listen_at(const char *at) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, at);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 8) == 0);
    return listener;
}

/* -- rounds -- */

static void run_round(uint32_t round) {
    pthread_t writers[WRITERS], disturber;
    atomic_store(&writers_done, false);
    sender_prepare(1);
    pthread_create(&disturber, NULL, disturb, NULL);
    for (uint32_t life = 0; life < LIVES; life++) {
        uintptr_t first = (round * LIVES + life) * WRITERS;
        for (uint32_t at = 0; at < WRITERS; at++)
            pthread_create(&writers[at], NULL, write_records, (void *)(first + at));
        for (uint32_t at = 0; at < WRITERS; at++)
            pthread_join(writers[at], NULL);
    }
    atomic_store(&writers_done, true);
    pthread_join(disturber, NULL);
    while (!rings_empty()) {
        sender_start();
        sender_flush(1000000000, true);
    }
    sender_stop(1000000000);
}

int main(void) {
    pthread_t serving;
    uint64_t values[COUNTERS];
    snprintf(path, sizeof path, "/tmp/sonde-threads-%d", (int)getpid());
    int listener = listen_at(path);
    pthread_create(&serving, NULL, agent, &listener);
    rings_set_room(1 << 16);
    sender_tick_at_ns = work_at_ns;
    sender_tick = begin_work;
    commands_for_others.answer_by(answer);
    assert(target_set(path, "{", (const uint8_t *)"\x0a\x00", 2));
    for (uint32_t round = 0; round < ROUNDS; round++)
        run_round(round);

    assert(work_wait(1000000000));
    shutdown(listener, SHUT_RDWR);
    pthread_join(serving, NULL);
    close(listener);
    unlink(path);
    counters_read(values);
    printf("threads: %lu sent, %lu received, %lu dropped, %lu rings, %lu connections\n",
           (unsigned long)values[COUNT_sent_spans], (unsigned long)received,
           (unsigned long)values[COUNT_dropped_ring_full], (unsigned long)values[COUNT_rings],
           (unsigned long)connections);
    assert(values[COUNT_finished] == values[COUNT_sent_spans]);
    assert(values[COUNT_sent_spans] == received);
    assert(values[COUNT_finished] + values[COUNT_dropped_ring_full] ==
           (uint64_t)WRITERS * LIVES * ROUNDS * RECORDS);
    assert(values[COUNT_rings] <= WRITERS);
    printf("threads: %lu commands answered at once, %lu by another thread\n",
           (unsigned long)atomic_load(&answered), (unsigned long)atomic_load(&commanded));
    assert(atomic_load(&answered) > 0 && atomic_load(&commanded) > 0);
    return 0;
}
