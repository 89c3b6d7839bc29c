#include "loops.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static Loop loops[MAX_LOOPS];
static _Atomic unsigned refused;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of taking and leaving a place */
static pthread_key_t key;
static bool has_key;

_Thread_local Loop *loops_own;
static _Thread_local bool is_refused;

Loop *loops_all(void) {
    return loops;
}

unsigned loops_count(void) {
    unsigned count = 0;
    for (int at = 0; at < MAX_LOOPS; at++)
        count += atomic_load_explicit(&loops[at].tid, memory_order_relaxed) != 0;
    return count;
}

unsigned loops_refused(void) {
    return atomic_load(&refused);
}

/* At the end of its thread. */
static void leave(void *place) {
    Loop *loop = place;
    pthread_mutex_lock(&loop->lock);
    if (atomic_load(&loop->tid) == (pid_t)syscall(SYS_gettid)) {
        atomic_store(&loop->since, 0);
        atomic_store(&loop->tid, 0);
    }
    if (loop->episode)
        episode_free(loop->episode);
    loop->episode = NULL;
    pthread_mutex_unlock(&loop->lock);
}

static Loop *take(LoopKind kind, pid_t tid) {
    for (int at = 0; at < MAX_LOOPS; at++) {
        Loop *loop = &loops[at];
        if (atomic_load(&loop->tid))
            continue;
        atomic_store(&loop->since, 0);
        loop->kind = kind;
        loop->is_found = false;
        loop->gc_ns = loop->gc_since = 0;
        loop->base_depth = 0;
        atomic_store(&loop->tid, tid);
        return loop;
    }
    return NULL;
}

Loop *loops_enter(LoopKind kind) {
    if (loops_own || is_refused) {
        if (loops_own)
            loops_own->kind = kind;
        return loops_own;
    }
    pthread_mutex_lock(&lock);
    if (!has_key) {
        for (int at = 0; at < MAX_LOOPS; at++)
            pthread_mutex_init(&loops[at].lock, NULL);
        has_key = pthread_key_create(&key, leave) == 0;
    }
    loops_own = has_key ? take(kind, (pid_t)syscall(SYS_gettid)) : NULL;
    pthread_mutex_unlock(&lock);
    is_refused = !loops_own;
    if (loops_own)
        pthread_setspecific(key, loops_own);
    else
        atomic_fetch_add(&refused, 1);
    return loops_own;
}

void loops_after_fork(void) {
    pthread_mutex_init(&lock, NULL);
    for (int at = 0; at < MAX_LOOPS; at++) {
        pthread_mutex_init(&loops[at].lock, NULL);
        loops[at].episode = NULL; /* its memory is small, and may be in the midst of a change */
        atomic_store(&loops[at].since, 0);
        atomic_store(&loops[at].tid, 0);
    }
    if (has_key)
        pthread_setspecific(key, NULL);
    loops_own = NULL;
    is_refused = false;
}
