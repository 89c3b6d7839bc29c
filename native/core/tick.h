/* What Python does beside the application, in a thread of its own (see work.h): it collects runtime metrics
   and counts of what was not sampled every few seconds, and hears at once what the agent says. */
#ifndef SONDE_TICK_H
#define SONDE_TICK_H

#include "../python/compat.h"

#include <stdbool.h>
#include <stdint.h>

/* on_tick(function or None, every_s=10) of the module: function(gil_wait_ns, whole, said) gives ((frame kind,
   payload), …). `whole`: metrics are due, every so many seconds, not only counts. `said`: frames of the
   agent's, (kind, payload). */
PyObject *tick_configure(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* on_command(function or None) of the module: function(payload) hears the agent's commands. */
PyObject *tick_configure_commands(PyObject *module, PyObject *function);

/* ask_tick() of the module: there is something to send, within seconds. */
PyObject *tick_ask(PyObject *module, PyObject *nothing);

/* When the next one is due; UINT64_MAX: never, or one is under way. Any thread. */
uint64_t tick_at_ns(void);

/* From the sender's thread, without the GIL and with no lock held: begin what is due. */
void tick_begin_if_due(void);

/* GIL: held. Collect what there is: the process is about to end, or somebody wants it sent. No exception is
 * set. */
void tick_now(void);

/* From now on nothing is begun any more: the interpreter ends. Any thread. */
void tick_never_again(void);

/* In a forked child. */
void tick_after_fork_in_child(void);

#endif
