/* Counts of spans that were not sampled: exact numbers, and durations in buckets. Read and emptied through
   Python each few seconds, see tallies.py.

   GIL: it guards all of it. Errors: none; without memory for another tally, or beyond MAX_TALLIES, a span is
   counted in its kind's overflow, under the name `(other)`. */
#ifndef SONDE_TALLY_H
#define SONDE_TALLY_H

#include "../python/compat.h"

#include <stdbool.h>

#include "operation.h"

enum { MAX_TALLIES = 1024, TALLY_BUCKETS = 640 };

/* What is known of an ended span when only its count is kept. */
typedef struct {
    Operation *operation; /* borrowed */
    PyObject *name;       /* NULL: the operation's; borrowed */
    uint64_t start_unix_ns, duration_ns;
    uint16_t status_code; /* of an HTTP answer; 0: none */
    bool failed, is_root;
} Ended;

void tally(const Ended *ended);

/* take_tallies() of the module, see twin/tally.py. New reference, or NULL with an exception set. */
PyObject *tally_take(PyObject *module, PyObject *nothing);

/* Whether there is something to take. */
bool tally_waits(void);

/* In a forked child: what was counted is the parent's. */
void tally_after_fork_in_child(void);

#endif
