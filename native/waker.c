#include "waker.h"

#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "clock.h"
#include "descriptor.h"

static const uint64_t SECOND_NS = 1000000000u, WITHOUT_PAIR_NS = 100000000u;

static Descriptor near = {.number = -1}, far = {.number = -1};

void waker_prepare(void) {
    int pair[2];
    if (descriptor_is_ours(&near) && descriptor_is_ours(&far))
        return;
    descriptor_close(&near);
    descriptor_close(&far);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return;
    bool first = descriptor_keep(&near, pair[0]), second = descriptor_keep(&far, pair[1]);
    if (!first || !second) {
        descriptor_close(&near);
        descriptor_close(&far);
    }
}

void waker_wake(void) {
    if (descriptor_is_ours(&far))
        send(far.number, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Take the bytes of those who woke us, if it is still ours. */
static void forget_wakes(void) {
    char some[64];
    if (descriptor_is_ours(&near))
        while (recv(near.number, some, sizeof some, MSG_DONTWAIT) == sizeof some)
            ;
}

Waited waker_wait(int agent, uint64_t until_ns) {
    uint64_t now_ns = clock_monotonic_ns();
    uint64_t pause_ns = until_ns > now_ns ? until_ns - now_ns : 0;
    if (near.number < 0 && pause_ns > WITHOUT_PAIR_NS)
        pause_ns = WITHOUT_PAIR_NS;
    struct timespec pause = {.tv_sec = (time_t)(pause_ns / SECOND_NS),
                             .tv_nsec = (long)(pause_ns % SECOND_NS)};
    struct pollfd watched[] = {{.fd = near.number, .events = POLLIN}, {.fd = agent, .events = POLLIN}};
    if (ppoll(watched, 2, until_ns == UINT64_MAX && near.number >= 0 ? NULL : &pause, NULL) == 0)
        return near.number < 0 && clock_monotonic_ns() < until_ns ? WAIT_WOKEN : WAIT_OVER;
    if (watched[0].revents)
        forget_wakes();
    return watched[1].revents ? WAIT_HEARD : WAIT_WOKEN;
}

void waker_after_fork_in_child(void) {
    descriptor_close(&near);
    descriptor_close(&far);
}
