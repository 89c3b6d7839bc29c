/* Each entry begins with a byte whose highest bit is set: four bits of what kind it is, three of how many
   code units it covers, less one. Then come numbers of six bits a byte, which we need only where they move
   the line (see Objects/locations.md of CPython). */
#include "linetable.h"

#include <stdbool.h>

#include "memory.h"

enum { PIECE = 512, UNIT_BYTES = 2 };
enum { ONE_LINE_0 = 10, ONE_LINE_2 = 12, NO_COLUMNS = 13, LONG_FORM = 14, NO_LOCATION = 15 };

typedef struct {
    uintptr_t next;
    size_t left; /* not read yet */
    size_t at, used;
    uint8_t piece[PIECE];
} Reader;

static bool fill(Reader *reader) {
    if (reader->at < reader->used)
        return true;
    size_t size = reader->left < PIECE ? reader->left : PIECE;
    if (!size || !memory_read(reader->piece, reader->next, size))
        return false;
    reader->next += size;
    reader->left -= size;
    reader->at = 0;
    reader->used = size;
    return true;
}

/* A number whose lowest bit is its sign. */
static int32_t signed_number(Reader *reader) {
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 30 && fill(reader); shift += 6) {
        uint8_t byte = reader->piece[reader->at++];
        value |= (uint32_t)(byte & 0x3f) << shift;
        if (!(byte & 0x40))
            break;
    }
    return value & 1 ? -(int32_t)(value >> 1) : (int32_t)(value >> 1);
}

int32_t linetable_line(uintptr_t table, size_t size, int32_t first_line, int32_t instr) {
    Reader reader = {.next = table, .left = size};
    int32_t line = first_line, end = 0;
    while (fill(&reader)) {
        uint8_t entry = reader.piece[reader.at++];
        int kind = entry >> 3 & 15;
        if (kind == NO_COLUMNS || kind == LONG_FORM) /* what is no table any more may say any number */
            line = (int32_t)((uint32_t)line + (uint32_t)signed_number(&reader));
        else if (kind >= ONE_LINE_0 && kind <= ONE_LINE_2)
            line = (int32_t)((uint32_t)line + (uint32_t)(kind - ONE_LINE_0));
        end += ((entry & 7) + 1) * UNIT_BYTES;
        if (instr < end)
            return kind == NO_LOCATION ? 0 : line;
        while (fill(&reader) && !(reader.piece[reader.at] & 0x80))
            reader.at++;
    }
    return 0;
}
