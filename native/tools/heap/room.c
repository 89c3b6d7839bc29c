#include "room.h"

#include <sys/mman.h>

void *room_new(size_t bytes, int shared) {
    int flags = MAP_ANONYMOUS | MAP_NORESERVE | (shared ? MAP_SHARED : MAP_PRIVATE);
    void *room = mmap(NULL, bytes ? bytes : 1, PROT_READ | PROT_WRITE, flags, -1, 0);
    return room == MAP_FAILED ? NULL : room;
}

void room_end(void *room, size_t bytes) {
    if (room)
        munmap(room, bytes ? bytes : 1);
}
