/* What is collected by Python every few seconds, in the sender's thread: runtime metrics, and counts of what
   was not sampled.

   Where the GIL is needed it says so; the sender's thread holds no lock while it waits for it. */
#ifndef SONDE_TICK_H
#define SONDE_TICK_H

#include "compat.h"

#include <stdbool.h>
#include <stdint.h>

/* on_tick(function or None, every_s=10) of the module: function(gil_wait_ns, whole, said) gives ((frame kind,
   payload), …). `whole`: metrics are due, every so many seconds, not only counts. `said`: frames of the
   agent's, (kind, payload). */
PyObject *tick_configure(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* ask_tick() of the module: there is something to send, within seconds. */
PyObject *tick_ask(PyObject *module, PyObject *nothing);

/* When the next one is due; UINT64_MAX: never. Any thread. */
uint64_t tick_at_ns(void);

/* From the sender's thread, without the GIL: collect if it is due. */
void tick_if_due(void);

/* GIL: held. Collect what there is: the process is about to end, or somebody wants it sent. No exception is
 * set. */
void tick_now(void);

/* GIL: held. From now on the sender's thread asks no more: the interpreter ends. */
void tick_never_again(void);

/* In a forked child. */
void tick_after_fork_in_child(void);

#endif
