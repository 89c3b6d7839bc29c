#include "iterations.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>

#include "../frames/frames.h"
#include "../watch/slots.h"
#include "../watch/ticks.h"
#include "loops.h"
#include "watchdog.h"

typedef int EpollPwait(int, struct epoll_event *, int, int, const sigset_t *);
typedef int EpollWait(int, struct epoll_event *, int, int);

static EpollPwait *real_epoll_pwait;
static EpollWait *real_epoll_wait;
static _Atomic bool on;

enum { BASE_ROOM = 64 };

/* The frame that runs the loop. Deeper than BASE_ROOM it is not known. */
static int base_of_own(FrameRef *base, uintptr_t *outermost) {
    FrameRef frames[BASE_ROOM];
    int depth = frames_walk_own(frames, BASE_ROOM);
    if (depth) {
        *base = frames[0];
        *outermost = frames[depth - 1].code;
    }
    return depth < BASE_ROOM ? depth : 0;
}

/* About to wait: what has run since the last wait is over. Without the GIL. */
static void waits(void) {
    Loop *loop = loops_own;
    uint64_t since = loop ? atomic_load_explicit(&loop->since, memory_order_relaxed) : 0;
    if (!since)
        return;
    uint64_t ticks = ticks_between(since, ticks_now());
    bool was_left = atomic_exchange(&loop->since, 0) != since;
    if (ticks < atomic_load_explicit(&stall_threshold, memory_order_relaxed) || was_left)
        return;
    FrameRef base = {0};
    uintptr_t outermost = 0;
    int depth = base_of_own(&base, &outermost);
    /* The loop may have been left and run anew meanwhile. */
    if (depth && depth == loop->base_depth && base.code == loop->base.code && base.instr == loop->base.instr)
        watchdog_ended(loop, since, ticks, NULL);
}

static void goes_on(void) {
    if (!atomic_load_explicit(&on, memory_order_relaxed))
        return;
    Loop *loop = loops_own;
    if (!loop) {
        loop = loops_enter(LOOP_ITERATIONS);
        if (!loop)
            return;
        watchdog_needed();
    }
    loop->kind = LOOP_ITERATIONS;
    loop->base_depth = base_of_own(&loop->base, &loop->outermost);
    if (loop->base_depth)
        atomic_store_explicit(&loop->since, ticks_now(), memory_order_release);
}

static int hook_epoll_pwait(int file, struct epoll_event *events, int room, int timeout,
                            const sigset_t *mask) {
    int before = errno;
    waits();
    errno = before;
    int count = real_epoll_pwait(file, events, room, timeout, mask);
    int error = errno;
    goes_on();
    errno = error;
    return count;
}

static int hook_epoll_wait(int file, struct epoll_event *events, int room, int timeout) {
    int before = errno;
    waits();
    errno = before;
    int count = real_epoll_wait(file, events, room, timeout);
    int error = errno;
    goes_on();
    errno = error;
    return count;
}

static const Hook hooks[] = {
    {"epoll_pwait", (void *)hook_epoll_pwait, (void **)&real_epoll_pwait},
    {"epoll_wait", (void *)hook_epoll_wait, (void **)&real_epoll_wait},
};
enum { HOOKS = sizeof hooks / sizeof *hooks };

static bool is_uvloop(const char *path) {
    return strstr(path, "/uvloop/loop.") != NULL;
}

unsigned iterations_on(void) {
    slots_find(hooks, HOOKS);
    if (!slots_fill(hooks, HOOKS, is_uvloop))
        return 0;
    atomic_store(&on, true);
    return slots_counts().filled;
}

void iterations_off(void) {
    atomic_store(&on, false);
    slots_restore();
    Loop *loops = loops_all();
    for (int at = 0; at < MAX_LOOPS; at++) /* nobody will say when these end */
        if (loops[at].kind == LOOP_ITERATIONS)
            atomic_store(&loops[at].since, 0);
}
