/* A thread that looks at the stacks of all others so many times a second, without the GIL.

   One run at a time in a process. Starting and ending is for one thread at a time; the counters may be read
   by any. */
#ifndef SONDE_CPU_SAMPLER_H
#define SONDE_CPU_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { MAX_THREADS = 4096, MAX_DEPTH = 4096, MAX_CHOSEN = 4096, ENDPOINT_ROOM = 160 };

typedef struct {
    uint32_t hz;        /* 1 … 1000 */
    uint32_t max_nodes; /* of the tree */
    bool wall;          /* every thread counts for the time that has passed; else for the CPU it has used */
    bool keep_idle;     /* with `wall`: stacks that wait for work as well */
    bool by_thread;     /* a root of its own for each thread */
    bool has_trace;
    uint8_t trace_id[16];         /* only threads that are in a span of this trace */
    char endpoint[ENDPOINT_ROOM]; /* only those that are in a request of that name; `*` stands for anything;
                                     empty: all */
} SamplerOptions;

typedef struct {
    uint64_t rounds; /* looks at all threads */
    uint64_t missed; /* rounds that were due and did not happen: the machine was busy, or a round took long */
    uint64_t samples;        /* stacks that count */
    uint64_t idle;           /* stacks that waited for work, and were left out */
    uint64_t elsewhere;      /* left out by endpoint or trace */
    uint64_t torn;           /* moved while they were read, three times in a row */
    uint64_t dropped;        /* found no room */
    uint64_t cut;            /* deeper than MAX_DEPTH: the outermost frames are missing */
    uint64_t weight;         /* of all samples, in ns */
    uint64_t dropped_weight; /* of those dropped and torn */
    uint64_t unseen;         /* CPU of threads that were never seen at work after it; known at the end */
    uint64_t own_cpu_ns;
} SamplerCounts;

typedef struct {
    pid_t tid;
    uint64_t thread_id;
    uint64_t cpu_ns; /* used while it was watched */
    uint64_t weight;
    uint32_t samples, idle;
    uint32_t looks, gil; /* looks at it while it lived; of those it held the GIL */
} SamplerThread;

/* Take the memory and start the thread. 0, or an errno (EBUSY: one runs, or its result was not given back).
 */
int sampler_start(const SamplerOptions *options);

/* Only these threads, and never those; `chosen` < 0: all. Takes effect with the next round. */
void sampler_choose(const pid_t *tids, int chosen, const pid_t *never, int excluded);

/* End the thread; what it saw stays until sampler_close(). Waits for a round: call it without the GIL. */
void sampler_stop(void);
void sampler_close(void);

bool sampler_runs(void);
SamplerCounts sampler_counts(void);

/* After sampler_stop(). */
int sampler_threads(const SamplerThread **out);

/* In a child: the thread is the parent's; nothing is left on. */
void sampler_after_fork(void);

#endif
