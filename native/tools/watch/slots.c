#include "slots.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { JUMP_SLOT = R_X86_64_JUMP_SLOT, GLOBAL_DATA = R_X86_64_GLOB_DAT };
#elif defined(__aarch64__)
enum { JUMP_SLOT = R_AARCH64_JUMP_SLOT, GLOBAL_DATA = R_AARCH64_GLOB_DAT };
#else
enum { JUMP_SLOT = -1, GLOBAL_DATA = -1 };
#endif

enum { MAX_SLOTS = 1 << 14 };

typedef struct {
    _Atomic(void *) *slot;
    void *before, *ours;
    bool seen; /* at the restoring look: its library is still there */
} Slot;

typedef struct {
    uintptr_t base;
    const char *path;
    const ElfW(Sym) * symbols;
    const char *names;
    const ElfW(Rela) * tables[2];
    size_t sizes[2];
    uintptr_t relro, relro_end; /* pages that are read-only once the library is loaded */
} Library;

static Slot *slots;
static uint32_t slot_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool fork_is_watched;
static SlotCounts counts;
static unsigned long long known_adds;
static const Hook *hooks;
static size_t hook_count;
static WantsLibrary *wants;
static bool restoring;

const char *slots_why_not(void) {
    if (JUMP_SLOT < 0)
        return "the slots of this processor's programs are not known: those of x86-64 and aarch64 are";
    if (!dlsym(RTLD_DEFAULT, "gnu_get_libc_version"))
        return "the C library is not glibc, and no other has been tried";
    return NULL;
}

bool slots_find(const Hook *all, size_t count) {
    bool any = false;
    for (size_t at = 0; at < count; at++) {
        if (!*all[at].theirs)
            *all[at].theirs = dlsym(RTLD_DEFAULT, all[at].name);
        any = any || *all[at].theirs;
    }
    return any;
}

/* -- one slot -- */

static Slot *known_slot(const void *slot) {
    for (uint32_t at = 0; at < slot_count; at++)
        if ((const void *)slots[at].slot == slot)
            return &slots[at];
    return NULL;
}

/* Pages of the read-only part are made writable for the moment; others already are. */
static bool put(const Library *library, _Atomic(void *) *slot, void *value) {
    uintptr_t page_size = (uintptr_t)sysconf(_SC_PAGESIZE), page = (uintptr_t)slot & ~(page_size - 1);
    bool is_sealed = (uintptr_t)slot >= library->relro && (uintptr_t)slot < library->relro_end;
    if (is_sealed && mprotect((void *)page, page_size, PROT_READ | PROT_WRITE) != 0)
        return false;
    atomic_store(slot, value);
    if (is_sealed)
        mprotect((void *)page, page_size, PROT_READ);
    return true;
}

static void fill(const Library *library, _Atomic(void *) *slot, const Hook *hook) {
    void *now = atomic_load(slot);
    if (now == hook->ours || !*hook->theirs)
        return;
    Slot *known = known_slot(slot);
    if (known && known->ours == hook->ours && now != known->before)
        return; /* somebody has changed it after us: slots_restore() counts it */
    if (!known && slot_count == MAX_SLOTS) {
        counts.refused++;
        return;
    }
    if (!put(library, slot, hook->ours)) {
        counts.refused++;
        return;
    }
    if (!known)
        known = &slots[slot_count++];
    *known = (Slot){slot, now, hook->ours, false};
    counts.filled++;
}

static void restore(const Library *library, _Atomic(void *) *slot) {
    Slot *known = known_slot(slot);
    if (!known || known->seen)
        return;
    known->seen = true;
    void *now = atomic_load(slot);
    if (now == known->ours) {
        if (!put(library, slot, known->before))
            counts.refused++;
    } else if (now != known->before) {
        counts.foreign++;
    }
}

/* -- one library -- */

