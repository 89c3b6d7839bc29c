#include "seen.h"

#include "room.h"

Seen *seen_new(uint64_t objects) {
    uint64_t size = 1 << 16;
    while (size < 2 * objects)
        size *= 2;
    size_t bytes = sizeof(Seen) + size * sizeof(uint32_t);
    Seen *seen = room_new(bytes, 1);
    if (seen) {
        seen->room_bytes = bytes;
        seen->mask = size - 1;
    }
    return seen;
}

void seen_end(Seen *seen) {
    if (seen)
        room_end(seen, seen->room_bytes);
}

static uint64_t mixed(uintptr_t one, uintptr_t other) {
    uint64_t hash = ((one >> 3) ^ (uint64_t)(other >> 4) << 27) * 0x9E3779B97F4A7C15ull;
    return hash ^ hash >> 29;
}

static uint32_t print_of(uint64_t hash) {
    return (uint32_t)(hash >> 32) | 1;
}

static SeenType *type_place(Seen *seen, uintptr_t type) {
    uint64_t at = mixed(type, 0);
    for (int tries = 0; tries < SEEN_TYPES; tries++, at++) {
        SeenType *place = &seen->types[at & (SEEN_TYPES - 1)];
        if (!place->type || place->type == type)
            return place;
    }
    return NULL;
}

void seen_add(Seen *seen, const PyObject *object, uint64_t bytes) {
    SeenType *type = type_place(seen, (uintptr_t)Py_TYPE(object));
    if (type) {
        type->type = (uintptr_t)Py_TYPE(object);
        type->objects++;
        type->bytes += bytes;
    }
    if (4 * seen->count > 3 * seen->mask) {
        seen->left_out++;
        return;
    }
    uint64_t hash = mixed((uintptr_t)object, (uintptr_t)Py_TYPE(object));
    for (uint64_t at = hash;; at++) {
        uint32_t *slot = &seen->slots[at & seen->mask];
        if (*slot == print_of(hash))
            return;
        if (!*slot) {
            *slot = print_of(hash);
            seen->count++;
            return;
        }
    }
}

bool seen_has(const Seen *seen, const PyObject *object) {
    uint64_t hash = mixed((uintptr_t)object, (uintptr_t)Py_TYPE(object));
    for (uint64_t at = hash; seen->slots[at & seen->mask]; at++)
        if (seen->slots[at & seen->mask] == print_of(hash))
            return true;
    return false;
}

const SeenType *seen_type(const Seen *seen, const PyTypeObject *type) {
    const SeenType *place = type_place((Seen *)seen, (uintptr_t)type);
    return place && place->type ? place : NULL;
}
