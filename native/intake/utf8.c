#include "utf8.h"

#include <string.h>

/* Bytes of the character that starts here, 0 where none does. `left` is at least 1. Source: Unicode 15, table
 * 3-7. */
static size_t character(const uint8_t *at, size_t left) {
    uint8_t first = at[0];
    uint8_t low = 0x80, high = 0xbf; /* bounds of the second byte */
    size_t size;
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf) {
        size = 2;
    } else if (first >= 0xe0 && first <= 0xef) {
        size = 3;
        if (first == 0xe0)
            low = 0xa0;
        else if (first == 0xed)
            high = 0x9f;
    } else if (first >= 0xf0 && first <= 0xf4) {
        size = 4;
        if (first == 0xf0)
            low = 0x90;
        else if (first == 0xf4)
            high = 0x8f;
    } else {
        return 0;
    }
    if (left < size || at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

int is_utf8(const uint8_t *text, size_t length) {
    const uint8_t *end = text + length;
    while (text < end) {
        uint64_t eight;
        if (end - text >= 8) {
            memcpy(&eight, text, 8);
            if (!(eight & 0x8080808080808080u)) {
                text += 8;
                continue;
            }
        }
        size_t size = character(text, (size_t)(end - text));
        if (size == 0)
            return 0;
        text += size;
    }
    return 1;
}
