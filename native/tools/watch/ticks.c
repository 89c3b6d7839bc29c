#include "ticks.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

bool ticks_of_processor;
static double ns_a_tick = 1;
static bool looked;

static const long PACE_NS = 1000000;

#if defined(__x86_64__)
static bool has_steady_counter(void) {
    unsigned a = 0, b = 0, c = 0, d = 0;
    const unsigned invariant = 1u << 8; /* AMD64 manual, CPUID Fn8000_0007_EDX: TscInvariant */
    return __get_cpuid(0x80000007, &a, &b, &c, &d) && d & invariant;
}
#elif defined(__aarch64__)
static bool has_steady_counter(void) {
    return true; /* Arm ARM, D11.1: the system counter has a fixed pace */
}
#else
static bool has_steady_counter(void) {
    return false;
}
#endif

/* A pair of both clocks that were read as close together as one of a few tries gave. */
static void read_both(uint64_t *ticks, uint64_t *ns) {
    uint64_t closest = UINT64_MAX;
    for (int try = 0; try < 5; try++) {
        uint64_t before = ticks_now(), clock = ticks_clock_ns(), after = ticks_now();
        if (after - before < closest) {
            closest = after - before;
            *ticks = before + (after - before) / 2;
            *ns = clock;
        }
    }
}

void ticks_init(void) {
    if (looked)
        return;
    looked = true;
    ticks_of_processor = has_steady_counter();
    if (!ticks_of_processor)
        return;
    uint64_t from = 0, from_ns = 0, to = 0, to_ns = 0;
    struct timespec pause = {.tv_nsec = PACE_NS};
    read_both(&from, &from_ns);
    clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    read_both(&to, &to_ns);
    if (to > from && to_ns > from_ns)
        ns_a_tick = (double)(to_ns - from_ns) / (double)(to - from);
    else
        ticks_of_processor = false;
}

uint64_t ticks_to_ns(uint64_t ticks) {
    return ticks_of_processor ? (uint64_t)((double)ticks * ns_a_tick) : ticks;
}

uint64_t ticks_of_ns(uint64_t ns) {
    return ticks_of_processor ? (uint64_t)((double)ns / ns_a_tick) : ns;
}

uint64_t ticks_unix_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
