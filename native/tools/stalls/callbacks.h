/* asyncio's own loops: what stands in the place of Handle._run. */
#ifndef SONDE_STALLS_CALLBACKS_H
#define SONDE_STALLS_CALLBACKS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

/* Put it in the place of `handle_type._run`, which it calls. `describe` is called with a handle that was over
   the threshold, after it has run, and gives a tuple. GIL: held. Returns 0, or -1 with an exception set. */
int callbacks_on(PyObject *handle_type, PyObject *describe);

/* Put the original back, if ours still stands there; then nothing is timed any more. GIL: held. Returns
   whether it stood there, or -1 with an exception set. */
int callbacks_off(void);

/* Times that `describe` has failed. */
unsigned long long callbacks_untold(void);

#endif
