/* Where in a program something was: frames with their texts, in memory that its owner brings. A frame is
   looked up when it is added, while it still stands: its code object may end. One thread at a time; no GIL,
   nothing is allocated. */
#ifndef SONDE_WATCH_PLACES_H
#define SONDE_WATCH_PLACES_H

#include "../frames/frames.h"

enum { NO_PLACE = -1 };

typedef struct {
    FrameRef frame;
    int32_t first_line, line;
    uint32_t name, file; /* offsets into the texts */
} Place;

typedef struct {
    Place *places;
    char *texts;
    uint32_t room, texts_room; /* as large as these two are */
    uint32_t count, texts_used;
} Places;

/* Forget all. */
void places_clear(Places *places);

/* The frame's number, the same for the same frame; NO_PLACE: there is no room, or no code object. `hint`:
   where it may stand, any number. */
int places_add(Places *places, const FrameRef *frame, int hint);

/* A stack, as frames_walk() gives it, into numbers; a frame that finds no place is left out. How many. */
int places_stack(Places *places, const FrameRef *frames, int depth, uint16_t *out);

static inline const char *places_text(const Places *places, uint32_t offset) {
    return places->texts + offset;
}

#endif
