/* When a thread is gone for everybody who counts threads: Python 3.12 does, and warns of forking with them.
   No Python in here. */
#ifndef SONDE_THREAD_END_H
#define SONDE_THREAD_END_H

#include <stdint.h>
#include <sys/types.h>

/* Wait for the end of a thread of this process that has been joined: the kernel says so a little before it
   stops counting it. Not after `until_ns`. */
void thread_end_wait(pid_t thread, uint64_t until_ns);

#endif
