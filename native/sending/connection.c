#include "connection.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../spans/clock.h"
#include "commands.h"
#include "../core/counters.h"
#include "descriptor.h"
#include "frame_queue.h"

static const uint64_t STALLED_AFTER_NS = 10000000000u;
enum { SLICE_MS = 50, MAX_PIECES_AT_ONCE = 1024 }; /* IOV_MAX */

/* Held while the descriptor comes or goes, so that a forked child knows which one to close. */
static pthread_mutex_t changing = PTHREAD_MUTEX_INITIALIZER;
static Descriptor agent = {.number = -1};
static _Atomic bool is_open;

void frame_header(uint8_t header[FRAME_HEADER_BYTES], uint8_t kind, size_t payload_bytes) {
    uint32_t length = htole32((uint32_t)payload_bytes);
    memcpy(header, (uint8_t[]){'S', 'D', 1, kind}, 4);
    memcpy(header + 4, &length, 4);
}

bool connection_is_open(void) {
    return atomic_load_explicit(&is_open, memory_order_relaxed);
}

static bool make_socket(void) {
    pthread_mutex_lock(&changing);
    bool made = descriptor_keep(&agent, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    pthread_mutex_unlock(&changing);
    return made;
}

/* -- what the agent says -- */

enum { MAX_SAID_BYTES = 64 << 10 };

static uint8_t said[FRAME_HEADER_BYTES + MAX_SAID_BYTES];
static size_t heard; /* bytes of a frame that is not whole yet */

/* False: it is no frame. */
static bool take_frames(void) {
    size_t at = 0;
    while (heard - at >= FRAME_HEADER_BYTES) {
        uint32_t size;
        memcpy(&size, said + at + 4, 4);
        size = le32toh(size);
        if (memcmp(said + at, "SD\1", 3) != 0 || size > MAX_SAID_BYTES)
            return false;
        if (heard - at < FRAME_HEADER_BYTES + size)
            break;
        const uint8_t *payload = said + at + FRAME_HEADER_BYTES;
        bool is_command = said[at + 3] == FRAME_COMMAND;
        if (!is_command || !commands_answered(payload, size))
            queue_add(is_command ? &command_inbox : &inbox, said[at + 3], payload, size);
        at += FRAME_HEADER_BYTES + size;
    }
    memmove(said, said + at, heard - at);
    heard -= at;
    return true;
}

void connection_receive(void) {
    while (descriptor_is_ours(&agent)) {
        ssize_t got = recv(agent.number, said + heard, sizeof said - heard, MSG_DONTWAIT);
        if (got > 0) {
            heard += (size_t)got;
            if (take_frames())
                continue;
            count(COUNT_send_errors);
        } else if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return;
        } else if (got < 0 && errno == EINTR) {
            continue;
        }
        connection_close(); /* the agent has gone */
        return;
    }
}

int connection_listens(void) {
    if (agent.number >= 0 && !descriptor_is_ours(&agent))
        connection_close();
    return agent.number;
}

/* -- the connection -- */

bool connection_open(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strnlen(path, MAX_PATH_BYTES));
    connection_close();
    /* Not blocking: a full backlog is answered at once, like no listener. */
    if (!make_socket() || connect(agent.number, (struct sockaddr *)&address, sizeof address) < 0) {
        count(COUNT_connect_errors);
        connection_close();
        return false;
    }
    heard = 0;
    count(COUNT_connects);
    atomic_store(&is_open, true);
    return true;
}

void connection_close(void) {
    pthread_mutex_lock(&changing);
    descriptor_close(&agent);
    atomic_store(&is_open, false);
    pthread_mutex_unlock(&changing);
}

/* Bytes taken; 0: the agent was not ready within a slice of time; -1: there is no agent any more. */
static ssize_t write_some(struct iovec *pieces, size_t count) {
    struct msghdr message = {.msg_iov = pieces,
                             .msg_iovlen = count < MAX_PIECES_AT_ONCE ? count : MAX_PIECES_AT_ONCE};
    if (!descriptor_is_ours(&agent))
        return -1;
    ssize_t taken = sendmsg(agent.number, &message, MSG_NOSIGNAL);
    if (taken >= 0)
        return taken;
    if (errno == EINTR)
        return 0;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return -1;
    struct pollfd ready = {.fd = agent.number, .events = POLLOUT};
    poll(&ready, 1, SLICE_MS);
    return 0;
}

/* Skip `taken` bytes. Returns how many pieces are used up. */
static size_t advance(struct iovec *pieces, size_t count, size_t taken) {
    size_t at = 0;
    while (at < count && taken >= pieces[at].iov_len)
        taken -= pieces[at++].iov_len;
    if (taken) {
        pieces[at].iov_base = (uint8_t *)pieces[at].iov_base + taken;
        pieces[at].iov_len -= taken;
    }
    return at;
}

bool connection_send(struct iovec *pieces, size_t count_, Expired expired) {
    uint64_t progress_ns = clock_monotonic_ns();
    uint64_t total = 0;
    while (count_) {
        ssize_t taken = write_some(pieces, count_);
        uint64_t now_ns = clock_monotonic_ns();
        if (taken > 0) {
            size_t used_up = advance(pieces, count_, (size_t)taken);
            pieces += used_up;
            count_ -= used_up;
            total += (uint64_t)taken;
            progress_ns = now_ns;
        }
        if (taken < 0 || (count_ && (expired() || now_ns - progress_ns > STALLED_AFTER_NS))) {
            count(COUNT_send_errors);
            connection_close();
            return false;
        }
    }
    count(COUNT_sent_frames);
    count_many(COUNT_sent_bytes, total);
    return true;
}

void connection_before_fork(void) {
    pthread_mutex_lock(&changing);
}

void connection_after_fork_in_parent(void) {
    pthread_mutex_unlock(&changing);
}

void connection_after_fork_in_child(void) {
    descriptor_close(&agent);
    atomic_store(&is_open, false);
    pthread_mutex_unlock(&changing);
}
