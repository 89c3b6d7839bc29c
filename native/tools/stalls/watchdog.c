#include "watchdog.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../../core/own_thread.h"
#include "../watch/ticks.h"
#include "collections.h"
#include "kernel.h"

static const uint64_t SECOND_NS = 1000000000u, SHORTEST_NS = 500000u, LONGEST_NS = 50000000u;
/* A short loop of Python that calls C may be met at the same instruction twice, but hardly each time. */
static const uint64_t APART_NS[] = {30000u, 70000u, 20000u};
enum { STACK_BYTES = 128 << 10, MAX_DEPTH = 128, MAX_FOUND = 128, MANY_LOOKS = 50, HARDLY = 10 };

_Atomic uint64_t stall_threshold = UINT64_MAX;

static pthread_t thread;
static bool has_thread;
static _Atomic bool wanted;  /* somebody watches */
static _Atomic bool running; /* the thread does, or is about to */
static _Atomic pid_t own_tid;
static uint64_t own_cpu_ns;                              /* once it has ended */
static pthread_mutex_t life = PTHREAD_MUTEX_INITIALIZER; /* of the thread */
static pthread_mutex_t pause_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t pause_over;
static bool has_condition, is_changed; /* the threshold is: under pause_lock */

static pthread_mutex_t found_lock = PTHREAD_MUTEX_INITIALIZER;
static Episode *found, **found_end = &found;
static int found_count;

static _Atomic uint64_t stalls, stalled_ticks, unseen, dropped, looks;

/* Of the watchdog's thread alone. */
static FrameScratch scratch;
static FrameRef frames[MAX_DEPTH], again[MAX_DEPTH], holders[HOLDER_DEPTH];

/* -- one look -- */

static int walk(Loop *loop, FrameRef *out) {
    pid_t tid = atomic_load(&loop->tid);
    if (!loop->is_found || loop->thread.tid != tid)
        loop->is_found = frames_find(tid, &loop->thread);
    int depth = loop->is_found ? frames_walk(&loop->thread, &scratch, out, MAX_DEPTH) : 0;
    if (depth == FRAMES_GONE)
        loop->is_found = false;
    return depth > 0 ? depth : 0;
}

