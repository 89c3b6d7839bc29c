/* Python's part of the sender's work, in a native thread that lives as long as there is some. So the sender
   never waits for the GIL; and while the interpreter is stuck, one thread waits for it and no second is made.
   No Python in here. */
#ifndef SONDE_WORK_H
#define SONDE_WORK_H

#include <stdbool.h>
#include <stdint.h>

/* From the sender's thread, with no lock held: have a thread call `work`, unless there is one already. When
   there is no more, the sender is woken. Failure is counted, and tried again at the earliest a second later.
 */
void work_begin(void (*work)(void));

/* When it can begin; UINT64_MAX: while the thread lives, only the sender's next wake will tell. Any thread.
 */
uint64_t work_possible_at_ns(void);

/* Without the GIL: wait until there is no thread. False: not within the time, or the caller is that thread.
 */
bool work_wait(uint64_t timeout_ns);

/* Around fork(). The child has no such thread, or is forked by it, and then it ends as the thread would. */
void work_before_fork(void);
void work_after_fork_in_parent(void);
void work_after_fork_in_child(void);

#endif
