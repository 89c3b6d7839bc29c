#include "hooks.h"

#include <stdlib.h>
#include <string.h>

#include "groups.h"
#include "marks.h"
#include "sites.h"

struct Hooks hooks;

typedef struct {
    PyMemAllocatorEx under;
    PyMemAllocatorDomain domain;
    bool objects, set;
} Domain;

static Domain domains[] = {{.domain = PYMEM_DOMAIN_MEM}, {.domain = PYMEM_DOMAIN_OBJ, .objects = true}};

static void *last; /* the block that was made last: an object that is made next is made of it */
static bool heard; /* a hook was called */

/* -- what happened -- */

/* The first time in the loop. */
__attribute__((noinline)) static void touched_anew(Site *it, uint32_t site, uint32_t loop) {
    if (hooks.touched_loop != loop) { /* an earlier one's are told by now, or two loops take turns */
        hooks.touched_loop = loop;
        hooks.touched_count = 0;
    }
    if (hooks.touched_count < MAX_TOUCHED)
        hooks.touched[hooks.touched_count++] = site;
    it->loop = loop;
    it->bytes = 0;
}

static inline void touched(uint32_t site, uint32_t loop, size_t bytes) {
    Site *it = sites_at(site);
    if (it->loop != loop)
        touched_anew(it, site, loop);
    it->bytes += bytes;
}

__attribute__((always_inline)) static inline void
track(const PyThreadState *thread, void *pointer, size_t size, size_t base, uint32_t loop, bool objects) {
    uint32_t site = sites_here(thread);
    Block *block = blocks_add(&hooks.young, pointer);
    if (block)
        *block = (Block){.size = size, .base = base, .site = site, .loop = loop, .from_objects = objects};
    touched(site, loop, size - base);
    hooks.tracked++;
    last = pointer;
}

static void happened(uint32_t loop, const PyThreadState *thread, const Block *block, int64_t bytes) {
    if (hooks.event_count == MAX_EVENTS) {
        hooks.events_lost++;
        return;
    }
    hooks.events[hooks.event_count++] = (Event){.loop = loop,
                                                .site = sites_here(thread),
                                                .earlier_loop = block->loop,
                                                .earlier_site = block->site,
                                                .bytes = bytes};
}

static void freed(void *pointer) {
    Block block;
    if (pointer == last)
        last = NULL;
    if (hooks.young.used && blocks_take(&hooks.young, pointer, NULL))
        return;
    if (!hooks.old.used || !blocks_take(&hooks.old, pointer, &block))
        return;
    int64_t bytes = (int64_t)block.size - (int64_t)block.base;
    groups_change(block.group, -bytes, -1);
    const PyThreadState *thread = bytes ? stack_thread() : NULL;
    uint32_t loop = marks_current(thread);
    if (loop)
        happened(loop, thread, &block, -bytes);
}

/* A judged block grows: it belongs to whoever makes it grow, where that is known better by now. */
static void settle(const PyThreadState *thread, Block *block) {
    if (!sites_at(block->site)->deep)
        return;
    uint32_t site = sites_here(thread);
    if (!sites_at(site)->outer) {
        sites_deepen(site);
        site = sites_here(thread);
    }
    uint32_t group = groups_of(site, groups_at(block->group)->kind);
    int64_t bytes = (int64_t)block->size - (int64_t)block->base;
    groups_change(block->group, -bytes, -1);
    groups_change(group, bytes, 1);
    block->site = site;
    block->group = group;
}

