/* The rings of all threads. A ring is never freed: when its thread ends, the next new thread takes it over,
   with what is not sent yet. So there are as many as threads that recorded at the same time. No Python in
   here. */
#ifndef SONDE_RINGS_H
#define SONDE_RINGS_H

#include "ring.h"

enum { MAX_RINGS = 4096 };

/* How large rings are from now on. Threads that have one of another size change it at their next span.
   Not to be called while others record. */
void rings_set_room(size_t room);

/* The calling thread's ring, its own until the thread ends. NULL, and counted: none to be had. */
Ring *rings_mine(void);

/* The first of all rings; the others follow by `next`. Any thread. */
Ring *rings_first(void);

/* Whether there is nothing to send. Any thread. */
bool rings_empty(void);

/* Give back the memory of rings that nobody owns and nothing is in. For the reader. */
void rings_park(void);

/* Around fork(). In the child no thread of the parent's is left, and what is unsent is the parent's. */
void rings_before_fork(void);
void rings_after_fork_in_parent(void);
void rings_after_fork_in_child(void);

#endif
