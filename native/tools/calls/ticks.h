/* What a call graph is timed with: the processor's counter where it never stops and never changes its pace,
   else the kernel's clock. A tick's length is measured over the run itself. No Python in here. */
#ifndef SONDE_CALLS_TICKS_H
#define SONDE_CALLS_TICKS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

extern bool ticks_of_processor;

static inline uint64_t ticks_clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Any thread. Two processors may differ by a little: later may be less. */
static inline uint64_t ticks_now(void) {
#if defined(__x86_64__)
    if (ticks_of_processor)
        return __rdtsc();
#endif
    return ticks_clock_ns();
}

/* From `start` to `end`; 0 where a processor is behind another. */
static inline uint64_t ticks_between(uint64_t start, uint64_t end) {
    return end > start ? end - start : 0;
}

/* Choose the counter. Before anything else. */
static inline bool ticks_find(void) {
#if defined(__x86_64__)
    unsigned a = 0, b = 0, c = 0, d = 0;
    const unsigned invariant = 1u << 8; /* AMD64 manual, CPUID Fn8000_0007_EDX: TscInvariant */
    return __get_cpuid(0x80000007, &a, &b, &c, &d) && d & invariant;
#else
    return false;
#endif
}

#endif
