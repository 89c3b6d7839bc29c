#include "slow.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "../frames/frames.h"
#include "../frames/spans.h"
#include "../watch/listed.h"
#include "../watch/places.h"
#include "../watch/ticks.h"

enum { MAX_KEPT = 256, DEPTH = 48, TEXT = 5 << 10, WHAT_ROOM = 160, TRIES = 40 };
static const long TRY_EVERY_NS = 25000;

typedef struct {
    uint64_t began_unix_ns, ns;
    pid_t tid;
    Call call;
    int error, file;
    bool has_span;
    FrameSpan span;
    char what[WHAT_ROOM];
    uint16_t depth, places_count, stack[DEPTH];
    Place place_room[DEPTH];
    char text_room[TEXT];
} Slow;

_Atomic uint64_t slow_threshold = UINT64_MAX;
_Thread_local int slow_inside;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all below */
static Slow kept[MAX_KEPT];
static int first, count; /* a ring */
static FrameScratch scratch;
static FrameRef frames[DEPTH];

static _Atomic uint64_t counts[CALLS], sums[CALLS], dropped;
static _Atomic uint64_t real_threshold = UINT64_MAX;
static _Atomic pid_t testing, owner;

/* -- what a descriptor is; never what is in it -- */

static void address_text(const struct sockaddr_storage *address, socklen_t size, const char *kind,
                         char *out) {
    char host[INET6_ADDRSTRLEN];
    const struct sockaddr_in *four = (const void *)address;
    const struct sockaddr_in6 *six = (const void *)address;
    const struct sockaddr_un *local = (const void *)address;
    if (address->ss_family == AF_INET && inet_ntop(AF_INET, &four->sin_addr, host, sizeof host))
        snprintf(out, WHAT_ROOM, "%s %s:%u", kind, host, ntohs(four->sin_port));
    else if (address->ss_family == AF_INET6 && inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host))
        snprintf(out, WHAT_ROOM, "%s [%s]:%u", kind, host, ntohs(six->sin6_port));
    else if (address->ss_family == AF_UNIX) {
        size_t length =
            size > offsetof(struct sockaddr_un, sun_path) ? size - offsetof(struct sockaddr_un, sun_path) : 0;
        bool is_abstract = length && !local->sun_path[0];
        snprintf(out, WHAT_ROOM, "unix %s%.*s", is_abstract ? "@" : "", (int)(length - is_abstract),
                 local->sun_path + is_abstract);
    }
}

static void socket_text(int file, char *out) {
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address, type_size = sizeof(int);
    int type = 0;
    bool is_known = getpeername(file, (struct sockaddr *)&address, &size) == 0;
    if (!is_known) {
        size = sizeof address;
        is_known = getsockname(file, (struct sockaddr *)&address, &size) == 0;
    }
    getsockopt(file, SOL_SOCKET, SO_TYPE, &type, &type_size);
    if (is_known)
        address_text(&address, size, type == SOCK_STREAM ? "tcp" : "udp", out);
}

static void file_text(int file, char *out) {
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    ssize_t size = readlink(path, out, WHAT_ROOM - 1);
    out[size > 0 ? size : 0] = 0;
    if (!strncmp(out, "socket:", 7))
        socket_text(file, out);
}

/* -- noting -- */

static void fill(Slow *slow, int file, const char *what) {
    FrameThread thread;
    Places places = {slow->place_room, slow->text_room, DEPTH, TEXT};
    places_clear(&places);
    slow->depth = 0;
    slow->has_span = false;
    /* As if it was another thread's: we may be in a signal handler that came between any two instructions. */
    if (frames_find(slow->tid, &thread)) {
        int depth = frames_walk(&thread, &scratch, frames, DEPTH);
        slow->depth = (uint16_t)places_stack(&places, frames, depth > 0 ? depth : 0, slow->stack);
        slow->has_span = frames_span(&thread, &slow->span);
    }
    slow->places_count = (uint16_t)places.count;
    slow->what[0] = 0;
    if (what)
        snprintf(slow->what, WHAT_ROOM, "%s", what);
    else if (file >= 0)
        file_text(file, slow->what);
}

/* A handler may have interrupted who holds it, in the very same thread: then it does not come free. */
static bool take_lock(void) {
    struct timespec pause = {.tv_nsec = TRY_EVERY_NS};
    for (int try = 0; try < TRIES; try++) {
        if (pthread_mutex_trylock(&lock) == 0)
            return true;
        nanosleep(&pause, NULL);
    }
    return false;
}

