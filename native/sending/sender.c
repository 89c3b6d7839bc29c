#include "sender.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../spans/clock.h"
#include "connection.h"
#include "../core/counters.h"
#include "../core/own_thread.h"
#include "delivery.h"
#include "frame_queue.h"
#include "rings.h"
#include "termination.h"
#include "thread_end.h"
#include "waker.h"

static const uint64_t SECOND_NS = 1000000000u, NEVER = UINT64_MAX;
static const uint64_t GONE_WITHIN_NS = 200000000u;
enum { QUIET_LOOKS = 10, STACK_BYTES = 256 << 10 };

_Atomic bool sender_asleep;
SenderTick sender_tick_at_ns;
void (*sender_tick)(void);
static _Atomic bool hurried;

/* What the thread and the others share, under `mutex`. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static struct {
    bool running, ended; /* there is a thread to join; it is about to return */
    bool waits;          /* it has nothing to do, and nobody has woken it */
    bool stopping, parking, urgent, flushed;
    bool parked;              /* and not started since */
    bool held_up;             /* the agent did not take at once what was written since it is to park */
    pid_t task;               /* the thread, for the kernel */
    bool last;                /* the process ends with this flush: say how it went */
    uint64_t asked, answered; /* flushes */
    uint64_t stop_by_ns, start_again_ns;
    uint64_t flush_interval_ns;
} shared;
static pthread_t thread;

/* -- waiting -- */

static void make_condition(void) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* A process that a thread forked ends when that thread does, its first one. So does one whose interpreter
   ends while another interpreter frees something that lets the GIL go: CPython 3.11 ends the thread then.
   Nobody but this thread is left, and has to end, too. */
static _Atomic bool first_may_end;
static const uint64_t FIRST_EVERY_NS = 200000000u;

static bool first_has_ended(void) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)getpid());
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = file >= 0 ? read(file, text, sizeof text - 1) : -1;
    if (file >= 0)
        close(file);
    if (size <= 0)
        return false;
    text[size] = 0;
    const char *state = strrchr(text, ')');
    return state && strlen(state) > 2 && (state[2] == 'Z' || state[2] == 'X');
}

static bool heard; /* the thread's own: the agent has something to say */

/* In the thread, with the mutex held, which is let go meanwhile: wait until woken, or for the agent. False:
   `until_ns` has come. */
static bool wait_until(uint64_t until_ns) {
    if (atomic_load(&first_may_end)) {
        uint64_t soon_ns = clock_monotonic_ns() + FIRST_EVERY_NS;
        until_ns = soon_ns < until_ns ? soon_ns : until_ns;
    }
    int agent = connection_listens();
    waker_prepare();
    if (termination_is_due()) /* from here on, it wakes */
        return true;
    shared.waits = true;
    pthread_mutex_unlock(&mutex);
    Waited waited = waker_wait(agent, until_ns);
    pthread_mutex_lock(&mutex);
    shared.waits = false;
    heard = heard || waited == WAIT_HEARD;
    return waited != WAIT_OVER;
}

/* With the mutex held. */
static void wake(void) {
    if (shared.waits)
        waker_wake();
    shared.waits = false;
}

/* In another thread, with the mutex held: wait for what the sender does. False: `until_ns` has come. */
static bool wait_for_sender(uint64_t until_ns) {
    if (until_ns == NEVER)
        return pthread_cond_wait(&changed, &mutex) == 0;
    struct timespec until = {.tv_sec = (time_t)(until_ns / SECOND_NS),
                             .tv_nsec = (long)(until_ns % SECOND_NS)};
    return pthread_cond_timedwait(&changed, &mutex, &until) == 0;
}

static bool is_wanted(void) {
    return shared.stopping || shared.parking || shared.asked > shared.answered || termination_is_due();
}

static uint64_t tick_at_ns(void) {
    return sender_tick_at_ns ? sender_tick_at_ns() : NEVER;
}

static uint64_t sooner(uint64_t one_ns, uint64_t other_ns) {
    return one_ns < other_ns ? one_ns : other_ns;
}

static void pause_until(uint64_t until_ns) {
    while (!is_wanted() && !heard && !(shared.urgent && connection_is_open()))
        if (!wait_until(sooner(until_ns, tick_at_ns())))
            return;
}

