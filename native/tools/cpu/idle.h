/* Stacks that wait for work: an event loop in its selector, a worker at its queue. They are no part of what a
   program waits for while it serves somebody. */
#ifndef SONDE_CPU_IDLE_H
#define SONDE_CPU_IDLE_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the stack that ends in this node of the tree is one of those. */
bool idle_is(int32_t node);

#endif
