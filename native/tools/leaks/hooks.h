/* The interpreter's allocators, watched: what a marked loop allocates and what becomes of it. Nothing else
   changes: no header is added, so the hooks can be set late and taken away at any time. GIL: held. */
#ifndef SONDE_LEAKS_HOOKS_H
#define SONDE_LEAKS_HOOKS_H

#include "blocks.h"
#include "stack.h"

/* Something happened in a loop to memory of an earlier one, which was judged already: it was freed (bytes
   below 0), or grew. */
typedef struct {
    uint32_t loop, site, earlier_loop, earlier_site;
    int64_t bytes;
} Event;

enum { MAX_EVENTS = 1 << 16, MAX_TOUCHED = 1 << 14 };

extern struct Hooks {
    Blocks young; /* of loops that are not judged */
    Blocks old;   /* what outlived its loop */
    bool on, exact;
    Event *events;
    uint32_t event_count;
    uint64_t events_lost, tracked;
    /* Sites that allocated in `touched_loop`; for as long as one loop runs at a time. */
    uint32_t touched[MAX_TOUCHED], touched_count, touched_loop;
} hooks;

/* Set the hooks. `most`: blocks that are kept in mind, of young and old each. `exact`: ask the interpreter
   for each object that is made (3.13 and later, as long as nobody else does). Returns 0, or -1 with an
   exception set. */
int hooks_set(size_t most, bool exact);

/* Take them away. Where somebody else has set theirs above ours since, ours stay and do nothing; returns
   false then. */
bool hooks_remove(void);

/* The interpreter tells us of each object, and it is still us whom it tells. */
bool hooks_exact(void);

/* Of an object, bytes before it in its block. */
size_t hooks_header(const PyTypeObject *type);

#endif
