/* Before 3.12, where calls of C need not be heard of: Python's frames as they are evaluated (PEP 523), at a
   third of the profile hook's cost. While it is on, a Python function that calls another takes room on the C
   stack, as it did before 3.11. */
#ifndef SONDE_CALLS_EVENTS_EVALUATION_H
#define SONDE_CALLS_EVENTS_EVALUATION_H

#include "../../python/compat.h"

#if PY_VERSION_HEX < 0x030C0000

#include <stdbool.h>

/* Whether nobody else evaluates frames, so that we may. GIL: held. */
bool evaluation_is_free(void);

/* Hear of the frames of all threads. The tables have to be there. GIL: held. */
void evaluation_on(void);

/* No longer; what is open then is left in peace. Nothing where it is not on. GIL: held. */
void evaluation_off(void);

#endif

#endif
