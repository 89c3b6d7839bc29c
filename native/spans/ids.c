#include "ids.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "clock.h"

/* xoshiro256++. Source: https://prng.di.unimi.it/xoshiro256plusplus.c (public domain). Unique, not secret. */
typedef struct {
    uint64_t state[4];
    uint32_t seeded_in;
} Generator;

static _Thread_local Generator generator;

static _Atomic uint32_t process = 1;

static uint64_t splitmix(uint64_t *seed) {
    uint64_t z = (*seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void seed(Generator *mine, uint32_t process_now) {
    if (getrandom(mine->state, sizeof mine->state, GRND_NONBLOCK) != sizeof mine->state) {
        /* So early at boot that the system has no entropy, or a sandbox without the call. */
        uint64_t mix = clock_monotonic_ns() ^ ((uint64_t)getpid() << 32) ^ (uintptr_t)mine;
        for (int at = 0; at < 4; at++)
            mine->state[at] = splitmix(&mix);
    }
    mine->state[0] |= 1; /* all zero would stay so */
    mine->seeded_in = process_now;
}

static uint64_t rotate(uint64_t value, int bits) {
    return (value << bits) | (value >> (64 - bits));
}

static uint64_t next(Generator *mine) {
    uint32_t process_now = atomic_load_explicit(&process, memory_order_relaxed);
    if (mine->seeded_in != process_now)
        seed(mine, process_now);
    uint64_t *s = mine->state;
    uint64_t result = rotate(s[0] + s[3], 23) + s[0];
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

static uint64_t next_but_zero(Generator *mine) {
    uint64_t value;
    do
        value = next(mine);
    while (!value);
    return value;
}

void ids_new_trace(uint8_t trace_id[TRACE_ID_BYTES]) {
    Generator *mine = &generator;
    uint64_t halves[2] = {next_but_zero(mine), next(mine)};
    memcpy(trace_id, halves, sizeof halves);
}

void ids_new_span(uint8_t span_id[SPAN_ID_BYTES]) {
    uint64_t value = next_but_zero(&generator);
    memcpy(span_id, &value, sizeof value);
}

void ids_after_fork_in_child(void) {
    atomic_fetch_add(&process, 1);
}
