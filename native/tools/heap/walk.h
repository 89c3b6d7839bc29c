/* Every object of the image that can be reached or that the garbage collector knows, numbered by how far it
   is from a root, and who refers to whom. All memory is the kernel's (room.h). */
#ifndef SONDE_HEAP_WALK_H
#define SONDE_HEAP_WALK_H

#include "../../python/compat.h"

#include <stdbool.h>
#include <stdint.h>

/* A node's number. 0 is what all roots hang on; the roots come next, then objects. */
typedef uint32_t Node;

enum { MAX_ROOTS = 1 << 14, ROOT_NONE = 0 };

typedef enum { ROOT_MODULE, ROOT_FRAME, ROOT_NATIVE } RootKind;

typedef struct {
    RootKind kind;
    PyObject *name;          /* ROOT_MODULE: as in sys.modules */
    PyCodeObject *code;      /* ROOT_FRAME */
    PyObject *const *locals; /* ROOT_FRAME */
    uint64_t thread;         /* ROOT_FRAME: threading.get_ident() */
} Root;

typedef struct {
    Node count, room;
    PyObject **object; /* NULL: a root, or 0 */
    Node *parent;      /* the nearest to a root that refers to it */
    uint64_t *bytes;
    uint32_t *first; /* of its references in `to`; count + 1 of them */
    Node *to;
    uint32_t references, reference_room;
    Node *index; /* hash table; 0: free */
    uint32_t mask;
    Root *roots; /* [node - 1] */
    uint32_t root_count;
    uint32_t left_out;  /* objects beyond `room` were met */
    uint64_t unreached; /* objects the collector knows and no root leads to */
} Walk;

/* Bytes that a walk of so many objects takes up at most. */
size_t walk_bytes(Node objects);

/* For so many objects at most. False: no memory. */
bool walk_begin(Walk *walk, Node objects);

/* Go. `modules`: the dict sys.modules; `own`: a thread that is left out, with its frames. */
void walk_all(Walk *walk, PyObject *modules, const PyThreadState *own);

/* The node of an object; 0: it was not met. */
Node walk_find(const Walk *walk, const PyObject *object);

#endif