/* A block has moved or changed its size. `block`: as it was, in `table` no more. */
static void resized(const PyThreadState *thread, Blocks *table, Block *block, void *pointer, size_t size) {
    int64_t more = (int64_t)size - (int64_t)block->size;
    uint32_t loop = marks_current(thread);
    if (table == &hooks.old && more && loop) {
        settle(thread, block);
        groups_change(block->group, more, 0);
        happened(loop, thread, block, more);
    } else if (table == &hooks.old && more) { /* no loop's doing */
        int64_t base = (int64_t)block->base + more;
        if (base < 0)
            groups_change(block->group, base, 0);
        block->base = base > 0 ? (size_t)base : 0;
    } else if (loop && more > 0 && !block->base) {
        touched(block->site, loop, (size_t)more);
    }
    block->size = size;
    if (!blocks_put(table, pointer, block) && table == &hooks.old)
        groups_change(block->group, (int64_t)block->base - (int64_t)size, -1);
}

/* -- the allocators -- */

static void *hook_malloc(void *context, size_t size) {
    Domain *domain = context;
    void *pointer = domain->under.malloc(domain->under.ctx, size);
    if (marks_open && pointer) {
        PyThreadState *thread = stack_thread();
        uint32_t loop = marks_current(thread);
        if (loop)
            track(thread, pointer, size, 0, loop, domain->objects);
    }
    return pointer;
}

static void *hook_calloc(void *context, size_t count, size_t each) {
    Domain *domain = context;
    void *pointer = domain->under.calloc(domain->under.ctx, count, each);
    if (marks_open && pointer) {
        PyThreadState *thread = stack_thread();
        uint32_t loop = marks_current(thread);
        if (loop)
            track(thread, pointer, count * each, 0, loop, domain->objects);
    }
    return pointer;
}

static void *hook_realloc(void *context, void *before, size_t size) {
    Domain *domain = context;
    heard = true;
    if (!before)
        return hook_malloc(context, size);
    Blocks *table = NULL;
    Block block;
    if (hooks.young.used && blocks_take(&hooks.young, before, &block))
        table = &hooks.young;
    else if (hooks.old.used && blocks_take(&hooks.old, before, &block))
        table = &hooks.old;
    void *pointer = domain->under.realloc(domain->under.ctx, before, size);
    if (table) {
        PyThreadState *thread = stack_thread();
        if (pointer)
            resized(thread, table, &block, pointer, size);
        else /* there is no room for it: it is what and where it was */
            blocks_put(table, before, &block);
        last = pointer;
    } else if (marks_open && pointer) {
        PyThreadState *thread = stack_thread();
        uint32_t loop = marks_current(thread);
        if (loop) /* how much it had is not known: counted from now on */
            track(thread, pointer, size, size, loop, domain->objects);
    }
    return pointer;
}

static void hook_free(void *context, void *pointer) {
    Domain *domain = context;
    if (pointer && (hooks.young.used || hooks.old.used))
        freed(pointer);
    domain->under.free(domain->under.ctx, pointer);
}

/* -- objects -- */

size_t hooks_header(const PyTypeObject *type) {
    size_t header = PyType_IS_GC((PyTypeObject *)type) ? 2 * sizeof(void *) : 0;
#if PY_VERSION_HEX >= 0x030C0000
    if (type->tp_flags & Py_TPFLAGS_PREHEADER)
        header += 2 * sizeof(void *);
#else
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT)
        header += 2 * sizeof(void *);
#endif
    return header;
}

#if PY_VERSION_HEX >= 0x030D0000
/* Of these the interpreter keeps some dead ones for the next: no block is freed, none is made. */
static inline bool is_kept(const PyTypeObject *type) {
    return type == &PyDict_Type || type == &PyTuple_Type || type == &PyFloat_Type || type == &PyList_Type ||
           type == &PySlice_Type || type == &PyContext_Type || type == &PyAsyncGen_Type ||
           type == &_PyAsyncGenASend_Type;
}

