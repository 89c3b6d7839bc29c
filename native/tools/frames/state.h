/* What frames_init() found, for the other files of this folder. */
#ifndef SONDE_TOOLS_STATE_H
#define SONDE_TOOLS_STATE_H

#include <stdint.h>

extern uintptr_t frames_interpreter, frames_gil; /* addresses */
extern uintptr_t frames_code_type, frames_text_type, frames_bytes_type;

/* The calling thread's PyThreadState, 0: it has none. */
uintptr_t own_state(void);

#endif
