#include "sampler.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../../core/own_thread.h"
#include "../frames/frames.h"
#include "../frames/spans.h"
#include "functions.h"
#include "idle.h"
#include "running.h"
#include "tree.h"

static const uint64_t SECOND_NS = 1000000000u, CHECK_EVERY_NS = 100000000u, SLICE_NS = 50000000u;
enum { STACK_BYTES = 256 << 10, REST = 4, MADE_WITHIN_S = 2, NO_STATISTICS = -1 };

/* A thread that lives. */
typedef struct {
    FrameThread thread;
    uint64_t cpu_ns;
    uint64_t owed_ns;   /* of that, not in the profile yet */
    int32_t node;       /* where it was when it last ran; NO_NODE: not known */
    int32_t statistics; /* in `Memory.statistics` */
    int32_t root;       /* with `by_thread`, else NO_NODE */
    bool matches;       /* it was in the endpoint or trace then */
    bool chosen, ended;
} Watched;

typedef struct {
    FrameScratch scratch;
    FrameRef frames[MAX_DEPTH];
    FrameThread listed[MAX_THREADS];
    Watched watched[2][MAX_THREADS];
    SamplerThread statistics[MAX_THREADS];
} Memory;

static Memory *memory;
static Watched *watched;
static int watched_count, statistics_count;
static uint64_t known_births;
static bool list_is_stale;
static uint32_t unfinished; /* lists in a row that were not whole */

static pthread_t thread;
static bool has_thread;
static _Atomic bool running;
static _Atomic pid_t own_tid;
static uint64_t own_cpu_ns; /* once it has ended */
static SamplerOptions options;
static SamplerCounts counts;

/* Which threads, under a lock that is held for a copy. */
static pthread_mutex_t choice_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    int chosen, excluded; /* chosen < 0: all */
    pid_t tids[MAX_CHOSEN], never[MAX_CHOSEN];
} choice;
static _Atomic unsigned choice_made;
static unsigned choice_known;

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* -- which threads there are -- */

static bool stands_in(const pid_t *tids, int count, pid_t tid) {
    for (int at = 0; at < count; at++)
        if (tids[at] == tid)
            return true;
    return false;
}

static void choose(Watched *one) {
    one->chosen = !stands_in(choice.never, choice.excluded, one->thread.tid) &&
                  (choice.chosen < 0 || stands_in(choice.tids, choice.chosen, one->thread.tid));
}

static void choose_all(void) {
    pthread_mutex_lock(&choice_lock);
    choice_known = atomic_load(&choice_made);
    for (int at = 0; at < watched_count; at++)
        choose(&watched[at]);
    pthread_mutex_unlock(&choice_lock);
}

static bool is_same(const FrameThread *one, const FrameThread *other) {
    return one->state == other->state && one->tid == other->tid && one->thread_id == other->thread_id;
}

static int32_t thread_root(pid_t tid) {
    return options.by_thread ? tree_below(NO_NODE, NO_FUNCTION, tid) : NO_NODE;
}

static void watch(Watched *one, const FrameThread *found, bool from_start) {
    *one = (Watched){
        .thread = *found, .node = NO_NODE, .statistics = NO_STATISTICS, .root = thread_root(found->tid)};
    /* What one used before we began is not ours; what a new one has used, it has used since the last look. */
    one->cpu_ns = from_start ? frames_thread_cpu_ns(found->tid) : 0;
    if (statistics_count < MAX_THREADS) {
        one->statistics = statistics_count++;
        memory->statistics[one->statistics] =
            (SamplerThread){.tid = found->tid, .thread_id = found->thread_id};
    }
}

/* While a thread is being made, 3.11 shows its state with its maker's native id: it is looked at once it has
 * its own.
 */
static bool is_being_made(const FrameThread *listed, int at, int count) {
    for (int other = at + 1; other < count; other++)
        if (listed[other].tid == listed[at].tid)
            return true;
    return false;
}

/* Python's list has the newest first and keeps its order: who was there before is found where the last one
 * was. */
static void list_threads(bool from_start) {
    Watched *now = watched == memory->watched[0] ? memory->watched[1] : memory->watched[0];
    uint64_t births = known_births;
    frames_pulse(&known_births);
    bool whole;
    int listed = frames_threads_so_far(memory->listed, MAX_THREADS, &whole), from = 0, count = 0;
    for (int at = 0; at < listed; at++) {
        int before = from;
        while (before < watched_count && !is_same(&watched[before].thread, &memory->listed[at]))
            before++;
        if (before < watched_count) {
            now[count++] = watched[before];
            from = before + 1;
        } else if (is_being_made(memory->listed, at, listed)) {
            whole = false;
        } else {
            watch(&now[count++], &memory->listed[at], from_start);
        }
    }
    watched = now;
    watched_count = count;
    /* Soon it is made. Some states never become a thread's: then it is no use to go on. */
    unfinished = births != known_births || whole ? 0 : unfinished + 1;
    list_is_stale = !whole && unfinished < MADE_WITHIN_S * options.hz;
    choose_all();
}

