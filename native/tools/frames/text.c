#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "text.h"

#include <string.h>

#include "memory.h"
#include "state.h"

enum { PIECE_CHARACTERS = 256 };

static char *put_utf8(char *at, uint32_t character) {
    if (character < 0x80) {
        *at++ = (char)character;
    } else if (character < 0x800) {
        *at++ = (char)(0xc0 | character >> 6);
        *at++ = (char)(0x80 | (character & 0x3f));
    } else if (character < 0x10000) {
        *at++ = (char)(0xe0 | character >> 12);
        *at++ = (char)(0x80 | (character >> 6 & 0x3f));
        *at++ = (char)(0x80 | (character & 0x3f));
    } else {
        *at++ = (char)(0xf0 | (character >> 18 & 0x07));
        *at++ = (char)(0x80 | (character >> 12 & 0x3f));
        *at++ = (char)(0x80 | (character >> 6 & 0x3f));
        *at++ = (char)(0x80 | (character & 0x3f));
    }
    return at;
}

static uint32_t character_at(const uint8_t *bytes, int kind, size_t at) {
    uint16_t two;
    uint32_t four;
    switch (kind) {
    case 1:
        return bytes[at];
    case 2:
        memcpy(&two, bytes + 2 * at, sizeof two);
        return two >= 0xd800 && two < 0xe000 ? '?' : two; /* half of a pair is no character */
    default:
        memcpy(&four, bytes + 4 * at, sizeof four);
        return four > 0x10ffff || (four >= 0xd800 && four < 0xe000) ? '?' : four;
    }
}

/* A str as UTF-8; what is too long loses its end, or with `keep_end` its beginning. False: no str is there.
 */
bool frames_text(uintptr_t address, bool keep_end, char *out, size_t room) {
    PyCompactUnicodeObject head;
    out[0] = 0;
    if (!memory_read(&head, address, sizeof(PyASCIIObject)) ||
        (uintptr_t)Py_TYPE(&head) != frames_text_type || !head._base.state.compact || head._base.length < 0)
        return false;
    int kind = head._base.state.kind;
    size_t length = (size_t)head._base.length, most = (room - 1) / (head._base.state.ascii ? 1
                                                                    : kind == 1            ? 2
                                                                    : kind == 2            ? 3
                                                                                           : 4);
    uintptr_t data =
        address + (head._base.state.ascii ? sizeof(PyASCIIObject) : sizeof(PyCompactUnicodeObject));
    size_t from = keep_end && length > most ? length - most : 0, end = from + (length < most ? length : most);
    uint8_t piece[4 * PIECE_CHARACTERS];
    char *at = out;
    if (kind != 1 && kind != 2 && kind != 4)
        return false;
    for (; from < end; from += PIECE_CHARACTERS) {
        size_t count = end - from < PIECE_CHARACTERS ? end - from : PIECE_CHARACTERS;
        if (!memory_read(piece, data + from * (size_t)kind, count * (size_t)kind)) {
            out[0] = 0;
            return false;
        }
        for (size_t which = 0; which < count; which++)
            at = put_utf8(at, character_at(piece, kind, which));
    }
    *at = 0;
    return true;
}
