/* Is this text UTF-8? As protobuf means it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef SONDE_INTAKE_UTF8_H
#define SONDE_INTAKE_UTF8_H

#include <stddef.h>
#include <stdint.h>

int is_utf8(const uint8_t *text, size_t length);

#endif
