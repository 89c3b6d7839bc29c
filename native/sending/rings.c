#include "rings.h"

#include <pthread.h>

#include "../core/counters.h"

static pthread_mutex_t attaching = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(Ring *) first;
static size_t new_room = 1 << 20;

/* What a thread knows of its ring is void when the epoch has changed: after a fork, or for another ring size.
   After a fork the ring may be somebody else's by now, so it must not even be given back. */
static _Atomic uint32_t epoch = 1;
static _Atomic uint32_t forks;
static _Thread_local struct {
    Ring *ring;
    uint32_t epoch, forks;
} mine;

static pthread_key_t thread_end;
static pthread_once_t thread_end_once = PTHREAD_ONCE_INIT;

static void detach(void) {
    if (mine.ring && mine.forks == atomic_load(&forks))
        atomic_store_explicit(&mine.ring->owned, false, memory_order_release);
    mine.ring = NULL;
}

static void at_thread_end(void *ring) {
    (void)ring;
    detach(); /* another destructor of this thread may still record: it attaches anew */
}

static void make_thread_end(void) {
    pthread_key_create(&thread_end, at_thread_end);
}

static Ring *adopt(void) {
    for (Ring *ring = rings_first(); ring; ring = ring->next) {
        if (ring->room < new_room || ring->room >= 2 * new_room)
            continue;
        if (!atomic_load_explicit(&ring->owned, memory_order_acquire)) {
            ring->parked = false;
            atomic_store_explicit(&ring->owned, true, memory_order_relaxed);
            return ring;
        }
    }
    return NULL;
}

static Ring *make(void) {
    if (atomic_load_explicit(&counter_values[COUNT_rings], memory_order_relaxed) >= MAX_RINGS)
        return NULL;
    Ring *ring = ring_new(new_room);
    if (!ring)
        return NULL;
    atomic_store_explicit(&ring->owned, true, memory_order_relaxed);
    ring->next = rings_first();
    atomic_store(&first, ring);
    count(COUNT_rings);
    return ring;
}

static Ring *attach(void) {
    pthread_once(&thread_end_once, make_thread_end);
    detach();
    mine.epoch = atomic_load(&epoch);
    mine.forks = atomic_load(&forks);
    pthread_mutex_lock(&attaching);
    Ring *ring = adopt();
    if (!ring)
        ring = make();
    pthread_mutex_unlock(&attaching);
    if (!ring) {
        count(COUNT_dropped_no_ring);
        return NULL;
    }
    mine.ring = ring;
    pthread_setspecific(thread_end, ring);
    return ring;
}

Ring *rings_mine(void) {
    if (mine.ring && mine.epoch == atomic_load_explicit(&epoch, memory_order_relaxed))
        return mine.ring;
    return attach();
}

void rings_set_room(size_t room) {
    if (room == new_room)
        return;
    new_room = room;
    atomic_fetch_add(&epoch, 1);
}

Ring *rings_first(void) {
    return atomic_load(&first);
}

bool rings_empty(void) {
    for (Ring *ring = rings_first(); ring; ring = ring->next)
        if (!ring_empty(ring))
            return false;
    return true;
}

void rings_park(void) {
    pthread_mutex_lock(&attaching);
    for (Ring *ring = rings_first(); ring; ring = ring->next)
        if (!atomic_load_explicit(&ring->owned, memory_order_acquire) && ring_empty(ring))
            ring_park(ring);
    pthread_mutex_unlock(&attaching);
}

void rings_before_fork(void) {
    pthread_mutex_lock(&attaching);
}

void rings_after_fork_in_parent(void) {
    pthread_mutex_unlock(&attaching);
}

void rings_after_fork_in_child(void) {
    uint64_t rings = 0;
    for (Ring *ring = rings_first(); ring; ring = ring->next, rings++) {
        /* By the head: a thread of the parent's may have been inside a record. */
        atomic_store(&ring->tail, atomic_load(&ring->head));
        ring->tail_seen = atomic_load(&ring->head);
        atomic_store(&ring->finished, 0);
        atomic_store(&ring->dropped_ring_full, 0);
        atomic_store(&ring->dropped_no_agent, 0);
        atomic_store(&ring->owned, false);
    }
    atomic_fetch_add(&epoch, 1);
    atomic_fetch_add(&forks, 1);
    count_many(COUNT_rings, rings); /* after counters_reset(): the child has them, too */
    pthread_mutex_unlock(&attaching);
}
