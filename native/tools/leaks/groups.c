#include "groups.h"

#include <stdlib.h>
#include <string.h>

enum { FEW = 256 };

static struct {
    char *kinds[MAX_KINDS];
    uint32_t kind_count;
    Group *groups;
    uint32_t count, room;
    uint32_t *index, places; /* open addressing over (site, kind); 0: free */
    uint32_t *touched, touched_count;
} all;

bool groups_start(void) {
    memset(&all, 0, sizeof all);
    all.groups = calloc(FEW, sizeof *all.groups);
    all.touched = calloc(MAX_GROUPS, sizeof *all.touched);
    all.index = calloc(FEW * 4, sizeof *all.index);
    all.kinds[NO_OBJECT] = strdup("");
    if (!all.groups || !all.index || !all.touched || !all.kinds[NO_OBJECT]) {
        groups_stop();
        return false;
    }
    all.room = FEW;
    all.places = FEW * 4;
    all.count = all.kind_count = 1;
    return true;
}

void groups_stop(void) {
    for (uint32_t at = 0; at < all.kind_count; at++)
        free(all.kinds[at]);
    free(all.groups);
    free(all.index);
    free(all.touched);
    memset(&all, 0, sizeof all);
}

uint16_t groups_kind(const PyTypeObject *type) {
    for (uint32_t at = 1; at < all.kind_count; at++)
        if (!strcmp(all.kinds[at], type->tp_name))
            return (uint16_t)at;
    if (all.kind_count == MAX_KINDS || !(all.kinds[all.kind_count] = strdup(type->tp_name)))
        return NO_OBJECT;
    return (uint16_t)all.kind_count++;
}

static inline uint32_t mixed(uint32_t site, uint16_t kind) {
    return (uint32_t)((((uint64_t)site << 16 | kind) * 0x9E3779B97F4A7C15ull) >> 32);
}

static bool grown(void) {
    uint32_t room = all.room * 2;
    Group *groups = room <= MAX_GROUPS ? realloc(all.groups, room * sizeof *groups) : NULL;
    if (!groups)
        return false;
    all.groups = groups;
    uint32_t *index = calloc(room * 4, sizeof *index);
    if (!index)
        return false;
    free(all.index);
    all.index = index;
    all.room = room;
    all.places = room * 4;
    for (uint32_t group = 1; group < all.count; group++) {
        uint32_t at = mixed(groups[group].site, groups[group].kind) & (all.places - 1);
        while (index[at])
            at = (at + 1) & (all.places - 1);
        index[at] = group;
    }
    return true;
}

uint32_t groups_of(uint32_t site, uint16_t kind) {
    uint32_t at = mixed(site, kind) & (all.places - 1);
    for (uint32_t group; (group = all.index[at]); at = (at + 1) & (all.places - 1))
        if (all.groups[group].site == site && all.groups[group].kind == kind)
            return group;
    if (all.count == all.room) {
        if (!grown())
            return 0;
        return groups_of(site, kind);
    }
    all.groups[all.count] = (Group){.site = site, .kind = kind};
    all.index[at] = all.count;
    return all.count++;
}

Group *groups_at(uint32_t index) {
    return &all.groups[index < all.count ? index : 0];
}

uint32_t groups_count(void) {
    return all.count;
}

void groups_change(uint32_t index, int64_t bytes, int64_t blocks) {
    Group *group = groups_at(index);
    group->bytes += bytes;
    group->blocks += blocks;
    if (!group->touched) {
        group->touched = true;
        all.touched[all.touched_count++] = index < all.count ? index : 0;
    }
}

PyObject *groups_changed(void) {
    uint32_t count = all.touched_count;
    PyObject *list = PyList_New(count);
    for (uint32_t at = 0; list && at < count; at++) {
        uint32_t index = all.touched[at];
        Group *group = &all.groups[index];
        PyObject *told = Py_BuildValue("(IIsLL)", index, group->site, all.kinds[group->kind],
                                       (long long)group->bytes, (long long)group->blocks);
        if (told)
            PyList_SET_ITEM(list, at, told);
        else
            Py_CLEAR(list);
    }
    if (!list)
        return NULL;
    for (uint32_t at = 0; at < count; at++)
        all.groups[all.touched[at]].touched = false;
    memmove(all.touched, all.touched + count, (all.touched_count - count) * sizeof *all.touched);
    all.touched_count -= count; /* what was freed meanwhile is told the next time */
    return list;
}
