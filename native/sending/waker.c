#include "waker.h"

#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "../spans/clock.h"
#include "descriptor.h"

static const uint64_t SECOND_NS = 1000000000u, WITHOUT_NS = 100000000u;

static Descriptor near = {.number = -1}, far = {.number = -1};
static uint64_t make_at_ns;

static void close_both(void) {
    descriptor_close(&near);
    descriptor_close(&far);
}

static bool make_pair(void) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return false;
    bool first = descriptor_keep(&near, pair[0]), second = descriptor_keep(&far, pair[1]);
    if (!first || !second)
        close_both();
    return first && second;
}

void waker_prepare(void) {
    if (descriptor_is_ours(&near) && descriptor_is_ours(&far))
        return;
    uint64_t now_ns = clock_monotonic_ns();
    bool lost = near.number >= 0;
    close_both();
    if (lost || (now_ns >= make_at_ns && !make_pair()))
        make_at_ns = now_ns + WITHOUT_NS;
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
    uint64_t now_ns = clock_monotonic_ns(), most_ns = near.number < 0 ? WITHOUT_NS : UINT64_MAX;
    uint64_t pause_ns = until_ns > now_ns ? until_ns - now_ns : 0;
    bool cut = pause_ns > most_ns;
    if (cut)
        pause_ns = most_ns;
    struct timespec pause = {.tv_sec = (time_t)(pause_ns / SECOND_NS),
                             .tv_nsec = (long)(pause_ns % SECOND_NS)};
    struct pollfd watched[] = {{.fd = near.number, .events = POLLIN}, {.fd = agent, .events = POLLIN}};
    if (ppoll(watched, 2, pause_ns > UINT64_MAX / 2 ? NULL : &pause, NULL) == 0)
        return cut ? WAIT_WOKEN : WAIT_OVER;
    if (watched[0].revents)
        forget_wakes();
    return watched[1].revents ? WAIT_HEARD : WAIT_WOKEN;
}

void waker_after_fork_in_child(void) {
    close_both();
}
