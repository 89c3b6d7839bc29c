#include "functions.h"

#include <string.h>
#include <sys/mman.h>

enum {
    MAX_FUNCTIONS = 1 << 15,
    FUNCTION_SLOTS = 1 << 16,
    CODE_SLOTS = 1 << 16,
    LINE_SLOTS = 1 << 17,
    TEXT_BYTES = 8 << 20,
    NAME_ROOM = 512,
    FILE_ROOM = 1024,
};

typedef struct {
    uintptr_t code;
    uint64_t print; /* what stood there */
    uint32_t function, checked;
} CodeSlot;

typedef struct {
    uintptr_t code;
    uint32_t print; /* the lower half */
    int32_t instr, line;
} LineSlot;

/* Mapped at once, and given by the kernel page by page as it is touched. */
typedef struct {
    Function functions[MAX_FUNCTIONS];
    uint32_t by_content[FUNCTION_SLOTS]; /* 0: free, else number + 1 */
    CodeSlot codes[CODE_SLOTS];
    LineSlot lines[LINE_SLOTS];
    char texts[TEXT_BYTES];
} Store;

static Store *store;
static uint32_t functions_used, texts_used, codes_used, lines_used, check;

static const uint64_t SPREAD = 0x9e3779b97f4a7c15u;

static uint32_t slot_of(uint64_t hash, uint32_t slots) {
    return (uint32_t)((hash * SPREAD) >> 40) & (slots - 1);
}

/* -- texts and functions -- */

static uint64_t text_hash(uint64_t hash, const char *text) {
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 1099511628211u;
    return hash;
}

/* Returns the offset, or 0, which is the empty text: no room. */
static uint32_t keep_text(const char *text) {
    size_t size = strlen(text) + 1;
    if (size == 1 || texts_used + size > TEXT_BYTES)
        return 0;
    memcpy(store->texts + texts_used, text, size);
    texts_used += (uint32_t)size;
    return texts_used - (uint32_t)size;
}

/* Many functions stand in one file: the texts of a few last ones are looked through first. */
static uint32_t keep_file(const char *file) {
    uint32_t first = functions_used > 64 ? functions_used - 64 : 0;
    for (uint32_t at = functions_used; at-- > first;)
        if (!strcmp(store->texts + store->functions[at].file, file))
            return store->functions[at].file;
    return keep_text(file);
}

static uint32_t add_function(const char *name, const char *file, int32_t first_line) {
    uint64_t hash = text_hash(text_hash(1469598103934665603u + (uint64_t)first_line, name), file);
    uint32_t slot = slot_of(hash, FUNCTION_SLOTS);
    for (; store->by_content[slot]; slot = (slot + 1) & (FUNCTION_SLOTS - 1)) {
        const Function *known = &store->functions[store->by_content[slot] - 1];
        if (known->first_line == first_line && !strcmp(store->texts + known->name, name) &&
            !strcmp(store->texts + known->file, file))
            return store->by_content[slot] - 1;
    }
    if (functions_used == MAX_FUNCTIONS || texts_used + strlen(name) + strlen(file) + 2 > TEXT_BYTES)
        return NO_FUNCTION;
    Function *function = &store->functions[functions_used];
    function->file = keep_file(file);
    function->name = keep_text(name);
    function->first_line = first_line;
    store->by_content[slot] = ++functions_used;
    return functions_used - 1;
}

bool functions_open(void) {
    store =
        mmap(NULL, sizeof *store, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (store == MAP_FAILED) {
        store = NULL;
        return false;
    }
    texts_used = 1;
    functions_used = codes_used = lines_used = 0;
    check = 1;
    add_function("(other)", "", 0);
    return true;
}

void functions_close(void) {
    if (store)
        munmap(store, sizeof *store);
    store = NULL;
}

/* -- from code to function and line -- */

void functions_check_again(void) {
    check++;
}

static bool look_up(CodeSlot *slot, const FrameRef *frame) {
    char name[NAME_ROOM], file[FILE_ROOM];
    FrameSymbol symbol = {name, sizeof name, file, sizeof file, 0, 0};
    FrameRef start = {frame->code, -1};
    uint64_t print = frames_code_print(frame->code);
    if (!print || (print != slot->print && !frames_symbol(&start, &symbol)))
        return false;
    if (print != slot->print)
        slot->function = add_function(name, file, symbol.first_line);
    slot->code = frame->code;
    slot->print = print;
    slot->checked = check;
    return true;
}

static void forget_codes(void) {
    memset(store->codes, 0, sizeof store->codes);
    codes_used = 0;
}

static CodeSlot *code_slot(const FrameRef *frame) {
    uint32_t at = slot_of(frame->code >> 4, CODE_SLOTS);
    while (store->codes[at].code && store->codes[at].code != frame->code)
        at = (at + 1) & (CODE_SLOTS - 1);
    CodeSlot *slot = &store->codes[at];
    if (slot->code && slot->checked == check)
        return slot;
    bool is_new = !slot->code;
    if (is_new && codes_used > CODE_SLOTS / 4 * 3) {
        forget_codes();
        return code_slot(frame);
    }
    if (!look_up(slot, frame))
        return NULL;
    codes_used += is_new;
    return slot;
}

static int32_t line_in(const CodeSlot *code, const FrameRef *frame) {
    uint32_t at = slot_of((frame->code >> 4) + (uint64_t)(uint32_t)frame->instr * SPREAD, LINE_SLOTS);
    uint32_t print = (uint32_t)code->print;
    for (; store->lines[at].code; at = (at + 1) & (LINE_SLOTS - 1)) {
        const LineSlot *slot = &store->lines[at];
        if (slot->code == frame->code && slot->instr == frame->instr && slot->print == print)
            return slot->line;
    }
    if (lines_used > LINE_SLOTS / 4 * 3) {
        memset(store->lines, 0, sizeof store->lines);
        lines_used = 0;
        at = slot_of((frame->code >> 4) + (uint64_t)(uint32_t)frame->instr * SPREAD, LINE_SLOTS);
    }
    store->lines[at] = (LineSlot){frame->code, print, frame->instr, frames_line(frame)};
    lines_used++;
    return store->lines[at].line;
}

bool functions_find(const FrameRef *frame, uint32_t *function, int32_t *line) {
    const CodeSlot *slot = code_slot(frame);
    if (!slot)
        return false;
    *function = slot->function;
    *line = line_in(slot, frame);
    return true;
}

uint32_t functions_count(void) {
    return functions_used;
}

const Function *functions_at(uint32_t function) {
    return &store->functions[function];
}

const char *functions_text(uint32_t offset) {
    return store->texts + offset;
}
