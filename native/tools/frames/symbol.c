#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "frames.h"

#include <string.h>

#include "layout.h"
#include "linetable.h"
#include "memory.h"
#include "state.h"
#include "text.h"

typedef struct {
    int32_t first_line;
    uintptr_t file, name, lines;
} Code;

static uintptr_t word(const uint8_t *at) {
    uintptr_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static bool read_code(uintptr_t address, Code *code) {
    uint8_t bytes[LAYOUT_CODE_BYTES];
    if (!frames_available() || !address || !memory_read(bytes, address, layout.code_bytes) ||
        word(bytes + offsetof(PyObject, ob_type)) != frames_code_type)
        return false;
    memcpy(&code->first_line, bytes + layout.code_first_line, sizeof code->first_line);
    code->file = word(bytes + layout.code_file);
    code->name = word(bytes + layout.code_name);
    code->lines = word(bytes + layout.code_lines);
    return true;
}

/* -- lines -- */

static int32_t line_of(const Code *code, int32_t instr) {
    PyBytesObject head;
    if (instr < 0)
        return code->first_line;
    if (!memory_read(&head, code->lines, offsetof(PyBytesObject, ob_sval)) ||
        (uintptr_t)Py_TYPE(&head) != frames_bytes_type || Py_SIZE(&head) < 0)
        return 0;
    return linetable_line(code->lines + offsetof(PyBytesObject, ob_sval), (size_t)Py_SIZE(&head),
                          code->first_line, instr);
}

bool frames_symbol(const FrameRef *frame, FrameSymbol *out) {
    Code code;
    out->name[0] = out->file[0] = 0;
    out->first_line = out->line = 0;
    if (!read_code(frame->code, &code) || !frames_text(code.name, false, out->name, out->name_room) ||
        !frames_text(code.file, true, out->file, out->file_room))
        return false;
    out->first_line = code.first_line;
    out->line = line_of(&code, frame->instr);
    return true;
}

int32_t frames_line(const FrameRef *frame) {
    Code code;
    return read_code(frame->code, &code) ? line_of(&code, frame->instr) : 0;
}

uint64_t frames_code_print(uintptr_t address) {
    Code code;
    if (!read_code(address, &code))
        return 0;
    uint64_t print = (uint64_t)code.first_line;
    print = (print ^ code.file) * 0x9e3779b97f4a7c15u;
    print = (print ^ code.name) * 0x9e3779b97f4a7c15u;
    print = (print ^ code.lines) * 0x9e3779b97f4a7c15u;
    return print ? print : 1;
}
