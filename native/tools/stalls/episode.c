#include "episode.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "../watch/ticks.h"

enum { MAX_SPARE = 8 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the spare ones; held for a moment */
static Episode *spare;
static int spare_count;

Episode *episode_new(void) {
    pthread_mutex_lock(&lock);
    Episode *found = spare;
    if (found) {
        spare = found->next;
        spare_count--;
    }
    pthread_mutex_unlock(&lock);
    if (!found) {
        found = mmap(NULL, sizeof *found, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (found == MAP_FAILED)
            return NULL;
    }
    found->next = NULL;
    found->said = NULL;
    found->places = (Places){found->place_room, found->text_room, EPISODE_PLACES, EPISODE_TEXT};
    episode_begin(found, 0, 0, 0);
    return found;
}

void episode_free(Episode *episode) {
    pthread_mutex_lock(&lock);
    bool kept = spare_count < MAX_SPARE;
    if (kept) {
        episode->next = spare;
        spare = episode;
        spare_count++;
    }
    pthread_mutex_unlock(&lock);
    if (!kept)
        munmap(episode, sizeof *episode);
}

void episode_after_fork(void) {
    pthread_mutex_init(&lock, NULL);
}

void episode_begin(Episode *episode, uint64_t since, pid_t tid, int kind) {
    episode->since = episode->last = since;
    episode->ended = episode->ended_unix_ns = episode->gc_ns = episode->torn = 0;
    episode->looks = 0;
    episode->tid = tid;
    episode->kind = (uint8_t)kind;
    episode->has_span = false;
    episode->base_depth = 0;
    episode->last_held = -1;
    episode->held_count = 0;
    places_clear(&episode->places);
}

/* -- looks -- */

static bool is_same(const Held *one, const Held *other) {
    return one->cause == other->cause && one->call == other->call && one->holder == other->holder &&
           one->depth == other->depth && one->holder_depth == other->holder_depth &&
           !memcmp(one->places, other->places, one->depth * sizeof *one->places) &&
           !memcmp(one->holder_places, other->holder_places, one->holder_depth * sizeof *one->holder_places);
}

static int find(const Episode *episode, const Held *wanted) {
    for (uint32_t at = episode->held_count; at-- > 0;)
        if (is_same(&episode->held[at], wanted))
            return (int)at;
    return -1;
}

/* All are taken: the one that stood for the shortest time gives its place up, and its time is counted as
 * torn. */
static int make_room(Episode *episode) {
    if (episode->held_count < MAX_HELD)
        return (int)episode->held_count++;
    int least = 0;
    for (int at = 1; at < MAX_HELD; at++)
        if (episode->held[at].weight < episode->held[least].weight)
            least = at;
    episode->torn += episode->held[least].weight;
    return least;
}

void episode_add(Episode *episode, uint64_t now, Cause cause, int call, const FrameRef *frames, int depth,
                 pid_t holder, const FrameRef *holder_frames, int holder_depth) {
    uint64_t weight = ticks_between(episode->last, now);
    episode->last = now;
    episode->looks++;
    Held held;
    held.cause = (uint8_t)cause;
    held.call = (int16_t)call;
    held.holder = holder;
    held.depth = (uint16_t)places_stack(&episode->places, frames, depth < HELD_DEPTH ? depth : HELD_DEPTH,
                                        held.places);
    held.holder_depth =
        (uint16_t)places_stack(&episode->places, holder_frames,
                               holder_depth < HOLDER_DEPTH ? holder_depth : HOLDER_DEPTH, held.holder_places);
    if (!held.depth) {
        episode->torn += weight;
        return;
    }
    int at = find(episode, &held);
    if (at < 0) {
        at = make_room(episode);
        held.weight = 0;
        held.count = 0;
        episode->held[at] = held;
    }
    episode->held[at].weight += weight;
    episode->held[at].count++;
    episode->last_held = at;
}

void episode_end(Episode *episode, uint64_t now) {
    uint64_t rest = ticks_between(episode->last, now);
    if (episode->last_held >= 0)
        episode->held[episode->last_held].weight += rest;
    else
        episode->torn += rest;
    episode->last = now;
}

/* -- for Python -- */

static PyObject *decoded(const char *text) {
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

/* Appends a new reference, which may be NULL. Returns 0, or -1 with an exception set. */
static int append(PyObject *list, PyObject *item) {
    int result = item ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return result;
}

static PyObject *held_list(const Episode *episode) {
    PyObject *list = PyList_New(0);
    for (uint32_t at = 0; list && at < episode->held_count; at++) {
        const Held *held = &episode->held[at];
        if (append(list, Py_BuildValue("(KIiiiNN)", (unsigned long long)ticks_to_ns(held->weight),
                                       held->count, (int)held->cause, (int)held->call, (int)held->holder,
                                       places_numbers(held->places, held->depth),
                                       places_numbers(held->holder_places, held->holder_depth))) < 0)
            Py_CLEAR(list);
    }
    return list;
}

PyObject *episode_tuple(Episode *episode) {
    uint64_t until = episode->ended ? episode->ended : ticks_now();
    uint64_t until_unix_ns = episode->ended ? episode->ended_unix_ns : ticks_unix_ns();
    uint64_t duration_ns = ticks_to_ns(ticks_between(episode->since, until));
    const FrameSpan *span = &episode->span;
    PyObject *said = episode->said ? episode->said : Py_None;
    return Py_BuildValue(
        "(iOKKiOy#y#NKKIiNN)", (int)episode->kind, episode->ended ? Py_True : Py_False,
        (unsigned long long)(until_unix_ns - duration_ns), (unsigned long long)duration_ns, (int)episode->tid,
        said, (const char *)span->trace_id, (Py_ssize_t)(episode->has_span ? sizeof span->trace_id : 0),
        (const char *)span->span_id, (Py_ssize_t)(episode->has_span ? sizeof span->span_id : 0),
        decoded(episode->has_span ? span->endpoint : ""), (unsigned long long)episode->gc_ns,
        (unsigned long long)ticks_to_ns(episode->torn), episode->looks, episode->base_depth,
        places_list(&episode->places), held_list(episode));
}
