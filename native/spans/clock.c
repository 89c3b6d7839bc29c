#include "clock.h"

#include <time.h>

static const uint64_t ANCHOR_FOR_NS = 1000000000;

static uint64_t anchored_ns;
static uint64_t offset_ns; /* wall less monotonic clock, modulo 2^64 */

static uint64_t read_clock(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_monotonic_ns(void) {
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_unix_ns(uint64_t monotonic_ns) {
    if (!anchored_ns || monotonic_ns - anchored_ns >= ANCHOR_FOR_NS) {
        offset_ns = read_clock(CLOCK_REALTIME) - read_clock(CLOCK_MONOTONIC);
        anchored_ns = monotonic_ns;
    }
    return monotonic_ns + offset_ns;
}
