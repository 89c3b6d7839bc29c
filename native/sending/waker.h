/* What the sender waits with: for others to wake it, and for the agent to say something. No Python in here.

   Two sockets, connected to each other. A program that makes itself a daemon closes every descriptor it
   finds; when that takes the one that others write to, the wait on the other one ends. A new pair is made a
   moment later, when the program is through: until then waits are short. An eventfd would be one descriptor
   less, but could neither be told from other eventfds nor notice. */
#ifndef SONDE_WAKER_H
#define SONDE_WAKER_H

#include <stdbool.h>
#include <stdint.h>

typedef enum { WAIT_OVER, WAIT_WOKEN, WAIT_HEARD } Waited;

/* See that there is a pair, where there can be one. The caller's lock guards this and waker_wake. */
void waker_prepare(void);

/* End the wait that goes on, or else the next one. */
void waker_wake(void);

/* Wait until `until_ns`, until woken, or until the descriptor `agent` (-1: none) has something to say. For
   the thread that prepared it. Without a pair, it ends early. */
Waited waker_wait(int agent, uint64_t until_ns);

/* In a forked child, under the lock: the pair is the parent's. */
void waker_after_fork_in_child(void);

#endif
