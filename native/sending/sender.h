/* Takes finished spans out of the rings and to the agent, and hears what the agent says, in a native thread
   that never takes the GIL. What it does when is said in twin/sender.py. No Python in here; every function
   may be called with or without the GIL, and those that wait should be called without. */
#ifndef SONDE_SENDER_H
#define SONDE_SENDER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Whoever finishes a span while this is true has to call sender_start() or sender_wake(). */
extern _Atomic bool sender_asleep;

/* What to begin from time to time in the thread, with no lock held, and when. NULL: nothing. */
typedef uint64_t (*SenderTick)(void);
extern SenderTick sender_tick_at_ns;
extern void (*sender_tick)(void);

/* Get ready to send to the target that was set; starts nothing. The thread must not be running. */
void sender_prepare(uint32_t flush_interval_ms);

/* Whether this process has the thread. */
bool sender_is_running(void);

/* Start the thread if it is not running. Failure is counted, and tried again at the earliest a second later.
 */
void sender_start(void);

/* End the sleep of a running sender; if `urgent`, its pause between two looks as well. */
void sender_wake(bool urgent);

/* A ring fills up. */
void sender_hurry(void);

/* Send what is in the rings. True: all of it went. False: not within the time, or no agent answers, which is
   known early. `last`: the process is ending, the counters are sent as well. */
bool sender_flush(uint64_t timeout_ns, bool last);

/* Send what is in the rings, within the time, and end the thread. */
void sender_stop(uint64_t timeout_ns);

/* Before a fork: send what is in the rings and end the thread, but keep the connection. Where it is not done
   in time, the thread goes on: within `slow_ns` where the agent does not read, else within `busy_ns`, on a
   machine that is. */
void sender_park(uint64_t slow_ns, uint64_t busy_ns);

/* In the parent, after it: start the thread again, if it was parked. */
void sender_resume(void);

/* Around fork(). The child has no sender thread; its first finished span starts one. `by_thread`: another
   than the parent's first one forked. */
void sender_before_fork(void);
void sender_after_fork_in_parent(void);
void sender_after_fork_in_child(bool by_thread);

#endif
