/* The answer to a command for stacks where Python does not give it: the process is stuck. Python has GRACE_MS
   to say that it will; after that the document is made without it, by a thread that lives only for that. */
#ifndef SONDE_STACKS_ANSWER_H
#define SONDE_STACKS_ANSWER_H

#include <stdbool.h>

#include "../../sending/commands.h"

enum { GRACE_MS = 1500, MAX_ANSWER_BYTES = 64 << 10 };

/* Listen to the sender's commands from now on, and say of this process what does not change: texts, copied.
   Returns 0, or an errno. */
int answer_listen(const Commands *commands, const char *python);

/* Python is about to answer this run. False: it was answered already. Any thread. */
bool answer_claim(const char *run);

/* How many were answered here so far. */
unsigned answer_count(void);

#endif
