/* Does this build write what it should, on this machine, under this interpreter? */
#ifndef SONDE_SELFTEST_H
#define SONDE_SELFTEST_H

#include "../python/compat.h"

/* self_test() of the module: the record of a span with known ids, times and attributes, written around the
   end of a ring of its own. choice.py knows what it has to be. New reference, or NULL with an exception set.
 */
PyObject *self_test(PyObject *module, PyObject *nothing);

#endif
