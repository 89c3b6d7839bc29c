#include "tally.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../core/recorder.h"
#include "../python/text.h"

static const uint64_t SLOT_NS = 30000000000u;
static const uint64_t SATISFIED_NS = 500000000u, TOLERATED_NS = 2000000000u; /* as in rollup_30s */

typedef struct {
    Operation *operation; /* owned; NULL: an overflow */
    PyObject *name;       /* owned */
    uint32_t slot;
    uint16_t status_code;
    uint8_t kind;
    bool failed, is_root;
} Key;

typedef struct {
    Key key;
    uint64_t count, sum_ns, min_ns, max_ns, satisfied, tolerating, last_start_unix_ns;
    uint32_t *buckets;
} Tally;

static Tally *tallies; /* in the order they were made */
static _Atomic uint32_t
    used; /* read without the GIL by those who only want to know whether there is something */
static uint32_t room;
static uint16_t places[4 * MAX_TALLIES]; /* hash table: number of a tally + 1; 0: free */

static uint32_t hash(const Key *key) {
    uint64_t mixed = ((uintptr_t)key->operation >> 4) * 0x9e3779b97f4a7c15u;
    mixed ^= ((uintptr_t)key->name >> 4) * 0xbf58476d1ce4e5b9u;
    mixed += key->slot * 31u + key->status_code * 7u + key->kind * 5u + (uint32_t)key->failed * 2u +
             (uint32_t)key->is_root;
    return (uint32_t)((mixed * 0x94d049bb133111ebu) >> 52); /* 12 bits, as `places` has */
}

/* Names are compared as objects first: those of routes are made once. */
static bool same_name(PyObject *one, PyObject *other) {
    return one == other || (one && other && PyUnicode_Compare(one, other) == 0);
}

static bool same(const Key *one, const Key *other) {
    return one->operation == other->operation && one->slot == other->slot &&
           one->status_code == other->status_code && one->kind == other->kind &&
           one->failed == other->failed && one->is_root == other->is_root &&
           same_name(one->name, other->name);
}

static bool grow(void) {
    uint32_t more = room ? 2 * room : 32;
    Tally *moved = realloc(tallies, more * sizeof *moved);
    if (!moved)
        return false;
    tallies = moved;
    room = more;
    return true;
}

/* NULL: no room, or no memory. */
static Tally *find(const Key *key, uint32_t most) {
    uint32_t at = hash(key);
    while (places[at]) {
        Tally *found = &tallies[places[at] - 1];
        if (same(&found->key, key))
            return found;
        at = (at + 1) % (4 * MAX_TALLIES);
    }
    if (used >= most || (used == room && !grow()))
        return NULL;
    uint32_t *buckets = calloc(TALLY_BUCKETS, sizeof *buckets);
    if (!buckets)
        return NULL;
    Tally *made = &tallies[used++];
    *made = (Tally){.key = *key, .min_ns = UINT64_MAX, .buckets = buckets};
    Py_XINCREF(key->operation);
    Py_XINCREF(key->name);
    places[at] = (uint16_t)used;
    return made;
}

/* Sixteen buckets for each doubling: number n ends at 2^((n+1)/16) ns. Source: OpenTelemetry's exponential
   histogram, scale 4, https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram. */
static uint32_t bucket_of(uint64_t ns) {
    static const uint64_t bounds[16] = {
        /* 2^63 * 2^(k/16) */
        0x8000000000000000u, 0x85aac367cc487b14u, 0x8b95c1e3ea8bd6e6u, 0x91c3d373ab11c336u,
        0x9837f0518db8a96fu, 0x9ef5326091a111adu, 0xa5fed6a9b15138eau, 0xad583eea42a14ac6u,
        0xb504f333f9de6484u, 0xbd08a39f580c36beu, 0xc5672a115506daddu, 0xce248c151f8480e3u,
        0xd744fccad69d6af4u, 0xe0ccdeec2a94e111u, 0xeac0c6e7dd24392eu, 0xf5257d152486cc2cu,
    };
    if (!ns)
        ns = 1;
    int exponent = 63 - __builtin_clzll(ns);
    uint64_t mantissa = ns << (63 - exponent);
    int step = 0;
    for (int half = 8; half; half /= 2)
        if (mantissa >= bounds[step + half])
            step += half;
    uint32_t bucket = (uint32_t)(16 * exponent + step);
    return bucket < TALLY_BUCKETS ? bucket : TALLY_BUCKETS - 1;
}

