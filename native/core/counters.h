/* How often what happened in this process. Any thread may count, with or without the GIL. */
#ifndef SONDE_COUNTERS_H
#define SONDE_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

/* The names users see; their meaning is in src/sonde/probe/core/twin/counting.py, in this order. */
#define FOR_EACH_COUNTER(X)                                                                                  \
    X(opened)                                                                                                \
    X(finished)                                                                                              \
    X(tallied)                                                                                               \
    X(sent_spans)                                                                                            \
    X(sent_bytes)                                                                                            \
    X(sent_frames)                                                                                           \
    X(dropped_ring_full)                                                                                     \
    X(dropped_no_agent)                                                                                      \
    X(dropped_no_ring)                                                                                       \
    X(dropped_inherited)                                                                                     \
    X(dropped_frames)                                                                                        \
    X(dropped_attributes)                                                                                    \
    X(dropped_events)                                                                                        \
    X(dropped_links)                                                                                         \
    X(unencodable_values)                                                                                    \
    X(cut_values)                                                                                            \
    X(malformed_headers)                                                                                     \
    X(connects)                                                                                              \
    X(connect_errors)                                                                                        \
    X(send_errors)                                                                                           \
    X(start_errors)                                                                                          \
    X(internal_errors)                                                                                       \
    X(requests)                                                                                              \
    X(requests_ended)                                                                                        \
    X(rings)

#define AS_ENUM(name) COUNT_##name,
typedef enum { FOR_EACH_COUNTER(AS_ENUM) COUNTERS } Counter;
#undef AS_ENUM

extern const char *const counter_names[COUNTERS];
extern _Atomic uint64_t counter_values[COUNTERS];

static inline void count_many(Counter counter, uint64_t times) {
    atomic_fetch_add_explicit(&counter_values[counter], times, memory_order_relaxed);
}

static inline void count(Counter counter) {
    count_many(counter, 1);
}

/* Add to a counter that only those write who hold some lock of their own, here the GIL: cheaper. */
static inline void count_alone(_Atomic uint64_t *value) {
    atomic_store_explicit(value, atomic_load_explicit(value, memory_order_relaxed) + 1, memory_order_relaxed);
}

/* Every counter, those included that the rings keep per thread. */
void counters_read(uint64_t values[COUNTERS]);

/* In a forked child: what was counted was the parent's. */
void counters_reset(void);

/* The counters as a JSON object. Returns its length; `room` of COUNTERS * 48 is enough. */
int counters_json(const uint64_t values[COUNTERS], char *text, int room);

#endif
