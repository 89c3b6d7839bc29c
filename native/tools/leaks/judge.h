/* What outlived its loop. GIL: held. */
#ifndef SONDE_LEAKS_JUDGE_H
#define SONDE_LEAKS_JUDGE_H

#include "stack.h"

/* `closed(number, alone)`: the loop has ended; `alone`: no other ran meanwhile. List of (site, times, bytes)
   of sites that allocated more than in the loop before, so many times in a row, five at least; just now once
   more. */
PyObject *judge_closed(PyObject *module, PyObject *args);

/* `judged(number, traced)`: what the loop allocated and what lives now belongs to its groups from now on.
   `traced`: None, or (object) -> (file, line) or None, where somebody else knows where it was made. Returns
   (survivors, events, unknown): lists of (group, site, bytes, the site that the hooks
   saw), one per block, and of (site, earlier loop, earlier site, bytes); how many blocks look like objects of
   types that are not known.
 */
PyObject *judge_judged(PyObject *module, PyObject *args);

/* `known(types)`: types that objects may be of, for versions whose interpreter does not tell. */
PyObject *judge_known(PyObject *module, PyObject *types);

/* `samples(group, most)`: list of (address, bytes, loop) of blocks of a group, the largest first. The address
   is the object's, where there is one. */
PyObject *judge_samples(PyObject *module, PyObject *args);

/* `spread(bounds)`: how what lives is spread over the time of its making: dict of group ->
   (blocks per window, bytes per window, distinct loops up to 4). `bounds`: ascending; window i is the loops
   from bounds[i] up to below bounds[i + 1]. */
PyObject *judge_spread(PyObject *module, PyObject *bounds);

/* `by_loop()`: dict of loop -> bytes that live of those that outlived it. */
PyObject *judge_by_loop(PyObject *module, PyObject *nothing);

/* `bury()`: forget objects that have died while their blocks live on. */
PyObject *judge_bury(PyObject *module, PyObject *nothing);

void judge_reset(void);

#endif
