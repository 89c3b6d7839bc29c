#include "stacks.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

bool ticks_of_processor;
uint64_t stacks_current_id;
Stack *stacks_current;
uint64_t stacks_beyond, stacks_aside;

static uint64_t run;
static Stack nobody = {.excluded = true}; /* for a thread without memory for one */
static Stack *all;
static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER; /* of `all` and the `next` in it */
static pthread_key_t key;
static bool has_key;

/* -- coroutines that wait -- */

enum { WAIT_SLOTS = 1 << 14, WAIT_PROBES = 8 };

typedef struct {
    Activation frame;
    uint64_t since;
    uint32_t function;
} Wait;

static Wait *waiting;

static Wait *wait_at(Activation frame, unsigned probe) {
    uint32_t place = (uint32_t)((uint64_t)(frame >> 4) * 0x9E3779B97F4A7C15ull >> 40);
    return &waiting[(place + probe) & (WAIT_SLOTS - 1)];
}

/* One that ends while it waits leaves its place behind: without a free one, the oldest goes. */
void stacks_waits(Activation frame, uint32_t function) {
    Wait *chosen = wait_at(frame, 0);
    for (unsigned probe = 0; probe < WAIT_PROBES; probe++) {
        Wait *wait = wait_at(frame, probe);
        if (wait->frame == frame || !wait->frame) {
            chosen = wait;
            break;
        }
        if (wait->since < chosen->since)
            chosen = wait;
    }
    *chosen = (Wait){frame, ticks_now(), function};
}

void stacks_goes_on(Activation frame) {
    for (unsigned probe = 0; probe < WAIT_PROBES; probe++) {
        Wait *wait = wait_at(frame, probe);
        if (wait->frame != frame)
            continue;
        graph.functions[wait->function].waiting += ticks_between(wait->since, ticks_now());
        *wait = (Wait){0};
        return;
    }
}

/* -- threads -- */

static void empty(Stack *stack) {
    free(stack->calls);
    free(stack->active);
    Stack *next = stack->next;
    *stack = (Stack){.next = next, .floor = stack->floor};
}

/* A thread ends. It has no interpreter any more. */
static void thread_ends(void *given) {
    Stack *stack = given;
    pthread_mutex_lock(&all_lock);
    for (Stack **at = &all; *at; at = &(*at)->next) {
        if (*at == stack) {
            *at = stack->next;
            empty(stack);
            free(stack);
            break;
        }
    }
    pthread_mutex_unlock(&all_lock);
}

static Stack *mine(void) {
    Stack *stack = pthread_getspecific(key);
    if (stack)
        return stack;
    stack = calloc(1, sizeof *stack);
    if (!stack || pthread_setspecific(key, stack) != 0) {
        free(stack);
        return NULL;
    }
    pthread_mutex_lock(&all_lock);
    stack->next = all;
    all = stack;
    pthread_mutex_unlock(&all_lock);
    return stack;
}

uintptr_t stack_find_floor(Stack *stack) {
    if (stack == &nobody)
        return UINTPTR_MAX; /* it is of many threads */
    pthread_attr_t attributes;
    void *lowest = NULL;
    size_t size = 0;
    stack->floor = UINTPTR_MAX;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        if (pthread_attr_getstack(&attributes, &lowest, &size) == 0)
            stack->floor = (uintptr_t)lowest + size / 2;
        pthread_attr_destroy(&attributes);
    }
    return stack->floor;
}

bool stack_grow(Stack *stack) {
    uint32_t room = stack->room ? stack->room * 2 : 64;
    if (room > MAX_DEPTH)
        return false;
    OpenCall *calls = realloc(stack->calls, room * sizeof *calls);
    if (!calls)
        return false;
    stack->calls = calls;
    stack->room = room;
    return true;
}

bool stack_grow_active(Stack *stack, uint32_t function) {
    uint32_t room = stack->active_room ? stack->active_room : 256;
    while (room <= function)
        room *= 2;
    uint32_t *active = realloc(stack->active, room * sizeof *active);
    if (!active)
        return false;
    memset(active + stack->active_room, 0, (room - stack->active_room) * sizeof *active);
    stack->active = active;
    stack->active_room = room;
    return true;
}

static Stack *prepared(void) {
    Stack *stack = mine();
    if (!stack)
        return &nobody;
    if (stack->run != run) {
        empty(stack);
        stack->run = run;
        if (!stack_grow(stack))
            stack->excluded = true;
        else
            stack->calls[0] = (OpenCall){graph_outside(), 0, 0, 0};
    }
    return stack;
}

Stack *stacks_find(uint64_t id) {
    stacks_current = prepared();
    stacks_current_id = id;
    return stacks_current;
}

void stack_leave_deeper(Stack *stack, Activation activation, uint64_t now) {
    uint32_t at = stack->depth;
    while (at && stack->calls[at].activation != activation)
        at--;
    while (at && stack->depth >= at)
        stack_close_innermost(stack, now);
}

/* -- a run -- */

int stacks_begin(void) {
    if (!has_key && pthread_key_create(&key, thread_ends) != 0) {
        PyErr_SetString(PyExc_OSError, "this process has no room for another thread-specific key");
        return -1;
    }
    has_key = true;
    waiting = calloc(WAIT_SLOTS, sizeof *waiting);
    if (!waiting) {
        PyErr_NoMemory();
        return -1;
    }
    run++;
    stacks_current_id = stacks_beyond = stacks_aside = 0;
    prepared()->excluded = true;
    return 0;
}

void stacks_close_all(void) {
    uint64_t now = ticks_now();
    pthread_mutex_lock(&all_lock);
    for (Stack *stack = all; stack; stack = stack->next)
        while (stack->run == run && stack->depth)
            stack_close_innermost(stack, now);
    pthread_mutex_unlock(&all_lock);
}

void stacks_end(void) {
    run++;
    stacks_current_id = 0;
    pthread_mutex_lock(&all_lock);
    for (Stack *stack = all; stack; stack = stack->next)
        empty(stack);
    pthread_mutex_unlock(&all_lock);
    free(waiting);
    waiting = NULL;
}

void stacks_after_fork(void) {
    pthread_mutex_init(&all_lock, NULL); /* a thread of the parent's may have held it */
    Stack *own = has_key ? pthread_getspecific(key) : NULL;
    while (all) {
        Stack *next = all->next;
        if (all != own) {
            empty(all);
            free(all);
        }
        all = next;
    }
    if (own) {
        own->next = NULL;
        all = own;
    }
    stacks_end();
}
