/* Random ids: another sequence in each thread and in each forked child, never zero. No Python in here. */
#ifndef SONDE_IDS_H
#define SONDE_IDS_H

#include <stdint.h>

enum { TRACE_ID_BYTES = 16, SPAN_ID_BYTES = 8 };

void ids_new_trace(uint8_t trace_id[TRACE_ID_BYTES]);
void ids_new_span(uint8_t span_id[SPAN_ID_BYTES]);

/* In a forked child: every thread seeds itself again before its next id. */
void ids_after_fork_in_child(void);

#endif
