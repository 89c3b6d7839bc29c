/* The reader of co_linetable under libFuzzer, see scripts/fuzz. It reads memory that may be gone or be
   another object's by now, so any bytes may stand there.

   The first byte is the line that the table begins with, the second says which instruction is looked for. */
#include <stdlib.h>

#include "../tools/frames/linetable.h"
#include "../tools/frames/memory.h"

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    if (!memory_init())
        abort();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    int32_t first_line = data[0], instr = 2 * data[1];
    uintptr_t table = (uintptr_t)(data + 2);
    int32_t line = linetable_line(table, size - 2, first_line, instr);
    if (line && linetable_line(table, size - 2, first_line, instr) != line)
        abort();
    /* An instruction behind the table's last has no line. */
    if (linetable_line(table, size - 2, first_line, INT32_MAX) != 0)
        abort();
    return 0;
}
