/* Which request the calling thread's context is inside of, for the tools: another extension gets at the
   function by `PyCapsule_Import(REQUEST_NOW_CAPSULE, 0)`. */
#ifndef SONDE_REQUEST_NOW_H
#define SONDE_REQUEST_NOW_H

#include "../python/compat.h"

#include "ids.h"

#define REQUEST_NOW_CAPSULE "sonde.probe.core._core._request_now"

/* Its endpoint, as it is named by now (before it is routed, that is its method), and its trace id. New
   reference to a text; NULL: in no request, or in one that has ended. Sets no exception. GIL: held. */
typedef PyObject *RequestNow(uint8_t trace_id[TRACE_ID_BYTES]);

/* The capsule. New reference, or NULL with an exception set. */
PyObject *request_now_capsule(void);

#endif
