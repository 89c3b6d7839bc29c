/* All threads of this process and what they are doing, as JSON: the `threads` of sonde.stacks.v1, see
   docs/tools/stacks.md. Neither the GIL nor any lock is needed or taken: a stuck process is looked at as well
   as any other. */
#ifndef SONDE_STACKS_CAPTURE_H
#define SONDE_STACKS_CAPTURE_H

#include <sys/types.h>

#include "json.h"

typedef struct {
    int threads;    /* that there are */
    int left_out;   /* that found no room */
    int cut;        /* of which only the innermost frames found room */
    bool no_memory; /* nothing was captured */
} Captured;

/* Appends a JSON list. `never`: a thread that is left out, 0: none. `frames`: at most so many of each thread.
 */
Captured capture_threads(Json *json, pid_t never, int frames);

#endif
