#include "collections.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../frames/frames.h"
#include "../frames/spans.h"
#include "../watch/listed.h"
#include "../watch/places.h"
#include "../watch/ticks.h"
#include "episode.h"
#include "loops.h"

enum { MAX_KEPT = 64, PAUSE_DEPTH = 48, PAUSE_TEXT = 6 << 10 };

typedef struct {
    uint64_t began_unix_ns, duration_ns;
    pid_t tid;
    int generation;
    long long collected, uncollectable;
    bool has_span;
    FrameSpan span;
    uint16_t depth, places_count;
    uint16_t stack[PAUSE_DEPTH];
    Place place_room[PAUSE_DEPTH];
    char text_room[PAUSE_TEXT];
} Pause;

/* All under the GIL: a collection holds it from its begin to its end. */
static Pause kept[MAX_KEPT];
static int kept_count;
static CollectionCounts counts;
static uint64_t threshold = UINT64_MAX, began;
static _Atomic pid_t collecting;
static _Thread_local pid_t own_tid;

static pid_t tid_here(void) {
    if (!own_tid)
        own_tid = (pid_t)syscall(SYS_gettid);
    return own_tid;
}

static long long number(PyObject *info, const char *name) {
    PyObject *value = PyDict_GetItemString(info, name);
    long long found = value ? PyLong_AsLongLong(value) : 0;
    if (PyErr_Occurred())
        PyErr_Clear();
    return found;
}

/* In the thread that has collected: the line that was reached when the collector thought it was time. */
static void keep(uint64_t duration_ns, PyObject *info, int generation) {
    FrameRef frames[PAUSE_DEPTH];
    FrameThread thread;
    if (kept_count == MAX_KEPT) {
        counts.dropped++;
        return;
    }
    Pause *pause = &kept[kept_count++];
    pause->began_unix_ns = ticks_unix_ns() - duration_ns;
    pause->duration_ns = duration_ns;
    pause->tid = tid_here();
    pause->generation = generation;
    pause->collected = number(info, "collected");
    pause->uncollectable = number(info, "uncollectable");
    pause->has_span = frames_find(pause->tid, &thread) && frames_span(&thread, &pause->span);
    Places places = {pause->place_room, pause->text_room, PAUSE_DEPTH, PAUSE_TEXT};
    places_clear(&places);
    int depth = frames_walk_own(frames, PAUSE_DEPTH);
    pause->depth = (uint16_t)places_stack(&places, frames, depth, pause->stack);
    pause->places_count = (uint16_t)places.count;
}

static void end(PyObject *info) {
    uint64_t ticks = ticks_between(began, ticks_now()), ns = ticks_to_ns(ticks);
    int generation = (int)number(info, "generation");
    generation = generation < 0 || generation >= GENERATIONS ? GENERATIONS - 1 : generation;
    counts.count[generation]++;
    counts.ns[generation] += ns;
    counts.longest_ns = ns > counts.longest_ns ? ns : counts.longest_ns;
    Loop *loop = loops_own;
    uint64_t since = loop ? atomic_load_explicit(&loop->since, memory_order_relaxed) : 0;
    if (since) {
        loop->gc_ns = (loop->gc_since == since ? loop->gc_ns : 0) + ns;
        loop->gc_since = since;
    }
    if (ticks >= threshold)
        keep(ns, info, generation);
}

PyObject *collections_callback(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count == 2 && PyUnicode_Check(args[0]) && PyDict_Check(args[1])) {
        if (PyUnicode_CompareWithASCIIString(args[0], "start") == 0) {
            atomic_store(&collecting, tid_here());
            began = ticks_now();
        } else if (began) {
            end(args[1]);
            began = 0;
            atomic_store(&collecting, 0);
        }
    }
    Py_RETURN_NONE;
}

pid_t collections_tid(void) {
    return atomic_load_explicit(&collecting, memory_order_relaxed);
}

void collections_threshold(uint64_t ticks) {
    threshold = ticks;
}

PyObject *collections_taken(void) {
    PyObject *list = PyList_New(0);
    int taken = kept_count;
    for (int at = 0; list && at < taken; at++) {
        Pause *pause = &kept[at];
        Places places = {pause->place_room, pause->text_room,    PAUSE_DEPTH,
                         PAUSE_TEXT,        pause->places_count, 1};
        PyObject *one = Py_BuildValue(
            "(KKiiLLy#y#NN)", (unsigned long long)pause->began_unix_ns,
            (unsigned long long)pause->duration_ns, (int)pause->tid, pause->generation, pause->collected,
            pause->uncollectable, (const char *)pause->span.trace_id,
            (Py_ssize_t)(pause->has_span ? sizeof pause->span.trace_id : 0),
            (const char *)pause->span.span_id, (Py_ssize_t)(pause->has_span ? sizeof pause->span.span_id : 0),
            places_list(&places), places_numbers(pause->stack, pause->depth));
        if (!one || PyList_Append(list, one) < 0)
            Py_CLEAR(list);
        Py_XDECREF(one);
    }
    /* Making them may itself have led to a collection. */
    memmove(kept, kept + taken, (size_t)(kept_count - taken) * sizeof *kept);
    kept_count -= taken;
    return list;
}

CollectionCounts collections_counts(void) {
    return counts;
}

void collections_forget(void) {
    kept_count = 0;
    counts = (CollectionCounts){0};
    began = 0;
    atomic_store(&collecting, 0);
    own_tid = 0;
}