static void sleep_until_woken(void) {
    uint64_t until_ns = sooner(delivery_report_at_ns(), sooner(delivery_look_at_ns(), tick_at_ns()));
    atomic_store(&sender_asleep, true);
    if (rings_empty()) /* looked at after the flag was set: see ring_end() */
        while (atomic_load(&sender_asleep) && !is_wanted() && !heard)
            if (!wait_until(until_ns))
                break;
    atomic_store(&sender_asleep, false);
}

/* With the mutex held: wait until there is a reason to look. Returns how many looks in a row found nothing.
 */
static int pause_before_look(int quiet) {
    if (is_wanted())
        return quiet;
    if (quiet < QUIET_LOOKS) {
        uint64_t look_ns = clock_monotonic_ns() + shared.flush_interval_ns, retry_ns = delivery_retry_at_ns();
        pause_until(retry_ns > look_ns ? retry_ns : look_ns);
        return quiet;
    }
    rings_park();
    sleep_until_woken();
    if (rings_empty())
        return quiet;                                             /* not for a span */
    pause_until(clock_monotonic_ns() + shared.flush_interval_ns); /* the first span waits for others */
    return 0;
}

/* A stop that takes too long. Asked in the middle of a write. */
static bool has_expired(void) {
    pthread_mutex_lock(&mutex);
    if (shared.parking && !shared.held_up) {
        shared.held_up = true;
        pthread_cond_broadcast(&changed);
    }
    bool expired = shared.stopping && clock_monotonic_ns() > shared.stop_by_ns;
    pthread_mutex_unlock(&mutex);
    return expired || termination_is_overdue();
}

/* -- the thread -- */

static void *run(void *nothing) {
    own_thread_is("sonde-sender");
    int quiet = 0;
    bool ending = false;
    pthread_mutex_lock(&mutex);
    shared.task = gettid();
    pthread_mutex_unlock(&mutex);
    while (!ending) {
        pthread_mutex_lock(&mutex);
        quiet = pause_before_look(quiet);
        uint64_t asked = shared.asked;
        bool terminated = termination_is_due();
        bool wanted = is_wanted(), last = shared.stopping || shared.last || terminated, sent;
        shared.urgent = shared.last = heard = false;
        atomic_store(&hurried, false);
        pthread_mutex_unlock(&mutex);

        if (atomic_load(&first_may_end) && first_has_ended()) {
            delivery_send_all(true, &sent, has_expired);
            return nothing;
        }
        connection_receive();
        if (!wanted) {
            delivery_look_for_agent(has_expired);
            if (tick_at_ns() != NEVER)
                sender_tick();
        }
        bool emptied = delivery_send_all(wanted, &sent, has_expired);
        delivery_report(last, has_expired);
        quiet = sent || !emptied ? 0 : quiet + 1;
        if (terminated)
            termination_go_on();

        pthread_mutex_lock(&mutex);
        shared.answered = asked;
        shared.flushed = emptied;
        ending = wanted && shared.asked == asked && (shared.stopping || shared.parking);
        shared.ended = ending;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&mutex);
    }
    termination_unwatch();
    return nothing;
}

static int create_thread(void) {
    termination_watch(); /* not in the thread: the program goes on before that does */
    int error = own_thread_begin(&thread, STACK_BYTES, true, run, NULL);
    if (error)
        termination_unwatch();
    return error;
}

/* With the mutex held, which is let go meanwhile: the thread has ended or is about to. Who stops and who
   parks take turns, so that only one of them gets here. */
static void join_thread(void) {
    pid_t task = shared.task;
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
    thread_end_wait(task, clock_monotonic_ns() + GONE_WITHIN_NS);
    pthread_mutex_lock(&mutex);
    shared.running = shared.stopping = false;
}

/* -- from the application's threads -- */

void sender_prepare(uint32_t flush_interval_ms) {
    static bool made;
    if (!made)
        make_condition();
    made = true;
    pthread_mutex_lock(&mutex);
    shared.flush_interval_ns = (uint64_t)flush_interval_ms * 1000000u;
    shared.urgent = shared.last = false;
    shared.start_again_ns = 0;
    delivery_reset();
    atomic_store(&sender_asleep, true);
    pthread_mutex_unlock(&mutex);
}