static bool read_library(const struct dl_phdr_info *info, Library *library) {
    const ElfW(Dyn) *entry = NULL;
    *library = (Library){.base = info->dlpi_addr, .path = info->dlpi_name ? info->dlpi_name : ""};
    uintptr_t page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int at = 0; at < info->dlpi_phnum; at++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[at];
        if (part->p_type == PT_DYNAMIC)
            entry = (const void *)(library->base + part->p_vaddr);
        if (part->p_type == PT_GNU_RELRO) { /* rounded down at both ends, as the loader does */
            library->relro = (library->base + part->p_vaddr) & ~(page_size - 1);
            library->relro_end = (library->base + part->p_vaddr + part->p_memsz) & ~(page_size - 1);
        }
    }
    bool has_addends = true;
    for (; entry && entry->d_tag != DT_NULL; entry++) {
        switch (entry->d_tag) {
        case DT_SYMTAB:
            library->symbols = (const void *)entry->d_un.d_ptr;
            break;
        case DT_STRTAB:
            library->names = (const void *)entry->d_un.d_ptr;
            break;
        case DT_JMPREL:
            library->tables[0] = (const void *)entry->d_un.d_ptr;
            break;
        case DT_PLTRELSZ:
            library->sizes[0] = entry->d_un.d_val;
            break;
        case DT_PLTREL:
            has_addends = has_addends && entry->d_un.d_val == DT_RELA;
            break;
        case DT_RELA:
            library->tables[1] = (const void *)entry->d_un.d_ptr;
            break;
        case DT_RELASZ:
            library->sizes[1] = entry->d_un.d_val;
            break;
        default:
            break;
        }
    }
    /* glibc has made these absolute; the kernel's own object is left as it was, and calls nobody. */
    return has_addends && library->symbols && library->names && (uintptr_t)library->names > library->base;
}

static const Hook *hook_named(const char *name) {
    for (size_t at = 0; at < hook_count; at++)
        if (!strcmp(hooks[at].name, name))
            return &hooks[at];
    return NULL;
}

static void look_through(const Library *library) {
    for (int which = 0; which < 2; which++) {
        const ElfW(Rela) *table = library->tables[which];
        size_t count = table ? library->sizes[which] / sizeof *table : 0;
        for (size_t at = 0; at < count; at++) {
            unsigned type = ELF64_R_TYPE(table[at].r_info), symbol = ELF64_R_SYM(table[at].r_info);
            if ((type != (unsigned)JUMP_SLOT && type != (unsigned)GLOBAL_DATA) || !symbol)
                continue;
            const Hook *hook = hook_named(library->names + library->symbols[symbol].st_name);
            if (!hook)
                continue;
            _Atomic(void *) *slot = (void *)(library->base + table[at].r_offset);
            if (restoring)
                restore(library, slot);
            else
                fill(library, slot, hook);
        }
    }
}

static int visit(struct dl_phdr_info *info, size_t size, void *nothing) {
    Library library;
    (void)size;
    (void)nothing;
    known_adds = info->dlpi_adds;
    if (!strncmp(info->dlpi_name ? info->dlpi_name : "", "linux-vdso", 10) || !read_library(info, &library))
        return 0;
    if (restoring || wants(library.path)) {
        counts.libraries += !restoring;
        look_through(&library);
    }
    return 0;
}

/* -- all of them -- */

static void before_fork(void) {
    pthread_mutex_lock(&lock); /* so that no child is born while we hold the loader's lock */
}

static void after_fork(void) {
    pthread_mutex_unlock(&lock);
}

bool slots_fill(const Hook *all, size_t count, WantsLibrary *which) {
    if (slots_why_not())
        return false;
    pthread_mutex_lock(&lock);
    if (!fork_is_watched)
        fork_is_watched = pthread_atfork(before_fork, after_fork, after_fork) == 0;
    if (!slots) {
        slots = mmap(NULL, MAX_SLOTS * sizeof *slots, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (slots == MAP_FAILED)
            slots = NULL;
    }
    bool possible = slots != NULL;
    if (possible) {
        hooks = all;
        hook_count = count;
        wants = which;
        restoring = false;
        counts.libraries = 0;
        dl_iterate_phdr(visit, NULL);
    }
    pthread_mutex_unlock(&lock);
    return possible;
}

static int first_only(struct dl_phdr_info *info, size_t size, void *adds) {
    (void)size;
    *(unsigned long long *)adds = info->dlpi_adds;
    return 1;
}

bool slots_are_stale(void) {
    unsigned long long adds = 0;
    pthread_mutex_lock(&lock);
    dl_iterate_phdr(first_only, &adds);
    bool stale = adds != known_adds;
    pthread_mutex_unlock(&lock);
    return stale;
}

void slots_restore(void) {
    pthread_mutex_lock(&lock);
    if (slots) {
        restoring = true;
        for (uint32_t at = 0; at < slot_count; at++)
            slots[at].seen = false;
        dl_iterate_phdr(visit, NULL);
        restoring = false;
        slot_count = 0; /* what was not seen has gone with its library */
        counts.filled = 0;
    }
    pthread_mutex_unlock(&lock);
}

SlotCounts slots_counts(void) {
    pthread_mutex_lock(&lock);
    SlotCounts now = counts;
    pthread_mutex_unlock(&lock);
    return now;
}
