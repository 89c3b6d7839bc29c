/* The time, for what is timed at each callback and each system call: the processor's counter where it never
   stops and never changes its pace, else the kernel's clock. No Python in here. */
#ifndef SONDE_WATCH_TICKS_H
#define SONDE_WATCH_TICKS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

extern bool ticks_of_processor;

/* Choose the counter and measure its pace, which takes a millisecond, once in a process. GIL: held or not,
   but no two threads at once. Before anything else. */
void ticks_init(void);

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
#elif defined(__aarch64__)
    if (ticks_of_processor) {
        uint64_t ticks;
        __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
        return ticks;
    }
#endif
    return ticks_clock_ns();
}

/* From `start` to `end`; 0 where a processor is behind another. */
static inline uint64_t ticks_between(uint64_t start, uint64_t end) {
    return end > start ? end - start : 0;
}

uint64_t ticks_to_ns(uint64_t ticks);
uint64_t ticks_of_ns(uint64_t ns);

/* The wall clock now, in ns since 1970. */
uint64_t ticks_unix_ns(void);

#endif