static void created(PyObject *object, PyTypeObject *type) {
    size_t header = hooks_header(type);
    char *pointer = (char *)object - header;
    PyThreadState *thread = stack_thread();
    uint32_t loop = marks_current(thread);
    if (!loop)
        return;
    if (pointer != last) { /* made from a dead one, by the interpreter or by a module that keeps some, too */
        if (!is_kept(type) && !blocks_find(&hooks.young, pointer) && !blocks_find(&hooks.old, pointer))
            return;
        freed(pointer);
        size_t size = (size_t)type->tp_basicsize + header;
        if (type->tp_itemsize)
            size += (size_t)Py_ABS(Py_SIZE(object)) * (size_t)type->tp_itemsize;
        track(thread, pointer, size, 0, loop, true);
    }
    Block *block = blocks_find(&hooks.young, pointer);
    if (block) {
        block->object = true;
        block->header = (uint8_t)header;
    }
}

static int traced(PyObject *object, PyRefTracerEvent event, void *Py_UNUSED(data)) {
    PyTypeObject *type = Py_TYPE(object);
    if (event == PyRefTracer_CREATE) {
        if (marks_open)
            created(object, type);
    } else if ((hooks.old.used || hooks.young.used) &&
               is_kept(type)) { /* it may be dead, and its block live on */
        freed((char *)object - hooks_header(type));
    }
    return 0;
}
#endif

/* -- on and off -- */

/* Ours were left behind below somebody else's, who may have taken them away since. */
static bool still_called(const Domain *domain) {
    heard = false;
    if (domain->objects)
        PyObject_Free(PyObject_Realloc(NULL, 1));
    else
        PyMem_Free(PyMem_Realloc(NULL, 1));
    return heard;
}

int hooks_set(size_t most, bool exact) {
    if (hooks.on) {
        PyErr_SetString(PyExc_RuntimeError, "the hooks are set");
        return -1;
    }
    if (!hooks.events)
        hooks.events = malloc(MAX_EVENTS * sizeof *hooks.events);
    if (!hooks.events || !blocks_start(&hooks.young, most) || !blocks_start(&hooks.old, most)) {
        blocks_stop(&hooks.young);
        free(hooks.events);
        hooks.events = NULL;
        PyErr_NoMemory();
        return -1;
    }
    hooks.event_count = hooks.touched_count = hooks.touched_loop = 0;
    hooks.events_lost = hooks.tracked = 0;
    for (size_t at = 0; at < sizeof domains / sizeof *domains; at++) {
        Domain *domain = &domains[at];
        if (domain->set && still_called(domain))
            continue;
        PyMem_GetAllocator(domain->domain, &domain->under);
        PyMemAllocatorEx ours = {domain, hook_malloc, hook_calloc, hook_realloc, hook_free};
        PyMem_SetAllocator(domain->domain, &ours);
        domain->set = true;
    }
    hooks.exact = false;
#if PY_VERSION_HEX >= 0x030D0000
    void *data = NULL;
    if (exact && !PyRefTracer_GetTracer(&data))
        hooks.exact = PyRefTracer_SetTracer(traced, NULL) == 0;
#endif
    hooks.on = true;
    return 0;
}

bool hooks_exact(void) {
#if PY_VERSION_HEX >= 0x030D0000
    void *data = NULL;
    return hooks.exact && PyRefTracer_GetTracer(&data) == traced;
#else
    return false;
#endif
}

bool hooks_remove(void) {
    bool clean = true;
#if PY_VERSION_HEX >= 0x030D0000
    if (hooks_exact())
        PyRefTracer_SetTracer(NULL, NULL);
#endif
    for (size_t at = 0; at < sizeof domains / sizeof *domains; at++) {
        Domain *domain = &domains[at];
        PyMemAllocatorEx now;
        PyMem_GetAllocator(domain->domain, &now);
        if (domain->set && now.malloc == hook_malloc) {
            PyMem_SetAllocator(domain->domain, &domain->under);
            domain->set = false;
        } else if (domain->set) {
            clean = false; /* with empty tables and no marks, they pass everything on */
        }
    }
    hooks.on = hooks.exact = false;
    blocks_stop(&hooks.young);
    blocks_stop(&hooks.old);
    free(hooks.events);
    hooks.events = NULL;
    hooks.event_count = 0;
    return clean;
}
