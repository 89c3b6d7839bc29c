#include "termination.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#include "../spans/clock.h"
#include "waker.h"

static _Atomic uint64_t within_ns;
static _Atomic uint64_t came_ns; /* 0: it has not */
static _Atomic int watching;     /* the process that has a sender: a forked child is another one */

static void act(void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
}

/* In any thread of the program's, in the middle of anything. */
static void asked_to_end(int number) {
    if (atomic_load(&watching) != (int)getpid()) {
        act(SIG_DFL);
        raise(number); /* it comes when this function has returned */
        return;
    }
    int before = errno;
    uint64_t never = 0;
    if (atomic_compare_exchange_strong(&came_ns, &never, clock_monotonic_ns()))
        waker_wake();
    errno = before;
}

static bool is(void (*handler)(int)) {
    struct sigaction now;
    return sigaction(SIGTERM, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == handler;
}

void termination_within(uint64_t ns) {
    atomic_store(&within_ns, ns);
}

void termination_watch(void) {
    atomic_store(&came_ns, 0);
    atomic_store(&watching, (int)getpid());
    if (atomic_load(&within_ns) && is(SIG_DFL))
        act(asked_to_end);
}

void termination_unwatch(void) {
    atomic_store(&watching, 0);
    if (termination_is_due())
        termination_go_on();
    else if (is(asked_to_end))
        act(SIG_DFL);
}

bool termination_is_due(void) {
    return atomic_load(&came_ns) != 0;
}

bool termination_is_overdue(void) {
    uint64_t came = atomic_load(&came_ns);
    return came && clock_monotonic_ns() - came > atomic_load(&within_ns);
}

void termination_go_on(void) {
    atomic_store(&came_ns, 0);
    if (is(asked_to_end))
        act(SIG_DFL);
    kill(getpid(), SIGTERM);
}
