/* Operation and name of an entry: what plugins made of the like before, found without a tuple or a hash. GIL:
   held. */
#ifndef SONDE_ENTRY_NAMES_H
#define SONDE_ENTRY_NAMES_H

#include "../spans/operation.h"

/* Method, scheme, host, port, protocol. */
enum { SERVED_METHOD, SERVED_PARTS = 5 };

/* New reference, or NULL with an exception set. */
Operation *entry_operation(PyObject *const served[SERVED_PARTS]);

/* METHOD route. New reference, or NULL with an exception set. */
PyObject *entry_name(PyObject *method, PyObject *route);

/* The plugins' tables are others now. */
void entry_names_forget(void);

#endif
