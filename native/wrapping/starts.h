/* Starts of `around` that need no Python where they have seen the like before: of all that the probe does in
   a request, Python functions cost most, for what they touch is no longer in the processor's caches. GIL:
   held. */
#ifndef SONDE_STARTS_H
#define SONDE_STARTS_H

#include "../spans/recent.h"

enum { RECENT_OBJECTS = 4 }; /* a program has few connection pools, and calls each of them often */

typedef struct Start {
    PyObject_HEAD
        /* As the `start` of around: New reference to an Operation, a Span or None, or NULL with an exception
           set. */
        PyObject *(*begin)(struct Start *self, PyObject *const *args, size_t count, PyObject *names);
    PyObject *path, *table, *miss;
    PyObject *known; /* of an origin: (what was looked up last, what it was); owned or NULL */
    Py_ssize_t index;
    Recent recent[RECENT_OBJECTS];
} Start;

extern PyTypeObject StartType;

/* kept(path, attribute, index, miss) of the module: the operation that the object at `path` of the first
   argument keeps, in a dict that is its `attribute`, for the argument at `index`; None there: no span. What
   is not kept, `miss` is asked for. */
PyObject *starts_kept(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* http_pool(origins, miss) and http_request(origins, miss): a request of a connection pool (method and target
   are its arguments), or given by an object. `origins[method, scheme, host, port]` is (Operation, beginning
   of the URL, host). The one begins a scope, whose headers are written further down, the other a leaf, and
   gives its headers to the request. */
PyObject *starts_http_pool(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *starts_http_request(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* http_answered(span, response): the `result` of such a request. None, or NULL with an exception set. */
PyObject *starts_http_answered(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* Returns 0, or -1 with an exception set. */
int starts_type_ready(void);

#endif
