#include "sites.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(Site) == 64, "a site is one line of the cache");

enum { FEW = 1024, DEPTH = 64, HELD = 4096, YOUNG = 4, SELDOM = 64 };

/* How many of our references a code object has: one per site. */
typedef struct {
    PyCodeObject *code;
    uint32_t sites, age;
} Held;

static struct {
    Site *sites;
    uint32_t count, room;
    uint32_t *index; /* open addressing; 0: free */
    uint32_t places;
    Held held[HELD]; /* code that may yet go; what there is no room for stays */
    uint32_t held_count, releases;
    char **library;
    size_t libraries;
    uint64_t lost;
} all;

static inline uint32_t mixed(const void *code, int instruction, uint32_t outer) {
    uint64_t hash = ((uint64_t)(uintptr_t)code >> 4) * 0x9E3779B97F4A7C15ull;
    hash ^= ((uint64_t)(uint32_t)instruction << 32 | outer) * 0xC2B2AE3D27D4EB4Full;
    return (uint32_t)(hash >> 32);
}

static bool indexed(uint32_t places) {
    uint32_t *index = calloc(places, sizeof *index);
    if (!index)
        return false;
    for (uint32_t site = 1; site < all.count; site++) {
        const Site *it = &all.sites[site];
        if (!it->code)
            continue;
        uint32_t at = mixed(it->code, it->instruction, it->outer) & (places - 1);
        while (index[at])
            at = (at + 1) & (places - 1);
        index[at] = site;
    }
    free(all.index);
    all.index = index;
    all.places = places;
    return true;
}

static uint32_t added(void) {
    if (all.count == all.room) {
        uint32_t room = all.room * 2;
        Site *grown = room <= MAX_SITES ? aligned_alloc(sizeof(Site), room * sizeof(Site)) : NULL;
        if (!grown) {
            all.lost++;
            return UNKNOWN_SITE;
        }
        memcpy(grown, all.sites, all.count * sizeof(Site));
        free(all.sites);
        all.sites = grown;
        all.room = room;
    }
    if ((all.count + 1) * 2 > all.places && !indexed(all.places * 2)) {
        all.lost++;
        return UNKNOWN_SITE;
    }
    all.sites[all.count] = (Site){0};
    return all.count++;
}

static void held(PyCodeObject *code) {
    for (uint32_t at = all.held_count; at-- > 0;)
        if (all.held[at].code == code) {
            all.held[at].sites++;
            return;
        }
    if (all.held_count < HELD)
        all.held[all.held_count++] = (Held){code, 1, 0};
}

static uint32_t site_of(PyCodeObject *code, int instruction, uint32_t outer) {
    uint32_t at = mixed(code, instruction, outer) & (all.places - 1);
    for (uint32_t site; (site = all.index[at]); at = (at + 1) & (all.places - 1)) {
        const Site *it = &all.sites[site];
        if (it->code == code && it->instruction == instruction && it->outer == outer)
            return site;
    }
    uint32_t site = added();
    if (site == UNKNOWN_SITE)
        return site;
    Site *it = &all.sites[site];
    it->code = (PyCodeObject *)Py_NewRef((PyObject *)code);
    it->instruction = instruction;
    it->outer = outer;
    held(code);
    at = mixed(code, instruction, outer) & (all.places - 1); /* the index may have been made anew */
    while (all.index[at])
        at = (at + 1) & (all.places - 1);
    all.index[at] = site;
    return site;
}

/* Whose its file is. */
static uint8_t whose_file(PyObject *file) {
    if (!PyUnicode_IS_COMPACT_ASCII(file))
        return APPLICATION;
    const char *name = (const char *)PyUnicode_DATA(file);
    if (name[0] == '<')
        return strcmp(name, "<stdin>") && strcmp(name, "<string>") ? LIBRARY : APPLICATION;
    if (!strcmp(name, "__init__")) /* the interpreter's own, between a class and its __init__ */
        return LIBRARY;
    for (size_t at = 0; at < all.libraries; at++)
        if (!strncmp(name, all.library[at], strlen(all.library[at])))
            return at ? LIBRARY : OURS;
    return APPLICATION;
}

static uint8_t whose(const PyCodeObject *code) {
    return whose_file(code->co_filename);
}

static uint8_t whose_site(Site *site) {
    if (!site->library)
        site->library = site->code ? whose(site->code) : site->file ? whose_file(site->file) : APPLICATION;
    return site->library;
}

bool sites_is_ours(uint32_t index) {
    return index != UNKNOWN_SITE && whose_site(sites_at(index)) == OURS;
}

