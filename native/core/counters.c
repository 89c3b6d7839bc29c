#include "counters.h"

#include <inttypes.h>
#include <stdio.h>

#include "../sending/rings.h"

#define AS_TEXT(name) #name,
const char *const counter_names[COUNTERS] = {FOR_EACH_COUNTER(AS_TEXT)};
#undef AS_TEXT

_Atomic uint64_t counter_values[COUNTERS];

void counters_read(uint64_t values[COUNTERS]) {
    for (int at = 0; at < COUNTERS; at++)
        values[at] = atomic_load_explicit(&counter_values[at], memory_order_relaxed);
    for (Ring *ring = rings_first(); ring; ring = ring->next) {
        values[COUNT_finished] += atomic_load_explicit(&ring->finished, memory_order_relaxed);
        values[COUNT_dropped_ring_full] +=
            atomic_load_explicit(&ring->dropped_ring_full, memory_order_relaxed);
        values[COUNT_dropped_no_agent] += atomic_load_explicit(&ring->dropped_no_agent, memory_order_relaxed);
    }
}

void counters_reset(void) {
    for (int at = 0; at < COUNTERS; at++)
        atomic_store_explicit(&counter_values[at], 0, memory_order_relaxed);
}

int counters_json(const uint64_t values[COUNTERS], char *text, int room) {
    int length = 0;
    for (int at = 0; at < COUNTERS; at++)
        length += snprintf(text + length, (size_t)(room - length), "%c\"%s\":%" PRIu64, at ? ',' : '{',
                           counter_names[at], values[at]);
    return length + snprintf(text + length, (size_t)(room - length), "}");
}
