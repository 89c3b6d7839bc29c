/* Which span is the current one: per thread, per task, per copied context. The rules and their reasons are in
   twin/context.py.

   GIL: held by every caller. Errors: none is set; where the context cannot be changed for want of memory, a
   scope behaves like a leaf. */
#ifndef SONDE_CONTEXT_H
#define SONDE_CONTEXT_H

#include "span.h"

/* Make the context variable. Returns 0, or -1 with an exception set. */
int context_init(void);

/* The context variable itself, for those who keep two notions of the current span together. Borrowed. */
PyObject *context_variable(void);

/* The innermost scope of this context; it may have ended. New reference, or NULL: none. */
Span *context_current(void);

/* Make `span` current until it ends. */
void context_enter(Span *span);

/* `span` has ended: go back to what was current before it, if this context is in it. */
void context_leave(Span *span);

#endif