bool sender_is_running(void) {
    pthread_mutex_lock(&mutex);
    bool running = shared.running;
    pthread_mutex_unlock(&mutex);
    return running;
}

void sender_start(void) {
    uint64_t now_ns = clock_monotonic_ns();
    pthread_mutex_lock(&mutex);
    if (!shared.running && now_ns >= shared.start_again_ns) {
        shared.ended = shared.parked = false;
        shared.running = create_thread() == 0;
        if (shared.running) {
            atomic_store(&sender_asleep, false);
        } else {
            count(COUNT_start_errors);
            shared.start_again_ns = now_ns + SECOND_NS;
        }
    }
    pthread_mutex_unlock(&mutex);
}

void sender_wake(bool urgent) {
    pthread_mutex_lock(&mutex);
    atomic_store(&sender_asleep, false);
    shared.urgent = shared.urgent || urgent;
    wake();
    pthread_mutex_unlock(&mutex);
}

void sender_hurry(void) {
    if (connection_is_open() && !atomic_exchange(&hurried, true))
        sender_wake(true);
}

bool sender_flush(uint64_t timeout_ns, bool last) {
    uint64_t deadline_ns = clock_monotonic_ns() + timeout_ns;
    pthread_mutex_lock(&mutex);
    if (!shared.running) {
        pthread_mutex_unlock(&mutex);
        return rings_empty() && !queue_waits(&outbox);
    }
    uint64_t mine = ++shared.asked;
    shared.last = shared.last || last;
    if (last)
        atomic_store(&first_may_end, true);
    wake();
    while (shared.answered < mine && wait_for_sender(deadline_ns))
        ;
    bool flushed = shared.answered >= mine && shared.flushed;
    pthread_mutex_unlock(&mutex);
    return flushed;
}

void sender_stop(uint64_t timeout_ns) {
    pthread_mutex_lock(&mutex);
    while (shared.parking)
        wait_for_sender(NEVER);
    if (shared.running && !shared.stopping) {
        shared.stopping = true;
        shared.stop_by_ns = clock_monotonic_ns() + timeout_ns;
        wake();
        join_thread(); /* it gives up at that time, or a slice of time later */
    }
    shared.parked = false;
    if (!shared.running)
        connection_close();
    pthread_mutex_unlock(&mutex);
}

/* With the mutex held: whether the thread has ended. One that the agent holds up has less time than one that
   only waits for a processor. */
static bool wait_for_parking(uint64_t slow_ns, uint64_t busy_ns) {
    while (!shared.ended && wait_for_sender(shared.held_up ? slow_ns : busy_ns))
        ;
    return shared.ended;
}

void sender_park(uint64_t slow_ns, uint64_t busy_ns) {
    uint64_t now_ns = clock_monotonic_ns();
    pthread_mutex_lock(&mutex);
    if (shared.running && !shared.stopping && !shared.parking) {
        shared.parking = true;
        shared.held_up = false;
        wake();
        if (wait_for_parking(now_ns + slow_ns, now_ns + busy_ns)) {
            join_thread();
            shared.parked = true;
            atomic_store(&sender_asleep, true);
        }
        shared.parking = false;
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&mutex);
}

void sender_resume(void) {
    pthread_mutex_lock(&mutex);
    bool parked = shared.parked;
    pthread_mutex_unlock(&mutex);
    if (parked)
        sender_start();
}

void sender_before_fork(void) {
    pthread_mutex_lock(&mutex);
}

void sender_after_fork_in_parent(void) {
    pthread_mutex_unlock(&mutex);
}

void sender_after_fork_in_child(bool by_thread) {
    atomic_store(&first_may_end, by_thread);
    shared.running = shared.ended = shared.waits = shared.stopping = shared.parking = false;
    shared.urgent = shared.last = shared.parked = false;
    shared.answered = shared.asked;
    shared.start_again_ns = 0;
    delivery_reset();
    atomic_store(&hurried, false);
    atomic_store(&sender_asleep, true);
    waker_after_fork_in_child();
    make_condition(); /* threads of the parent's were waiting on the old one */
    pthread_mutex_unlock(&mutex);
}
