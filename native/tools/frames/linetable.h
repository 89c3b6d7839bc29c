/* co_linetable: from an instruction to its line. */
#ifndef SONDE_TOOLS_LINETABLE_H
#define SONDE_TOOLS_LINETABLE_H

#include <stddef.h>
#include <stdint.h>

/* `table`: address of the bytes in this process, which may go away meanwhile. `instr`: offset in bytes.
   Returns the line, or 0: the instruction has none, or the table is gone. */
int32_t linetable_line(uintptr_t table, size_t size, int32_t first_line, int32_t instr);

#endif
