/* Wall time that does not jump inside a span. No Python in here. */
#ifndef SONDE_CLOCK_H
#define SONDE_CLOCK_H

#include <stdint.h>

/* Nanoseconds since some moment; never goes back. Any thread. */
uint64_t clock_monotonic_ns(void);

/* Unix time of a moment that has just been. The monotonic clock is anchored to the wall clock each second, so
   a step of the wall clock is followed within that time. GIL: held by the caller, it guards the anchor. */
uint64_t clock_unix_ns(uint64_t monotonic_ns);

#endif
