/* Which span a thread is in, read without the GIL: the context variable that the native core keeps it in,
   looked up in the context that the thread runs in now. A task's step runs in the task's own context, so this
   is as right for asyncio as for threads. Contracts as in frames.h. */
#ifndef SONDE_TOOLS_SPANS_H
#define SONDE_TOOLS_SPANS_H

#include "frames.h"

enum { SPAN_NAME_ROOM = 160 };

typedef struct {
    uint8_t trace_id[16], span_id[8];
    char name[SPAN_NAME_ROOM];     /* of the span that is the current one */
    char endpoint[SPAN_NAME_ROOM]; /* of the request or message that it belongs to; empty: to none */
} FrameSpan;

/* Learn where the native core keeps it, and try it out; after frames_init(). Imports nothing: where the core
   has not been imported there are no spans. GIL: held. Returns whether spans can be read; sets no exception.
 */
bool frames_spans_init(void);

/* The span that the thread is in, not the one that has ended. False: none, or it moved while we looked. */
bool frames_span(const FrameThread *thread, FrameSpan *out);

#endif
