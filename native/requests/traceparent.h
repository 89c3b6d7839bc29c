/* The W3C traceparent header. Source: https://www.w3.org/TR/trace-context/#traceparent-header. The twin is
   src/sonde/wire/traceparent.py. */
#ifndef SONDE_TRACEPARENT_H
#define SONDE_TRACEPARENT_H

#include "../python/compat.h"

#include <stdbool.h>

#include "../spans/ids.h"

typedef struct {
    uint8_t trace_id[TRACE_ID_BYTES];
    uint8_t span_id[SPAN_ID_BYTES];
    uint8_t flags;
} TraceParent;

/* False: the header breaks a rule, or is no text. GIL: held. Errors: none. */
bool traceparent_parse(PyObject *header, TraceParent *parsed);

/* The header for a callee. New reference, or NULL with an exception set. */
PyObject *traceparent_text(const uint8_t trace_id[TRACE_ID_BYTES], const uint8_t span_id[SPAN_ID_BYTES],
                           uint8_t flags);

#endif
