#include "sites.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(Site) == 64, "a site is one line of the cache");

enum { FEW = 1024, DEPTH = 64, HELD = 4096, YOUNG = 4, SELDOM = 64 };

struct Sites sites;

/* How many of our references a code object has: one per site. */
typedef struct {
    PyCodeObject *code;
    uint32_t sites, age;
} Held;

static struct {
    uint32_t room;
    Held held[HELD]; /* code that may yet go; what there is no room for stays */
    uint32_t held_count, releases;
    char **library;
    size_t libraries;
    uint64_t lost;
} all;

static bool indexed(uint32_t places) {
    uint32_t *index = calloc(places, sizeof *index);
    if (!index)
        return false;
    for (uint32_t site = 1; site < sites.count; site++) {
        const Site *it = &sites.list[site];
        if (!it->code)
            continue;
        uint32_t at = sites_place(it->address, it->outer, places);
        while (index[at])
            at = (at + 1) & (places - 1);
        index[at] = site;
    }
    free(sites.index);
    sites.index = index;
    sites.places = places;
    return true;
}

static uint32_t added(void) {
    if (sites.count == all.room) {
        uint32_t room = all.room * 2;
        Site *grown = room <= MAX_SITES ? aligned_alloc(sizeof(Site), room * sizeof(Site)) : NULL;
        if (!grown) {
            all.lost++;
            return UNKNOWN_SITE;
        }
        memcpy(grown, sites.list, sites.count * sizeof(Site));
        free(sites.list);
        sites.list = grown;
        all.room = room;
    }
    if ((sites.count + 1) * 2 > sites.places && !indexed(sites.places * 2)) {
        all.lost++;
        return UNKNOWN_SITE;
    }
    sites.list[sites.count] = (Site){0};
    return sites.count++;
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

static uint32_t site_of(const Frame *frame, uint32_t outer) {
    const void *address = stack_address(frame);
    uint32_t at = sites_place(address, outer, sites.places);
    for (uint32_t site; (site = sites.index[at]); at = (at + 1) & (sites.places - 1)) {
        const Site *it = &sites.list[site];
        if (it->address == address && it->outer == outer)
            return site;
    }
    uint32_t site = added();
    if (site == UNKNOWN_SITE)
        return site;
    Site *it = &sites.list[site];
    it->code = (PyCodeObject *)Py_NewRef((PyObject *)stack_code(frame));
    it->address = address;
    it->outer = outer;
    held(it->code);
    at = sites_place(address, outer, sites.places); /* the index may have been made anew */
    while (sites.index[at])
        at = (at + 1) & (sites.places - 1);
    sites.index[at] = site;
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

bool sites_is_monitoring(uint32_t index, const void *memory) {
#if PY_VERSION_HEX >= 0x030C0000
    const PyCodeObject *code = sites_at(index)->code;
    const _PyCoMonitoringData *data = code ? code->_co_monitoring : NULL;
    return data &&
           (memory == data || memory == data->tools || memory == data->lines || memory == data->line_tools ||
            memory == data->per_instruction_opcodes || memory == data->per_instruction_tools);
#else
    (void)index;
    (void)memory;
    return false;
#endif
}

static uint32_t application_line(const Frame *frame) {
    for (int depth = 0; (frame = stack_back(frame)) && depth < DEPTH; depth++) {
        if (whose(stack_code(frame)) == APPLICATION)
            return site_of(frame, UNKNOWN_SITE);
    }
    return UNKNOWN_SITE;
}

uint32_t sites_look(const Frame *frame) {
    uint32_t site = site_of(frame, UNKNOWN_SITE);
    if (!sites.list[site].deep)
        return site;
    uint32_t outer = application_line(frame);
    return outer == UNKNOWN_SITE ? site : site_of(frame, outer);
}

static void resolve(Site *site) {
    if (site->code && !site->line) {
        site->line = PyCode_Addr2Line(site->code, stack_offset(site->code, site->address));
        if (site->line <= 0)
            site->line = site->code->co_firstlineno;
    }
    if (site->code && !site->file)
        site->file = Py_NewRef(site->code->co_filename);
}

uint32_t sites_named(PyObject *file, int line) {
    for (uint32_t at = 1; at < sites.count; at++) {
        Site *it = &sites.list[at];
        if (!it->code && it->file && it->line == line && PyUnicode_Compare(it->file, file) == 0)
            return at;
    }
    uint32_t site = added();
    if (site != UNKNOWN_SITE) {
        sites.list[site].file = Py_NewRef(file);
        sites.list[site].line = line;
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
    for (uint32_t site = 1; site < sites.count; site++) {
        Site *it = &sites.list[site];
        if (it->code != held.code)
            continue;
        resolve(it);
        it->code = NULL; /* found by nobody, told by its file and line */
        it->address = NULL;
    }
    indexed(sites.places);
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
    if (index == UNKNOWN_SITE || site->deep || site->outer || whose_site(site) == APPLICATION)
        return;
    site->deep = 1;
}

uint64_t sites_lost(void) {
    return all.lost;
}

uint32_t sites_count(void) {
    return sites.count;
}

int sites_start(PyObject *library) {
    memset(&all, 0, sizeof all);
    sites.list = aligned_alloc(sizeof(Site), FEW * sizeof(Site));
    all.room = FEW;
    sites.count = 1;
    Py_ssize_t names = PyTuple_GET_SIZE(library);
    all.library = calloc((size_t)names + 1, sizeof *all.library);
    if (sites.list)
        memset(sites.list, 0, sizeof(Site));
    if (!sites.list || !all.library || !indexed(FEW * 4)) {
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
    struct Sites gone = sites;
    free(sites.index);
    for (size_t at = 0; at < all.libraries; at++)
        free(all.library[at]);
    free(all.library);
    memset(&all, 0, sizeof all);
    sites = (struct Sites){0};
    for (uint32_t at = 1; at < gone.count; at++) { /* nothing of ours can be reached from a destructor now */
        Py_XDECREF(gone.list[at].code);
        Py_XDECREF(gone.list[at].file);
    }
    free(gone.list);
}
