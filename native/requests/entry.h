/* A request on its way through the process, from the server's call to the last byte of the answer: what
   plugins/entry.py's Entry is, for the two interfaces that most requests come by. Their Python versions,
   which say what everything means, are in plugins/wsgi.py and plugins/asgi.py; they run where the native core
   does not.

   GIL: held. Errors of ours are told to the plugins' `fault`; where that raises (debugging), the exception
   stays set. */
#ifndef SONDE_ENTRY_H
#define SONDE_ENTRY_H

#include "entry_names.h"
#include "../spans/span.h"

typedef struct {
    PyObject_HEAD Span *span; /* NULL: ended */
    Span *scope;              /* what this context has to come back from; NULL: it has */
    PyObject *method;         /* GET */
    PyObject *path;           /* for `unrouted` */
    PyObject *name;           /* METHOD route, once the framework has found it; else NULL */
    long status;              /* of the answer; 0: none yet */
    bool failed, answered, routed;
} Entry;

/* What the plugins bring: entry.py key, operations, names, failing and fault, before all else; wsgi.py and
   asgi.py theirs. */
typedef struct {
    PyObject *key;                           /* where an entry stands in an environ or scope */
    PyObject *operations;                    /* [served] -> Operation */
    PyObject *names;                         /* [method, route] -> name of the span */
    PyObject *environ_remote, *scope_remote; /* (environ or scope) -> what core.scope takes as remote */
    PyObject *failing;                       /* (span, error) -> whether it counts as a failure */
    PyObject *unrouted;                      /* (span, method, path), where no framework told the route */
    PyObject *ignored;                       /* (path) -> whether its requests are left out; NULL: none are */
    PyObject *fault;                         /* (place) */
    PyObject *followed;                      /* (body, entry, environ) -> the body that the server gets */
    PyObject *began, *ended;                 /* (entry), for watchers; NULL: nobody watches */
    PyObject *watched;                       /* (entry, receive, send) -> (receive, send) of a WebSocket */
} Plugins;

extern Plugins entry_plugins;
extern PyTypeObject EntryType;

/* entries(parts) of the module: what a plugin brings, by the names in Plugins. None, or NULL with an
 * exception set. */
PyObject *entry_configure(PyObject *module, PyObject *parts);

/* A new entry, its scope entered, put into `mapping`. New reference, or NULL with an exception set. `remote`:
 * NULL for none. */
Entry *entry_new(PyObject *mapping, PyObject *const served[SERVED_PARTS], PyObject *path, PyObject *remote);

/* Stands before the server's start_response or send: the entry looks at the arguments, then they go on.
   `place` is where it fails. New reference, or NULL with an exception set. */
typedef void (*EntryLooks)(Entry *entry, PyObject *const *args, Py_ssize_t count);
PyObject *entry_before(Entry *entry, PyObject *next, EntryLooks looks, const char *place);

/* The entry that stands in a mapping has not ended: somebody further out serves this request. */
bool entry_is_known(PyObject *mapping);

/* Tell an entry, native or not, its route. Returns 0, or -1 with an exception set. */
int entry_routed(PyObject *entry, PyObject *route);

/* Mark it failed by the exception that is set, which stays set. */
void entry_raised(Entry *entry);

/* The answer is out: record the span. The context still is in it. Returns 0, or -1 with an exception set. */
int entry_end(Entry *entry);

/* Record the span if that has not happened, and leave its context. An exception that is set stays set.
   Returns 0, or -1 with an exception set that was not. */
int entry_finish(Entry *entry);

/* Our own exception is set: tell `fault`. Returns 0, or -1 with an exception set. */
int entry_fault(const char *place);

/* GIL: held. Returns 0, or -1 with an exception set. */
int entry_types_ready(void);

#endif