static void rest(uint64_t ns) {
    struct timespec pause = {.tv_nsec = (long)ns};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

/* The thread stands still from one look to the next. */
static bool stands(int depth, int depth_again) {
    return depth == depth_again &&
           !memcmp(frames, again, (size_t)(depth < 2 ? depth : 2) * sizeof *frames); /* the innermost two */
}

/* `call` becomes what the thread waits in, if it does. */
static Cause find_cause(Loop *loop, int depth, uintptr_t holder, KernelCall *call) {
    if (collections_tid() == loop->thread.tid)
        return CAUSE_GC;
    /* Not in the kernel, or on its way out of it: does it come forward, in Python, in C, or not at all? */
    if (call->call < 0) {
        uint64_t cpu_ns = frames_thread_cpu_ns(loop->thread.tid), since_ns = ticks_clock_ns();
        for (size_t at = 0; at < sizeof APART_NS / sizeof *APART_NS; at++) {
            rest(APART_NS[at]);
            if (!stands(depth, walk(loop, again)))
                return CAUSE_PYTHON;
        }
        uint64_t ran_ns = frames_thread_cpu_ns(loop->thread.tid) - cpu_ns;
        *call = kernel_call(loop->thread.tid);
        if (call->call < 0 && ran_ns < (ticks_clock_ns() - since_ns) / HARDLY)
            return CAUSE_CPU;
        if (call->call < 0)
            return holder == loop->thread.state && frames_gil_holder() == holder ? CAUSE_C_CALL
                                                                                 : CAUSE_C_NO_GIL;
    }
    if (kernel_waits_for_gil(call))
        return CAUSE_GIL;
    return kernel_waits_for_lock(call) ? CAUSE_LOCK : CAUSE_SYSCALL;
}

static int walk_holder(uintptr_t holder, pid_t *tid) {
    static FrameThread all[256];
    *tid = 0;
    int count = holder ? frames_threads(all, 256) : 0;
    for (int at = 0; at < count; at++) {
        if (all[at].state != holder)
            continue;
        *tid = all[at].tid;
        int depth = frames_walk(&all[at], &scratch, holders, HOLDER_DEPTH);
        return depth > 0 ? depth : 0;
    }
    return 0;
}

/* A generator that has just been left leads nowhere: the stack ends with it, and is none. */
static bool is_torn(const Loop *loop, int depth) {
    return loop->kind == LOOP_ITERATIONS && depth > 0 && depth < MAX_DEPTH &&
           frames[depth - 1].code != loop->outermost;
}

/* An iteration of a loop whose runner stands elsewhere by now: the loop was left, and nothing stalls. */
static bool is_left(const Loop *loop, int depth) {
    if (loop->kind != LOOP_ITERATIONS || depth == 0 || depth == MAX_DEPTH)
        return false;
    if (depth < loop->base_depth || !loop->base_depth)
        return true;
    const FrameRef *base = &frames[depth - loop->base_depth];
    return base->code != loop->base.code || base->instr != loop->base.instr;
}

/* With the loop's lock. */
static void look(Loop *loop, uint64_t since) {
    atomic_store_explicit(&loop->looked, since, memory_order_relaxed);
    if (!loop->episode)
        loop->episode = episode_new();
    Episode *episode = loop->episode;
    if (!episode)
        return;
    pid_t tid = atomic_load(&loop->tid), holder_tid = 0;
    if (episode->since != since)
        episode_begin(episode, since, tid, (int)loop->kind);
    uintptr_t holder = frames_gil_holder();
    int depth = walk(loop, frames);
    uint64_t now = ticks_now();
    KernelCall call = kernel_call(tid);
    FrameSpan span;
    if (is_torn(loop, depth))
        return;
    if (is_left(loop, depth)) {
        uint64_t expected = since;
        atomic_compare_exchange_strong(&loop->since, &expected, 0);
        return;
    }
    Cause cause = find_cause(loop, depth, holder, &call);
    int holder_depth = cause == CAUSE_GIL ? walk_holder(frames_gil_holder(), &holder_tid) : 0;
    bool has_span = !episode->has_span && loop->is_found && frames_span(&loop->thread, &span);
    if (atomic_load(&loop->since) != since)
        return; /* it went on meanwhile: whose stack that was is not known */
    if (has_span) {
        episode->span = span;
        episode->has_span = true;
    }
    episode->base_depth = loop->base_depth;
    episode_add(episode, now, cause, cause == CAUSE_SYSCALL ? call.call : -1, frames, depth, holder_tid,
                holders, holder_depth);
    atomic_fetch_add_explicit(&looks, 1, memory_order_relaxed);
}

/* -- all loops, again and again -- */

/* Ticks of the busiest loop that has been looked at, 0: none is busy for long. */
static bool look_at_all(uint64_t after) {
    bool any = false;
    Loop *loops = loops_all();
    for (int at = 0; at < MAX_LOOPS; at++) {
        uint64_t since = atomic_load_explicit(&loops[at].since, memory_order_acquire);
        if (!since || ticks_between(since, ticks_now()) < after)
            continue;
        pthread_mutex_lock(&loops[at].lock);
        if (atomic_load(&loops[at].since) == since) {
            look(&loops[at], since);
            any = any || loops[at].episode == NULL || loops[at].episode->looks < MANY_LOOKS;
        }
        pthread_mutex_unlock(&loops[at].lock);
    }
    return any;
}

static uint64_t within(uint64_t ns, uint64_t least, uint64_t most) {
    return ns < least ? least : ns > most ? most : ns;
}

static void wait_for(uint64_t ns) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)ns;
    until.tv_sec += until.tv_nsec / (long)SECOND_NS;
    until.tv_nsec %= (long)SECOND_NS;
    pthread_mutex_lock(&pause_lock);
    while (atomic_load(&running) && !is_changed &&
           pthread_cond_timedwait(&pause_over, &pause_lock, &until) == 0)
        ;
    is_changed = false;
    pthread_mutex_unlock(&pause_lock);
}

