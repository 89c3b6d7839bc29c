#include "work.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "../spans/clock.h"
#include "../core/counters.h"
#include "../core/own_thread.h"
#include "sender.h"
#include "thread_end.h"

static const uint64_t SECOND_NS = 1000000000u;
enum { STACK_BYTES = 1 << 20 }; /* Python runs on it, and may import and compile */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended;
static pthread_t thread;
static bool to_join; /* there is a thread, or was one that nobody has joined */
static pid_t tid;    /* its, for the kernel */
static uint32_t life;
static _Atomic bool under_way;
static _Atomic uint64_t begin_again_ns;

static void make_condition(void) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&ended, &attributes);
    pthread_condattr_destroy(&attributes);
}

typedef struct {
    void (*work)(void);
    uint32_t life;
} Task;

static Task task; /* of the thread that is about to start */

static void *run(void *nothing) {
    own_thread_is("sonde-work");
    Task mine = task;
    mine.work();
    pthread_mutex_lock(&mutex);
    bool ours = mine.life == life; /* else this is a child that the work has forked */
    if (ours) {
        tid = gettid();
        atomic_store(&under_way, false);
        pthread_cond_broadcast(&ended);
    }
    pthread_mutex_unlock(&mutex);
    if (ours)
        sender_wake(true);
    return nothing;
}

static int create_thread(void) {
    return own_thread_begin(&thread, STACK_BYTES, true, run, NULL);
}

/* With the mutex held: the thread that has ended its work has nothing to do but return. */
static void join_thread(void) {
    if (to_join)
        pthread_join(thread, NULL);
    to_join = false;
}

static void begin(void (*work)(void)) {
    static bool made;
    if (!made)
        make_condition();
    made = true;
    join_thread();
    task = (Task){.work = work, .life = life};
    to_join = create_thread() == 0;
    atomic_store(&under_way, to_join);
    if (to_join)
        return;
    count(COUNT_start_errors);
    atomic_store(&begin_again_ns, clock_monotonic_ns() + SECOND_NS);
}

void work_begin(void (*work)(void)) {
    pthread_mutex_lock(&mutex);
    if (!atomic_load(&under_way))
        begin(work);
    pthread_mutex_unlock(&mutex);
}

uint64_t work_possible_at_ns(void) {
    return atomic_load(&under_way) ? UINT64_MAX : atomic_load(&begin_again_ns);
}

bool work_wait(uint64_t timeout_ns) {
    uint64_t until_ns = clock_monotonic_ns() + timeout_ns;
    struct timespec until = {.tv_sec = (time_t)(until_ns / SECOND_NS),
                             .tv_nsec = (long)(until_ns % SECOND_NS)};
    pthread_mutex_lock(&mutex);
    bool mine = to_join && pthread_equal(thread, pthread_self());
    while (!mine && atomic_load(&under_way) && pthread_cond_timedwait(&ended, &mutex, &until) == 0)
        ;
    bool over = !mine && !atomic_load(&under_way);
    pid_t joined = over && to_join ? tid : 0;
    if (over)
        join_thread();
    pthread_mutex_unlock(&mutex);
    thread_end_wait(joined, until_ns);
    return over;
}

void work_before_fork(void) {
    pthread_mutex_lock(&mutex);
}

void work_after_fork_in_parent(void) {
    pthread_mutex_unlock(&mutex);
}

void work_after_fork_in_child(void) {
    life++;
    to_join = false;
    atomic_store(&under_way, false);
    atomic_store(&begin_again_ns, 0);
    make_condition(); /* threads of the parent's may have been waiting on the old one */
    pthread_mutex_unlock(&mutex);
}
