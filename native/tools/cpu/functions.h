/* Functions that were seen: a code object's address to a number, and the texts behind it. One thread writes
   (the sampler's); others read once it has ended. All memory is there from the start; what finds no room is
   `other`. No GIL. */
#ifndef SONDE_CPU_FUNCTIONS_H
#define SONDE_CPU_FUNCTIONS_H

#include "../frames/frames.h"

enum { NO_FUNCTION = 0 }; /* the number of a function for which there was no room; its name is "(other)" */

typedef struct {
    uint32_t name, file; /* offsets into functions_texts() */
    int32_t first_line;
} Function;

/* Take the memory; empty. False: there is none. */
bool functions_open(void);
void functions_close(void);

/* From now on each code object is looked at once more before it is believed: its address may be another's by
   now. To be called some times a second. */
void functions_check_again(void);

/* The number of the frame's function and the line that runs. False: no code object is there. */
bool functions_find(const FrameRef *frame, uint32_t *function, int32_t *line);

uint32_t functions_count(void);
const Function *functions_at(uint32_t function);
const char *functions_text(uint32_t offset);

#endif