static uint64_t cpu_now_ns(void) {
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * SECOND_NS + (uint64_t)used.tv_nsec;
}

/* Twice in a threshold, so that a stall is seen before it is one; five times once there is something to see.
 */
static void *run(void *nothing) {
    own_thread_is("sonde-stalls");
    atomic_store(&own_tid, (pid_t)syscall(SYS_gettid));
    while (atomic_load(&running)) {
        uint64_t threshold_ticks = atomic_load(&stall_threshold);
        uint64_t threshold_ns = threshold_ticks == UINT64_MAX ? LONGEST_NS : ticks_to_ns(threshold_ticks);
        bool is_lively = look_at_all(threshold_ticks / 2);
        wait_for(within(is_lively ? threshold_ns / 5 : threshold_ns / 2, SHORTEST_NS, LONGEST_NS));
    }
    own_cpu_ns += cpu_now_ns();
    atomic_store(&own_tid, 0);
    return nothing;
}

/* -- life -- */

static int begin(void) {
    if (!has_condition) {
        pthread_condattr_t clock;
        pthread_condattr_init(&clock);
        pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
        pthread_cond_init(&pause_over, &clock);
        pthread_condattr_destroy(&clock);
        has_condition = true;
    }
    atomic_store(&running, true);
    int error = own_thread_begin(&thread, STACK_BYTES, true, run, NULL);
    has_thread = error == 0;
    if (error)
        atomic_store(&running, false);
    return error;
}

int watchdog_start(uint64_t threshold_ns) {
    atomic_store(&stall_threshold, ticks_of_ns(threshold_ns));
    atomic_store(&wanted, true);
    int error = 0;
    if (loops_count()) {
        pthread_mutex_lock(&life);
        if (has_thread) {
            pthread_mutex_lock(&pause_lock);
            is_changed = true;
            pthread_cond_signal(&pause_over);
            pthread_mutex_unlock(&pause_lock);
        } else {
            error = begin();
        }
        pthread_mutex_unlock(&life);
    }
    return error;
}

void watchdog_needed(void) {
    if (!atomic_load(&wanted) || atomic_load(&running))
        return;
    pthread_mutex_lock(&life);
    if (!has_thread && atomic_load(&wanted))
        (void)begin(); /* without it stalls are still counted */
    pthread_mutex_unlock(&life);
}

void watchdog_stop(void) {
    atomic_store(&wanted, false);
    atomic_store(&stall_threshold, UINT64_MAX);
    pthread_mutex_lock(&life);
    if (has_thread) {
        pthread_mutex_lock(&pause_lock);
        atomic_store(&running, false);
        pthread_cond_signal(&pause_over);
        pthread_mutex_unlock(&pause_lock);
        pthread_join(thread, NULL);
        has_thread = false;
    }
    pthread_mutex_unlock(&life);
    Loop *loops = loops_all();
    for (int at = 0; at < MAX_LOOPS; at++) {
        if (!atomic_load(&loops[at].tid))
            continue;
        pthread_mutex_lock(&loops[at].lock);
        if (loops[at].episode)
            episode_free(loops[at].episode);
        loops[at].episode = NULL;
        pthread_mutex_unlock(&loops[at].lock);
    }
}

/* -- what was found -- */

void watchdog_ended(Loop *loop, uint64_t since, uint64_t ticks, PyObject *said) {
    atomic_fetch_add(&stalls, 1);
    atomic_fetch_add(&stalled_ticks, ticks);
    pthread_mutex_lock(&loop->lock);
    Episode *episode = NULL;
    if (loop->episode && loop->episode->since == since) {
        episode = loop->episode;
        loop->episode = NULL;
    }
    pthread_mutex_unlock(&loop->lock);
    if (!episode && (episode = episode_new()))
        episode_begin(episode, since, atomic_load(&loop->tid), (int)loop->kind);
    if (episode && !episode->held_count)
        atomic_fetch_add(&unseen, 1);
    bool kept = false;
    if (episode) {
        episode->ended = since + ticks;
        episode->ended_unix_ns = ticks_unix_ns();
        episode->gc_ns = loop->gc_since == since ? loop->gc_ns : 0;
        episode_end(episode, episode->ended);
        pthread_mutex_lock(&found_lock);
        kept = found_count < MAX_FOUND;
        if (kept) {
            episode->said = said;
            episode->next = NULL;
            *found_end = episode;
            found_end = &episode->next;
            found_count++;
        }
        pthread_mutex_unlock(&found_lock);
    }
    if (!kept) {
        atomic_fetch_add(&dropped, 1);
        Py_XDECREF(said);
        if (episode)
            episode_free(episode);
    }
}

