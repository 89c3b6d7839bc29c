/* Frames beside those of spans: `outbox` holds metrics, logs and counts on their way to the sender, `inbox`
   what the agent said and nobody has read yet, but for its commands: they are in `command_inbox`. No Python
   in here; any thread. Bounded: of what is more than MAX_QUEUED_BYTES the oldest is dropped, and counted. */
#ifndef SONDE_FRAME_QUEUE_H
#define SONDE_FRAME_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAX_QUEUED_BYTES = 4 << 20 };

typedef struct Frame {
    struct Frame *next;
    size_t size;
    uint8_t kind;
    uint8_t bytes[];
} Frame;

typedef struct FrameQueue FrameQueue;

extern FrameQueue outbox, inbox, command_inbox;

/* Copy a frame's payload behind the others. */
void queue_add(FrameQueue *queue, uint8_t kind, const void *bytes, size_t size);

bool queue_waits(FrameQueue *queue);

/* Take the oldest; it is the caller's, to be freed or given back. NULL: there is none. */
Frame *queue_take(FrameQueue *queue);

/* Put one back in front: it could not be sent. */
void queue_return(FrameQueue *queue, Frame *frame);

/* Drop what is in it. */
void queue_clear(FrameQueue *queue);

/* Around fork(). In the child, what waits is the parent's. */
void queues_before_fork(void);
void queues_after_fork_in_parent(void);
void queues_after_fork_in_child(void);

#endif
