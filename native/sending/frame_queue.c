#include "frame_queue.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../core/counters.h"

struct FrameQueue {
    pthread_mutex_t mutex;
    Frame *first, *last;
    size_t total;
    _Atomic bool waits;
};

FrameQueue outbox = {.mutex = PTHREAD_MUTEX_INITIALIZER}, inbox = {.mutex = PTHREAD_MUTEX_INITIALIZER},
           command_inbox = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* With the mutex held. */
static Frame *taken(FrameQueue *queue) {
    Frame *frame = queue->first;
    if (!frame)
        return NULL;
    queue->first = frame->next;
    if (!queue->first)
        queue->last = NULL;
    queue->total -= frame->size;
    atomic_store(&queue->waits, queue->first != NULL);
    frame->next = NULL;
    return frame;
}

void queue_add(FrameQueue *queue, uint8_t kind, const void *bytes, size_t size) {
    Frame *frame = size <= MAX_QUEUED_BYTES ? malloc(sizeof *frame + size) : NULL;
    if (!frame) {
        count(COUNT_dropped_frames);
        return;
    }
    *frame = (Frame){.size = size, .kind = kind};
    memcpy(frame->bytes, bytes, size);
    pthread_mutex_lock(&queue->mutex);
    while (queue->total + size > MAX_QUEUED_BYTES) {
        free(taken(queue));
        count(COUNT_dropped_frames);
    }
    if (queue->last)
        queue->last->next = frame;
    else
        queue->first = frame;
    queue->last = frame;
    queue->total += size;
    atomic_store(&queue->waits, true);
    pthread_mutex_unlock(&queue->mutex);
}

bool queue_waits(FrameQueue *queue) {
    return atomic_load(&queue->waits);
}

Frame *queue_take(FrameQueue *queue) {
    pthread_mutex_lock(&queue->mutex);
    Frame *frame = taken(queue);
    pthread_mutex_unlock(&queue->mutex);
    return frame;
}

void queue_return(FrameQueue *queue, Frame *frame) {
    pthread_mutex_lock(&queue->mutex);
    frame->next = queue->first;
    queue->first = frame;
    if (!queue->last)
        queue->last = frame;
    queue->total += frame->size;
    atomic_store(&queue->waits, true);
    pthread_mutex_unlock(&queue->mutex);
}

void queue_clear(FrameQueue *queue) {
    Frame *frame;
    while ((frame = queue_take(queue)))
        free(frame);
}

enum { QUEUES = 3 };
static FrameQueue *const queues[QUEUES] = {&outbox, &inbox, &command_inbox};

void queues_before_fork(void) {
    for (int at = 0; at < QUEUES; at++)
        pthread_mutex_lock(&queues[at]->mutex);
}

void queues_after_fork_in_parent(void) {
    for (int at = QUEUES; at-- > 0;)
        pthread_mutex_unlock(&queues[at]->mutex);
}

void queues_after_fork_in_child(void) {
    for (int at = QUEUES; at-- > 0;) {
        queues[at]->first = queues[at]->last = NULL; /* given up: nothing may be freed here */
        queues[at]->total = 0;
        atomic_store(&queues[at]->waits, false);
        pthread_mutex_unlock(&queues[at]->mutex);
    }
}
