#include "places.h"

#include <string.h>

enum { NAME_ROOM = 160, FILE_ROOM = 240 };

void places_clear(Places *places) {
    places->count = 0;
    places->texts_used = 1; /* 0 is the empty text */
    places->texts[0] = 0;
}

static uint32_t keep(Places *places, const char *text) {
    size_t size = strlen(text) + 1;
    if (size == 1 || places->texts_used + size > places->texts_room)
        return 0;
    memcpy(places->texts + places->texts_used, text, size);
    places->texts_used += (uint32_t)size;
    return places->texts_used - (uint32_t)size;
}

/* Functions of one file stand together: the last few are looked through. */
static uint32_t keep_file(Places *places, const char *file) {
    uint32_t first = places->count > 32 ? places->count - 32 : 0;
    for (uint32_t at = places->count; at-- > first;)
        if (!strcmp(places->texts + places->places[at].file, file))
            return places->places[at].file;
    return keep(places, file);
}

static bool is_at(const Places *places, uint32_t at, const FrameRef *frame) {
    return places->places[at].frame.code == frame->code && places->places[at].frame.instr == frame->instr;
}

int places_add(Places *places, const FrameRef *frame, int hint) {
    if (hint >= 0 && (uint32_t)hint < places->count && is_at(places, (uint32_t)hint, frame))
        return hint;
    const Place *same_code = NULL;
    for (uint32_t at = places->count; at-- > 0;) {
        if (is_at(places, at, frame))
            return (int)at;
        if (places->places[at].frame.code == frame->code)
            same_code = &places->places[at];
    }
    if (places->count == places->room)
        return NO_PLACE;
    Place *place = &places->places[places->count];
    if (same_code) {
        int32_t line = frames_line(frame);
        *place = *same_code;
        place->frame = *frame;
        place->line = line;
    } else {
        char name[NAME_ROOM], file[FILE_ROOM];
        FrameSymbol symbol = {name, sizeof name, file, sizeof file};
        if (!frames_symbol(frame, &symbol))
            return NO_PLACE;
        *place = (Place){*frame, symbol.first_line, symbol.line};
        place->file = keep_file(places, file);
        place->name = keep(places, name);
        if (!place->name)
            return NO_PLACE;
    }
    return (int)places->count++;
}

int places_stack(Places *places, const FrameRef *frames, int depth, uint16_t *out) {
    int count = 0, last = -2;
    for (int at = 0; at < depth; at++) {
        last = places_add(places, &frames[at], last + 1);
        if (last != NO_PLACE)
            out[count++] = (uint16_t)last;
    }
    return count;
}
