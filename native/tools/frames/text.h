/* A str at an address that may not be there (any more), as UTF-8. */
#ifndef SONDE_TOOLS_TEXT_H
#define SONDE_TOOLS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is too long for `room` bytes loses its end, or with `keep_end` its beginning. `out` always ends with
   0. False: no str is there, or one that is not compact. */
bool frames_text(uintptr_t address, bool keep_end, char *out, size_t room);

#endif