static void note(Call call, uint64_t ns, int file, const char *what, int error, pid_t tid) {
    if (!take_lock()) {
        atomic_fetch_add(&dropped, 1);
        return;
    }
    if (count < MAX_KEPT) {
        Slow *slow = &kept[(first + count) % MAX_KEPT];
        slow->began_unix_ns = ticks_unix_ns() - ns;
        slow->ns = ns;
        slow->tid = tid;
        slow->call = call;
        slow->error = error;
        slow->file = file;
        fill(slow, file, what);
        count++;
    } else {
        atomic_fetch_add(&dropped, 1);
    }
    pthread_mutex_unlock(&lock);
}

void slow_seen(Call call, uint64_t since, uint64_t ticks, int file, const char *what, int error) {
    int before = errno;
    pid_t tid = (pid_t)syscall(SYS_gettid);
    bool is_slow = ticks >= atomic_load(&real_threshold) || atomic_load(&testing) == tid;
    /* A child between fork() and exec(), or before Python has told us of it, is not watched. */
    if (is_slow && !slow_inside && getpid() == atomic_load(&owner)) {
        uint64_t ns = ticks_to_ns(ticks);
        if (atomic_load(&testing) != tid) {
            atomic_fetch_add(&counts[call], 1);
            atomic_fetch_add(&sums[call], ns);
        }
        slow_inside++; /* what we call ourselves */
        note(call, ns, file, what, error, tid);
        slow_inside--;
    }
    errno = before;
}

/* -- life -- */

void slow_begin(uint64_t ticks) {
    atomic_store(&owner, getpid());
    atomic_store(&real_threshold, ticks);
    atomic_store(&slow_threshold, ticks);
}

void slow_end(void) {
    atomic_store(&slow_threshold, UINT64_MAX);
    atomic_store(&real_threshold, UINT64_MAX);
}

void slow_test(bool on) {
    atomic_store(&testing, on ? (pid_t)syscall(SYS_gettid) : 0);
    atomic_store(&slow_threshold, on ? 0 : atomic_load(&real_threshold));
}

void slow_forget(bool is_child) {
    if (is_child) {
        pthread_mutex_init(&lock, NULL);
        atomic_store(&owner, getpid());
        slow_inside = 0;
    }
    pthread_mutex_lock(&lock);
    first = count = 0;
    pthread_mutex_unlock(&lock);
    for (int at = 0; at < CALLS; at++) {
        atomic_store(&counts[at], 0);
        atomic_store(&sums[at], 0);
    }
    atomic_store(&dropped, 0);
}

SlowCounts slow_counts(void) {
    SlowCounts now = {.dropped = atomic_load(&dropped)};
    for (int at = 0; at < CALLS; at++) {
        now.count[at] = atomic_load(&counts[at]);
        now.ns[at] = atomic_load(&sums[at]);
    }
    return now;
}

/* -- for Python -- */

static PyObject *decoded(const char *text) {
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

static PyObject *tuple_of(Slow *slow) {
    Places places = {slow->place_room, slow->text_room, DEPTH, TEXT, slow->places_count, 1};
    return Py_BuildValue(
        "(sKKiiiNy#y#NNN)", call_name(slow->call), (unsigned long long)slow->began_unix_ns,
        (unsigned long long)slow->ns, (int)slow->tid, slow->error, slow->file, decoded(slow->what),
        (const char *)slow->span.trace_id, (Py_ssize_t)(slow->has_span ? sizeof slow->span.trace_id : 0),
        (const char *)slow->span.span_id, (Py_ssize_t)(slow->has_span ? sizeof slow->span.span_id : 0),
        decoded(slow->has_span ? slow->span.endpoint : ""), places_list(&places),
        places_numbers(slow->stack, slow->depth));
}

/* Copied first: Python may call anything while it makes an object, also what is hooked. */
PyObject *slow_taken(void) {
    static Slow copy;
    PyObject *list = PyList_New(0);
    while (list) {
        pthread_mutex_lock(&lock);
        bool any = count > 0;
        if (any) {
            memcpy(&copy, &kept[first], sizeof copy);
            first = (first + 1) % MAX_KEPT;
            count--;
        }
        pthread_mutex_unlock(&lock);
        if (!any)
            break;
        PyObject *tuple = tuple_of(&copy);
        if (!tuple || PyList_Append(list, tuple) < 0)
            Py_CLEAR(list);
        Py_XDECREF(tuple);
    }
    return list;
}
