/* A picture of this process's memory, and a process of its own that looks at it.

   The kernel makes the copy (as by fork, page by page as somebody writes), while the caller has the GIL: so
   all objects are as they are at one moment, nobody waits for longer than that takes, no object is kept alive
   by being looked at, and whatever goes wrong while looking ends the looking process alone. That one shares
   the table of descriptors, so it holds no connection open; ends without a signal to us and is seen by no
   wait() of the application's; runs no handler of fork's; and is the first to go where memory runs out. */
#ifndef SONDE_HEAP_IMAGE_H
#define SONDE_HEAP_IMAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct {
    pid_t pid, parent; /* pid 0: it has ended */
    int status;        /* as wait() has it */
    uint64_t pause_ns; /* how long the copy took, in which nobody else could run Python */
    uint64_t cpu_ns;   /* of the other process, once it has ended */
} Image;

/* Take it; `look` runs in the other process, and must neither allocate by malloc nor take a lock. GIL: held.
   Returns 0, or -1 with errno set. */
int image_take(Image *image, void (*look)(void *), void *arg);

/* Whether the other process has ended. Waits for nobody. */
bool image_ended(Image *image);

/* End it now. */
void image_end(Image *image);

#endif
