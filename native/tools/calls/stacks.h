/* What each thread is in the middle of: its open calls, timed. The GIL guards it all but the list of threads,
   since a thread leaves that when it has no interpreter any more. */
#ifndef SONDE_CALLS_STACKS_H
#define SONDE_CALLS_STACKS_H

#include "../../python/compat.h"

#include <stdbool.h>
#include <stdint.h>

#include "graph.h"
#include "ticks.h"

enum { MAX_DEPTH = 1 << 16 };

/* Which activation an event belongs to: the address of its frame. Calls of C have none, and take that of the
   caller, marked. */
typedef uintptr_t Activation;
#define OF_C(frame) ((Activation)(frame) | 1)

typedef struct {
    Edge *edge;
    Activation activation;
    uint64_t since, inside; /* ticks; inside: of what it called */
} OpenCall;

typedef struct Stack {
    struct Stack *next; /* in the list */
    uint64_t run;       /* which run the rest is of */
    OpenCall *calls;    /* [0] stands for whatever is outside */
    uint32_t *active;   /* [function]: how often it is among the calls */
    uint32_t depth, room, active_room;
    uint32_t beyond; /* open calls deeper than MAX_DEPTH, only counted */
    bool excluded;
    uintptr_t floor; /* below it, less than half of the thread's C stack is left; 0: not looked at yet */
} Stack;

/* Of the calling thread, whose `stack` is. GIL: held. */
uintptr_t stack_find_floor(Stack *stack);

static inline uintptr_t stack_floor(Stack *stack) {
    return stack->floor ? stack->floor : stack_find_floor(stack);
}

/* Nothing open in any thread; `excluded`: the calling thread is not looked at. Returns 0, or -1 with an
   exception set. */
int stacks_begin(void);

/* Close what is open now, as if it returned. */
void stacks_close_all(void);

/* Forget everything. */
void stacks_end(void);

/* In a child: the other threads do not exist. */
void stacks_after_fork(void);

/* The last one asked for, and the id of its thread state: ids are never used again. */
extern uint64_t stacks_current_id;
extern Stack *stacks_current;

extern uint64_t stacks_beyond; /* calls of this run that were too deep */
extern uint64_t stacks_aside;  /* times that nothing was heard, since the C stack was half full */

Stack *stacks_find(uint64_t id);

/* Of the calling thread, which has the GIL. */
static inline Stack *stack_of(const PyThreadState *state) {
    return state->id == stacks_current_id ? stacks_current : stacks_find(state->id);
}

/* A coroutine yields, or goes on, in whatever thread. */
void stacks_waits(Activation frame, uint32_t function);
void stacks_goes_on(Activation frame);

bool stack_grow(Stack *stack);
bool stack_grow_active(Stack *stack, uint32_t function);

static inline void stack_goes_beyond(Stack *stack) {
    stack->beyond++;
    stacks_beyond++;
}

/* A call begins (`calls` 1), or what had yielded goes on (0). */
static inline void stack_enter(Stack *stack, Activation activation, const void *key, PyObject *callable,
                               uint32_t calls) {
    graph.events++;
    if (stack->beyond || (stack->depth + 1 >= stack->room && !stack_grow(stack))) {
        stack_goes_beyond(stack);
        return;
    }
    Edge *edge = graph_edge(stack->calls[stack->depth].edge, key, callable);
    if (edge->callee >= stack->active_room && !stack_grow_active(stack, edge->callee)) {
        stack_goes_beyond(stack);
        return;
    }
    edge->calls += calls;
    stack->active[edge->callee]++;
    stack->calls[++stack->depth] = (OpenCall){edge, activation, ticks_now(), 0};
}

static inline void stack_close_innermost(Stack *stack, uint64_t now) {
    OpenCall *call = &stack->calls[stack->depth];
    Edge *edge = call->edge;
    uint64_t took = ticks_between(call->since, now);
    edge->exclusive += ticks_between(call->inside, took);
    if (--stack->active[edge->callee] == 0)
        edge->inclusive += took;
    stack->calls[--stack->depth].inside += took;
}

/* The innermost call is a coroutine, and is about to yield. */
static inline void stack_waits(const Stack *stack, Activation frame) {
    const OpenCall *call = &stack->calls[stack->depth];
    if (!stack->beyond && call->activation == frame)
        stacks_waits(frame, call->edge->callee);
}

void stack_leave_deeper(Stack *stack, Activation activation, uint64_t now);

/* It ends: returns, yields or is unwound. One that was not seen to begin is no concern. */
static inline void stack_leave(Stack *stack, Activation activation) {
    uint64_t now = ticks_now();
    if (stack->beyond)
        stack->beyond--;
    else if (stack->calls[stack->depth].activation == activation)
        stack_close_innermost(stack, now);
    else
        stack_leave_deeper(stack, activation, now);
}

#endif