void tally(const Ended *ended) {
    Key key = {ended->operation,
               ended->name,
               (uint32_t)(ended->start_unix_ns / SLOT_NS),
               ended->status_code,
               (uint8_t)ended->operation->kind,
               ended->failed,
               ended->is_root};
    Tally *mine = find(&key, MAX_TALLIES);
    if (!mine) {
        key.operation = NULL;
        key.name = NULL;
        key.status_code = 0;
        mine = find(&key, 2 * MAX_TALLIES);
        if (!mine)
            return;
    }
    uint64_t ns = ended->duration_ns;
    mine->count++;
    mine->sum_ns += ns;
    mine->min_ns = ns < mine->min_ns ? ns : mine->min_ns;
    mine->max_ns = ns > mine->max_ns ? ns : mine->max_ns;
    if (!ended->failed && ns <= SATISFIED_NS)
        mine->satisfied++;
    else if (!ended->failed && ns <= TOLERATED_NS)
        mine->tolerating++;
    if (ended->start_unix_ns > mine->last_start_unix_ns)
        mine->last_start_unix_ns = ended->start_unix_ns;
    mine->buckets[bucket_of(ns)]++;
}

bool tally_waits(void) {
    return used > 0;
}

static void forget(Tally *tally) {
    Py_XDECREF(tally->key.operation);
    Py_XDECREF(tally->key.name);
    free(tally->buckets);
}

/* {number: count} of those that are not empty. */
static PyObject *buckets_of(const Tally *tally) {
    PyObject *counts = PyDict_New();
    for (int at = 0; counts && at < TALLY_BUCKETS; at++) {
        if (!tally->buckets[at])
            continue;
        PyObject *number = PyLong_FromLong(at), *count = PyLong_FromUnsignedLong(tally->buckets[at]);
        if (!number || !count || PyDict_SetItem(counts, number, count) < 0)
            Py_CLEAR(counts);
        Py_XDECREF(number);
        Py_XDECREF(count);
    }
    return counts;
}

static PyObject *constants_of(const Operation *operation) {
    const Buffer *fields = operation ? &operation->constants.fields : NULL;
    return PyBytes_FromStringAndSize(fields ? (const char *)fields->bytes : NULL, fields ? fields->used : 0);
}

/* As it would be written. */
static PyObject *name_of(const Key *key) {
    PyObject *name = key->name ? key->name : key->operation ? key->operation->name : NULL;
    if (!name)
        return PyUnicode_FromString("(other)");
    size_t size = text_size(name, recorder.max_value_bytes);
    char *bytes = PyMem_Malloc(size + 1);
    if (!bytes)
        return PyErr_NoMemory();
    put_text((uint8_t *)bytes, name, size);
    PyObject *text = PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)size, "replace");
    PyMem_Free(bytes);
    return text;
}

static PyObject *as_tuple(const Tally *tally) {
    const Key *key = &tally->key;
    return Py_BuildValue("(NiNOOiIKKKKKKKN)", name_of(key), (int)key->kind, constants_of(key->operation),
                         key->is_root ? Py_True : Py_False, key->failed ? Py_True : Py_False,
                         (int)key->status_code, key->slot, tally->count, tally->sum_ns, tally->min_ns,
                         tally->max_ns, tally->satisfied, tally->tolerating, tally->last_start_unix_ns,
                         buckets_of(tally));
}

/* Make the table empty, and give out what was in it: making objects may run code that tallies. */
static Tally *taken(uint32_t *count) {
    Tally *out = tallies;
    *count = used;
    tallies = NULL;
    used = room = 0;
    memset(places, 0, sizeof places);
    return out;
}

PyObject *tally_take(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    uint32_t count;
    Tally *out = taken(&count);
    PyObject *list = PyList_New(0);
    for (uint32_t at = 0; at < count; at++) {
        PyObject *one = list ? as_tuple(&out[at]) : NULL;
        if (list && (!one || PyList_Append(list, one) < 0))
            Py_CLEAR(list);
        Py_XDECREF(one);
        forget(&out[at]);
    }
    free(out);
    return list;
}

void tally_after_fork_in_child(void) {
    /* The references and buckets are given up: nothing may be freed here. */
    used = 0;
    memset(places, 0, sizeof places);
}
