/* Which requests are looked at: all, those of one endpoint, or one trace. */
#ifndef SONDE_CALLS_MARKS_H
#define SONDE_CALLS_MARKS_H

#include "../../python/compat.h"

#include <stdbool.h>

extern bool marks_some; /* not all are */

/* Look only at requests of this endpoint (a text in which `*` stands for anything; NULL: any) and this trace
   (16 bytes; NULL: any). Both NULL: at everything. GIL: held. Returns 0, or -1 with an exception set. */
int marks_begin(PyObject *endpoint, PyObject *trace);
void marks_end(void);

/* Whether the calling thread's context is inside of such a request. GIL: held. */
bool marks_here(void);

#endif
