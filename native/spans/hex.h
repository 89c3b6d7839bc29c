/* Bytes as lower-case hex digits and back. No Python in here. */
#ifndef SONDE_HEX_H
#define SONDE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline char *put_hex(char *at, const uint8_t *bytes, size_t size) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    return at;
}

/* Value of a digit, -1 for what is none; capitals only where asked for. */
static inline int hex_value(uint32_t character, bool capitals) {
    if (character >= '0' && character <= '9')
        return (int)(character - '0');
    if (character >= 'a' && character <= 'f')
        return (int)(character - 'a' + 10);
    if (capitals && character >= 'A' && character <= 'F')
        return (int)(character - 'A' + 10);
    return -1;
}

static inline bool all_zero(const uint8_t *bytes, size_t size) {
    uint8_t any = 0;
    for (size_t i = 0; i < size; i++)
        any |= bytes[i];
    return !any;
}

#endif
