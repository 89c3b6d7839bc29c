/* What becomes of spans whose trace was not sampled: they are counted, unless their request fails or is slow.
   Then it is kept whole, so the spans of a request wait, not encoded yet, until its first one ends. Rules:
   twin/unsampled.py.

   GIL: held. Errors: none; without memory a waiting span is counted instead. */
#ifndef SONDE_UNSAMPLED_H
#define SONDE_UNSAMPLED_H

#include "span.h"

/* Whether a new trace of this id is sampled at the present rate. */
bool unsampled_decides(const uint8_t trace_id[TRACE_ID_BYTES]);

/* The span below `parent`, which is not sampled, joins those that wait with it. */
void unsampled_join(Span *span, const Span *parent);

/* A span that is not sampled has ended. Returns 0, or -1 with an exception set that is not ours to swallow.
 */
int unsampled_finished(Span *span, uint64_t end_ns);

/* The span is freed without having ended: what waits for it is counted. */
void unsampled_forget(Span *span);

#endif
