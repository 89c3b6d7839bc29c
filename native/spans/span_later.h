/* Attributes of a span that is not sampled: kept as the objects they were set to, and encoded only where the
   span is written after all. Most are forgotten.

   GIL: held. Refs: what is kept is owned. Errors: none. */
#ifndef SONDE_SPAN_LATER_H
#define SONDE_SPAN_LATER_H

#include "span.h"

/* False: it has to be encoded now, as everything else that changes or may be large. What is kept has exactly
   one of Python's own types, needs no cut, and runs no code of the user's when it is let go. */
bool later_put(Span *span, PyObject *key, PyObject *value);

/* Encode what is kept, in the order it was set. */
void later_encode(Span *span);

/* Let go of it. */
void later_clear(Span *span);

/* Bytes of it, roughly. */
size_t later_size(const Span *span);

#endif
