/* What outlived its loop, by site and kind: how much of it lives. GIL: held. */
#ifndef SONDE_LEAKS_GROUPS_H
#define SONDE_LEAKS_GROUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "stack.h"

/* A kind is the name of a type; kind 0 is memory that is no object. */
enum { NO_OBJECT = 0, MAX_KINDS = 4096, MAX_GROUPS = 1 << 16 };

typedef struct {
    uint32_t site;
    uint16_t kind;
    bool touched; /* changed since it was told */
    int64_t bytes, blocks;
} Group;

bool groups_start(void);
void groups_stop(void);

/* The kind of a type. Where there are too many, NO_OBJECT. */
uint16_t groups_kind(const PyTypeObject *type);

/* Its group; where there are too many, group 0, which belongs to no site. */
uint32_t groups_of(uint32_t site, uint16_t kind);

Group *groups_at(uint32_t index);
uint32_t groups_count(void);

/* More or less of it lives. */
void groups_change(uint32_t index, int64_t bytes, int64_t blocks);

/* List of (group, site, kind's name, bytes, blocks) of those that changed since the last call; NULL with an
 * exception set. */
PyObject *groups_changed(void);

#endif
