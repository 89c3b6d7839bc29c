/* SIGTERM in a process that has said nothing about it: what is recorded is sent before the signal ends the
   process, as it would have at once. A handler of the program's own stays, whether it was there before or
   comes later; so does a signal that is ignored or blocked. Python's `signal.getsignal` does not see ours,
   and a program that is executed does not inherit it. No Python in here. */
#ifndef SONDE_TERMINATION_H
#define SONDE_TERMINATION_H

#include <stdbool.h>
#include <stdint.h>

/* How long the end is put off at most; 0: not at all, there is no handler then. */
void termination_within(uint64_t ns);

/* From before the sender's thread runs to its end. */
void termination_watch(void);
void termination_unwatch(void);

/* Whether the signal has come and waits for the sender; and whether it has waited for too long. */
bool termination_is_due(void);
bool termination_is_overdue(void);

/* What would have happened without us. Returns in a process that the system does not end by it: the first one
   of a container. */
void termination_go_on(void);

#endif
