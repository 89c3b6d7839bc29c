/* Where CPython keeps what the walker reads: offsets in bytes, as this version's headers have them. The one
   place that sees CPython's internal headers is layout.c. */
#ifndef SONDE_TOOLS_LAYOUT_H
#define SONDE_TOOLS_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LAYOUT_STATE_BYTES = 1024, LAYOUT_CODE_BYTES = 512, LAYOUT_FRAME_BYTES = 128 };

typedef struct {
    bool known; /* false: no CPython that we know; the rest is 0 */

    size_t interp_threads_head,
        interp_births;             /* PyInterpreterState: newest thread state; how many there were */
    size_t gil_holder, gil_locked; /* of the GIL's own struct */

    size_t state_bytes; /* of a PyThreadState, as much as is read */
    size_t state_next, state_thread_id, state_tid, state_context;
    size_t state_chunk, state_top; /* of the stack that frames stand on */
    bool state_has_cframe;         /* 3.11, 3.12: the current frame is in what state_frame points to */
    size_t state_frame, cframe_frame;

    size_t chunk_previous, chunk_size, chunk_top, chunk_bytes; /* bytes: of its head */

    size_t frame_bytes; /* its head */
    size_t frame_code, frame_previous, frame_instr, frame_owner;
    char owner_c; /* frame_owner of one that is no Python function: a mark left by C. -1: this version has
                     none */

    size_t code_bytes; /* its head */
    size_t code_first_line, code_file, code_name, code_lines, code_instructions;

    size_t context_vars, hamt_root, bitmap_bits, bitmap_items, var_hash;
} Layout;

extern const Layout layout;

/* GIL: held. The address of the GIL's struct and of the interpreter's state; 0 where the layout is not known.
 */
uintptr_t layout_gil(void);
uintptr_t layout_interpreter(void);

#endif