static uint32_t application_line(const Frame *frame) {
    for (int depth = 0; (frame = stack_back(frame)) && depth < DEPTH; depth++) {
        PyCodeObject *code = stack_code(frame);
        if (whose(code) != APPLICATION)
            continue;
        return site_of(code, stack_instruction(frame, code), UNKNOWN_SITE);
    }
    return UNKNOWN_SITE;
}

uint32_t sites_here(const PyThreadState *thread) {
    const Frame *frame = stack_top(thread);
    if (!frame)
        return UNKNOWN_SITE;
    PyCodeObject *code = stack_code(frame);
    int instruction = stack_instruction(frame, code);
    uint32_t site = site_of(code, instruction, UNKNOWN_SITE);
    if (!all.sites[site].deep)
        return site;
    uint32_t outer = application_line(frame);
    return outer == UNKNOWN_SITE ? site : site_of(code, instruction, outer);
}

Site *sites_at(uint32_t index) {
    return &all.sites[index < all.count ? index : UNKNOWN_SITE];
}

static void resolve(Site *site) {
    if (site->code && !site->line) {
        site->line = PyCode_Addr2Line(site->code, site->instruction * (int)sizeof(_Py_CODEUNIT));
        if (site->line <= 0)
            site->line = site->code->co_firstlineno;
    }
    if (site->code && !site->file)
        site->file = Py_NewRef(site->code->co_filename);
}

uint32_t sites_named(PyObject *file, int line) {
    for (uint32_t at = 1; at < all.count; at++) {
        Site *it = &all.sites[at];
        if (!it->code && it->file && it->line == line && PyUnicode_Compare(it->file, file) == 0)
            return at;
    }
    uint32_t site = added();
    if (site != UNKNOWN_SITE) {
        all.sites[site].file = Py_NewRef(file);
        all.sites[site].line = line;
    }
    return site;
}

PyObject *sites_told(uint32_t index) {
    Site *site = sites_at(index), *outer = site->outer ? sites_at(site->outer) : site;
    resolve(site);
    resolve(outer);
    return Py_BuildValue("(OiOi)", outer->file ? outer->file : Py_None, outer->line,
                         site->file ? site->file : Py_None, site->line);
}

static void let_go(Held held) {
    for (uint32_t site = 1; site < all.count; site++) {
        Site *it = &all.sites[site];
        if (it->code != held.code)
            continue;
        resolve(it);
        it->code = NULL; /* found by nobody, told by its file and line */
    }
    indexed(all.places);
    for (; held.sites > 0; held.sites--)
        Py_DECREF(held.code);
}

void sites_release(bool every) {
    every = every || ++all.releases % SELDOM == 0; /* most code is a module's and stays */
    for (uint32_t at = 0; at < all.held_count;) {
        Held *it = &all.held[at];
        if ((!every && ++it->age > YOUNG) || Py_REFCNT(it->code) > it->sites) {
            at++;
            continue;
        }
        Held gone = *it;
        *it = all.held[--all.held_count];
        let_go(gone);
    }
}

void sites_deepen(uint32_t index) {
    Site *site = sites_at(index);
    if (index != UNKNOWN_SITE && !site->outer && whose_site(site) != APPLICATION)
        site->deep = true;
}

uint64_t sites_lost(void) {
    return all.lost;
}

uint32_t sites_count(void) {
    return all.count;
}

int sites_start(PyObject *library) {
    memset(&all, 0, sizeof all);
    all.sites = aligned_alloc(sizeof(Site), FEW * sizeof(Site));
    all.room = FEW;
    all.count = 1;
    Py_ssize_t names = PyTuple_GET_SIZE(library);
    all.library = calloc((size_t)names + 1, sizeof *all.library);
    if (all.sites)
        memset(all.sites, 0, sizeof(Site));
    if (!all.sites || !all.library || !indexed(FEW * 4)) {
        sites_stop();
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t at = 0; at < names; at++) {
        const char *name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(library, at));
        char *copy = name ? strdup(name) : NULL;
        if (!copy) {
            sites_stop();
            if (!PyErr_Occurred())
                PyErr_NoMemory();
            return -1;
        }
        all.library[all.libraries++] = copy;
    }
    return 0;
}

void sites_stop(void) {
    Site *sites = all.sites;
    uint32_t count = all.count;
    free(all.index);
    for (size_t at = 0; at < all.libraries; at++)
        free(all.library[at]);
    free(all.library);
    memset(&all, 0, sizeof all);
    for (uint32_t at = 1; at < count; at++) { /* nothing of ours can be reached from a destructor now */
        Py_XDECREF(sites[at].code);
        Py_XDECREF(sites[at].file);
    }
    free(sites);
}
