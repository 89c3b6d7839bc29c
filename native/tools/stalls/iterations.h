/* uvloop: its callbacks are C, so what is timed is an iteration: from the end of one wait for the network to
   the begin of the next, by the slot that its libuv calls epoll_pwait() through. */
#ifndef SONDE_STALLS_ITERATIONS_H
#define SONDE_STALLS_ITERATIONS_H

#include <stdbool.h>

/* Fill the slot of every uvloop that is loaded. Returns how many are filled. */
unsigned iterations_on(void);

void iterations_off(void);

#endif