static Episode *take_one(void) {
    pthread_mutex_lock(&found_lock);
    Episode *one = found;
    if (one) {
        found = one->next;
        found_count--;
        if (!found)
            found_end = &found;
    }
    pthread_mutex_unlock(&found_lock);
    return one;
}

bool watchdog_has_news(void) {
    pthread_mutex_lock(&found_lock);
    bool any = found != NULL;
    pthread_mutex_unlock(&found_lock);
    return any;
}

PyObject *watchdog_taken(void) {
    PyObject *list = PyList_New(0);
    Episode *one;
    while (list && (one = take_one())) {
        PyObject *tuple = episode_tuple(one);
        Py_CLEAR(one->said);
        episode_free(one);
        if (!tuple || PyList_Append(list, tuple) < 0)
            Py_CLEAR(list);
        Py_XDECREF(tuple);
    }
    return list;
}

/* A copy is made under the lock: the GIL may be given up while a tuple is made, and the loop's thread goes
 * on. */
static Episode *copied(Loop *loop, uint64_t since) {
    Episode *copy = NULL;
    pthread_mutex_lock(&loop->lock);
    if (loop->episode && loop->episode->since == since && loop->episode->held_count &&
        atomic_load(&loop->since) == since && (copy = episode_new())) {
        memcpy(copy, loop->episode, sizeof *copy);
        copy->places.places = copy->place_room;
        copy->places.texts = copy->text_room;
        copy->said = NULL;
        episode_end(copy, ticks_now());
    }
    pthread_mutex_unlock(&loop->lock);
    return copy;
}

PyObject *watchdog_ongoing(void) {
    PyObject *list = PyList_New(0);
    Loop *loops = loops_all();
    uint64_t threshold = atomic_load(&stall_threshold);
    for (int at = 0; list && at < MAX_LOOPS; at++) {
        uint64_t since = atomic_load(&loops[at].since);
        if (!since || ticks_between(since, ticks_now()) < threshold)
            continue;
        Episode *copy = copied(&loops[at], since);
        if (!copy)
            continue;
        PyObject *tuple = episode_tuple(copy);
        episode_free(copy);
        if (!tuple || PyList_Append(list, tuple) < 0)
            Py_CLEAR(list);
        Py_XDECREF(tuple);
    }
    return list;
}

WatchdogCounts watchdog_counts(void) {
    pid_t tid = atomic_load(&own_tid);
    return (WatchdogCounts){atomic_load(&stalls), ticks_to_ns(atomic_load(&stalled_ticks)),
                            atomic_load(&unseen), atomic_load(&dropped),
                            atomic_load(&looks),  own_cpu_ns + (tid ? frames_thread_cpu_ns(tid) : 0)};
}

void watchdog_forget(bool is_child) {
    Episode *one;
    if (is_child) { /* the parent's thread, and whatever it held */
        has_thread = false;
        has_condition = false;
        atomic_store(&running, false);
        atomic_store(&own_tid, 0);
        pthread_mutex_init(&life, NULL);
        pthread_mutex_init(&pause_lock, NULL);
        pthread_mutex_init(&found_lock, NULL);
        episode_after_fork();
    }
    while ((one = take_one())) {
        Py_CLEAR(one->said);
        episode_free(one);
    }
    own_cpu_ns = 0;
    atomic_store(&stalls, 0);
    atomic_store(&stalled_ticks, 0);
    atomic_store(&unseen, 0);
    atomic_store(&dropped, 0);
    atomic_store(&looks, 0);
}
