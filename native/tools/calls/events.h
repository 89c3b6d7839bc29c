/* Where calls are heard of: sys.monitoring from 3.12 on; before, the profile hook of every thread, or the
   evaluation of frames where calls of C need not be heard of. */
#ifndef SONDE_CALLS_EVENTS_H
#define SONDE_CALLS_EVENTS_H

#include "../../python/compat.h"

#include <stdbool.h>

/* Listen. The tables have to be there. `tool`: number of sys.monitoring; -1 before 3.12. GIL: held. Returns
   0, or -1 with an exception set and nothing on. */
int events_on(int tool, bool c_functions);

/* Listen no longer, in no thread. GIL: held. Where that fails, the exception is written to sys.stderr: nobody
   could do better. */
void events_off(void);

/* Before 3.12: listen to threads that began meanwhile too, how many; to the calling one. GIL: held. */
int events_adopt(void);
void events_adopt_here(void);

/* Whether it listens to each thread apart, so that those that begin have to be adopted. GIL: held. */
bool events_by_thread(void);

/* GIL: held. Returns 0, or -1 with an exception set. */
int events_init(void);

#endif