/* -- one thread -- */

static bool globs(const char *pattern, const char *text) {
    const char *star = NULL, *back = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            back = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++back;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

static bool is_filtered(void) {
    return options.has_trace || options.endpoint[0];
}

static bool in_span(const FrameThread *found) {
    FrameSpan span;
    return frames_span(found, &span) &&
           (!options.has_trace || !memcmp(span.trace_id, options.trace_id, sizeof span.trace_id)) &&
           (!options.endpoint[0] || globs(options.endpoint, span.endpoint));
}

typedef enum { FOUND, NOTHING_RUNS, TORN, NO_ROOM } Finding;

static Finding find_once(Watched *one, int32_t *node) {
    int depth = frames_walk(&one->thread, &memory->scratch, memory->frames, MAX_DEPTH);
    list_is_stale = list_is_stale || depth == FRAMES_GONE;
    if (depth <= 0)
        return depth == FRAMES_TORN ? TORN : NOTHING_RUNS;
    int32_t below = one->root;
    for (int at = depth - 1; at >= 0; at--) {
        uint32_t function;
        int32_t line;
        if (!functions_find(&memory->frames[at], &function, &line))
            return TORN;
        below = tree_below(below, function, line);
        if (below == NO_NODE)
            return NO_ROOM;
    }
    counts.cut += depth == MAX_DEPTH;
    *node = below;
    return FOUND;
}

/* Returns the node of the stack, or NO_NODE: there is none, or it cannot count, which is counted. */
static int32_t find_node(Watched *one, uint64_t weight) {
    int32_t node = NO_NODE;
    Finding found = find_once(one, &node);
    if (found == TORN)
        found = find_once(one, &node);
    if (found == TORN || found == NO_ROOM) {
        counts.torn += found == TORN;
        counts.dropped += found == NO_ROOM;
        counts.dropped_weight += weight;
    }
    return node;
}

static bool is_idle(int32_t node) {
    TreeNode *known = tree_at((uint32_t)node);
    if (!known->idle)
        known->idle = idle_is(node) ? 2 : 1;
    return known->idle == 2;
}

static void add_sample(Watched *one, uint64_t weight, SamplerThread *statistics) {
    if (options.wall && is_idle(one->node)) {
        if (statistics)
            statistics->idle++;
        if (!options.keep_idle) {
            counts.idle++;
            return;
        }
    }
    tree_add(one->node, weight);
    counts.samples++;
    counts.weight += weight;
    if (statistics) {
        statistics->samples++;
        statistics->weight += weight;
    }
}

static void look_at(Watched *one, uint64_t passed_ns, uintptr_t holder) {
    uint64_t cpu_ns = frames_thread_cpu_ns(one->thread.tid);
    if (!cpu_ns) { /* it has ended; some libraries leave a thread state behind */
        list_is_stale = list_is_stale || !one->ended;
        one->ended = true;
        counts.unseen += one->owed_ns;
        one->owed_ns = 0;
        return;
    }
    uint64_t ran_ns = cpu_ns > one->cpu_ns ? cpu_ns - one->cpu_ns : 0;
    one->cpu_ns = cpu_ns;
    SamplerThread *statistics =
        one->statistics == NO_STATISTICS ? NULL : &memory->statistics[one->statistics];
    if (statistics) {
        statistics->cpu_ns += ran_ns;
        statistics->looks++;
        statistics->gil += one->thread.state == holder;
    }
    uint64_t weight = passed_ns;
    if (!options.wall) {
        /* What it used before it went to sleep, it did not use where it sleeps: that counts when it is seen
           at work again. Who holds the GIL is. */
        one->owed_ns += ran_ns;
        if (!ran_ns || (one->thread.state != holder && !running_now(one->thread.tid)))
            return;
        weight = one->owed_ns;
        one->owed_ns = 0;
    }
    /* One that has not run since stands where it stood, in the span that it was in. */
    if (ran_ns || one->node == NO_NODE) {
        one->node = NO_NODE;
        one->matches = !is_filtered() || in_span(&one->thread);
        if (one->matches)
            one->node = find_node(one, weight);
    }
    if (!one->matches)
        counts.elsewhere++;
    else if (one->node != NO_NODE)
        add_sample(one, weight, statistics);
}

/* -- all of them, so many times a second -- */

static void look_at_all(uint64_t passed_ns) {
    uint64_t births = known_births;
    uintptr_t holder = frames_pulse(&births);
    if (list_is_stale || births != known_births)
        list_threads(false);
    else if (choice_known != atomic_load(&choice_made))
        choose_all();
    for (int at = 0; at < watched_count && atomic_load_explicit(&running, memory_order_relaxed); at++)
        if (watched[at].chosen)
            look_at(&watched[at], passed_ns, holder);
    counts.rounds++;
}

/* A quarter of a period early or late, so that a program which does something a hundred times a second is not
   looked at always at the same point of it. */
static uint64_t jittered(uint64_t due_ns, uint64_t period_ns) {
    static uint64_t state = 0x9e3779b97f4a7c15u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return due_ns - period_ns / 4 + state % (period_ns / 2 + 1);
}

/* In slices, so that who ends the run need not wait long. */
static void sleep_until(uint64_t until_ns) {
    for (uint64_t ns = now_ns(); ns < until_ns && atomic_load(&running); ns = now_ns()) {
        uint64_t slice_ns = until_ns - ns < SLICE_NS ? until_ns : ns + SLICE_NS;
        struct timespec until = {.tv_sec = (time_t)(slice_ns / SECOND_NS),
                                 .tv_nsec = (long)(slice_ns % SECOND_NS)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
}

static uint64_t cpu_now_ns(void) {
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * SECOND_NS + (uint64_t)used.tv_nsec;
}

static void *run(void *nothing) {
    own_thread_is("sonde-cpu");
    const uint64_t period_ns = SECOND_NS / options.hz;
    uint64_t last_ns = now_ns(), due_ns = last_ns, checked_ns = last_ns;
    atomic_store(&own_tid, (pid_t)syscall(SYS_gettid));
    while (true) {
        due_ns += period_ns;
        sleep_until(jittered(due_ns, period_ns));
        if (!atomic_load(&running))
            break;
        uint64_t begin_ns = now_ns(), begin_cpu_ns = cpu_now_ns();
        if (begin_ns - checked_ns >= CHECK_EVERY_NS) {
            functions_check_again();
            checked_ns = begin_ns;
        }
        look_at_all(begin_ns - last_ns);
        last_ns = begin_ns;
        /* With very many threads a round may need its whole period: the sampler rests four times as long as
           it has worked. */
        uint64_t earliest_ns = now_ns() + REST * (cpu_now_ns() - begin_cpu_ns);
        for (; due_ns + period_ns < earliest_ns; due_ns += period_ns)
            counts.missed++;
    }
    for (int at = 0; at < watched_count; at++)
        counts.unseen += watched[at].chosen ? watched[at].owed_ns : 0;
    own_cpu_ns = cpu_now_ns();
    atomic_store(&own_tid, 0);
    return nothing;
}

/* -- life -- */

int sampler_start(const SamplerOptions *wanted) {
    if (memory)
        return EBUSY;
    memory = mmap(NULL, sizeof *memory, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                  -1, 0);
    if (memory == MAP_FAILED) {
        memory = NULL;
        return ENOMEM;
    }
    if (!functions_open() || !tree_open(wanted->max_nodes)) {
        sampler_close();
        return ENOMEM;
    }
    options = *wanted;
    counts = (SamplerCounts){0};
    watched_count = statistics_count = 0;
    own_cpu_ns = known_births = 0;
    list_threads(true);

    atomic_store(&running, true);
    int error = own_thread_begin(&thread, STACK_BYTES, true, run, NULL);
    has_thread = error == 0;
    if (error) {
        atomic_store(&running, false);
        sampler_close();
    }
    return error;
}

void sampler_choose(const pid_t *tids, int chosen, const pid_t *never, int excluded) {
    pthread_mutex_lock(&choice_lock);
    choice.chosen = chosen < MAX_CHOSEN ? chosen : MAX_CHOSEN;
    choice.excluded = excluded < MAX_CHOSEN ? excluded : MAX_CHOSEN;
    if (choice.chosen > 0)
        memcpy(choice.tids, tids, (size_t)choice.chosen * sizeof *tids);
    if (choice.excluded > 0)
        memcpy(choice.never, never, (size_t)choice.excluded * sizeof *never);
    atomic_fetch_add(&choice_made, 1);
    pthread_mutex_unlock(&choice_lock);
}

void sampler_stop(void) {
    if (!has_thread)
        return;
    atomic_store(&running, false);
    pthread_join(thread, NULL);
    has_thread = false;
}

void sampler_close(void) {
    sampler_stop();
    functions_close();
    tree_close();
    if (memory)
        munmap(memory, sizeof *memory);
    memory = NULL;
    watched = NULL;
    watched_count = 0;
}

bool sampler_runs(void) {
    return atomic_load(&running);
}

SamplerCounts sampler_counts(void) {
    SamplerCounts now = counts;
    pid_t tid = atomic_load(&own_tid);
    now.own_cpu_ns = tid ? frames_thread_cpu_ns(tid) : own_cpu_ns;
    return now;
}

int sampler_threads(const SamplerThread **out) {
    *out = memory ? memory->statistics : NULL;
    return memory ? statistics_count : 0;
}

void sampler_after_fork(void) {
    atomic_store(&running, false);
    atomic_store(&own_tid, 0);
    has_thread = false;
    pthread_mutex_init(&choice_lock, NULL);
    sampler_close();
}
