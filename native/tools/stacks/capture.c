#include "capture.h"

#include <sys/mman.h>
#include <unistd.h>

#include "../frames/frames.h"
#include "../frames/spans.h"
#include "kernel.h"

enum { MAX_THREADS = 2048, MAX_DEPTH = 1024, NAME_ROOM = 512, FILE_ROOM = 1024, TRIES = 3, END_BYTES = 48 };

/* For one capture: several may be under way. */
typedef struct {
    FrameScratch scratch;
    FrameThread threads[MAX_THREADS];
    FrameRef frames[MAX_DEPTH];
} Memory;

static void put_hex(Json *json, const char *key, const uint8_t *bytes, size_t size) {
    static const char digits[] = "0123456789abcdef";
    char text[33];
    for (size_t at = 0; at < size; at++) {
        text[2 * at] = digits[bytes[at] >> 4];
        text[2 * at + 1] = digits[bytes[at] & 15];
    }
    text[2 * size] = 0;
    json_key(json, key);
    json_text(json, text);
}

static void put_span(Json *json, const FrameThread *thread) {
    FrameSpan span;
    json_raw(json, ",");
    json_key(json, "span");
    if (!frames_span(thread, &span)) {
        json_raw(json, "null");
        return;
    }
    json_raw(json, "{");
    put_hex(json, "trace_id", span.trace_id, sizeof span.trace_id);
    json_raw(json, ",");
    put_hex(json, "span_id", span.span_id, sizeof span.span_id);
    json_raw(json, ",");
    json_key(json, "name");
    json_text(json, span.name);
    json_raw(json, ",");
    json_key(json, "endpoint");
    json_text(json, span.endpoint);
    json_raw(json, "}");
}

static void put_member(Json *json, const char *key, const char *text) {
    json_raw(json, ",");
    json_key(json, key);
    json_text(json, text);
}

static void put_about(Json *json, const FrameThread *thread, bool holds_gil) {
    KernelState state;
    kernel_state(thread->tid, &state);
    json_raw(json, "{");
    json_key(json, "tid");
    json_number(json, thread->tid);
    json_raw(json, ",");
    json_key(json, "thread_id");
    json_number(json, (int64_t)thread->thread_id);
    put_member(json, "name", thread->tid == getpid() ? "MainThread" : state.name);
    json_raw(json, thread->tid == getpid() ? ",\"main\":true" : ",\"main\":false");
    json_raw(json, holds_gil ? ",\"holds_gil\":true," : ",\"holds_gil\":false,");
    json_key(json, "cpu_ns");
    json_number(json, (int64_t)frames_thread_cpu_ns(thread->tid));
    put_member(json, "state", state.state);
    put_member(json, "syscall", state.syscall);
    put_member(json, "wchan", state.place);
    put_span(json, thread);
}

static int walk(Memory *memory, const FrameThread *thread) {
    int depth = FRAMES_TORN;
    for (int try = 0; depth == FRAMES_TORN && try < TRIES; try++)
        depth = frames_walk(thread, &memory->scratch, memory->frames, MAX_DEPTH);
    return depth;
}

/* Returns how many were written; the rest, more than `most` or what found no room, is left out. */
static int put_frames(Json *json, const FrameRef *frames, int depth, int most) {
    char name[NAME_ROOM], file[FILE_ROOM];
    FrameSymbol symbol = {name, sizeof name, file, sizeof file, 0, 0};
    int count = 0;
    json_raw(json, ",\"frames\":[");
    json->room -= END_BYTES;
    for (int at = 0; at < depth && count < most && json->used < json->room; at++) {
        size_t before = json->used;
        if (!frames_symbol(&frames[at], &symbol))
            continue; /* it has ended meanwhile */
        json_raw(json, count ? ",[" : "[");
        json_text(json, name);
        json_raw(json, ",");
        json_text(json, file);
        json_raw(json, ",");
        json_number(json, symbol.line);
        json_raw(json, "]");
        if (json->full) {
            json_back_to(json, before);
            break;
        }
        count++;
    }
    json->room += END_BYTES;
    json_raw(json, "],\"depth\":");
    json_number(json, depth > 0 ? depth : 0);
    json_raw(json, "}");
    return count;
}

Captured capture_threads(Json *json, pid_t never, int frames) {
    Captured seen = {0};
    Memory *memory = mmap(NULL, sizeof *memory, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        json_raw(json, "[]");
        seen.no_memory = true;
        return seen;
    }
    int count = frames_threads(memory->threads, MAX_THREADS), written = 0;
    uintptr_t holder = frames_gil_holder();
    json_raw(json, "[");
    json->room -= END_BYTES;
    for (int at = 0; at < count; at++) {
        const FrameThread *thread = &memory->threads[at];
        if (thread->tid == never)
            continue;
        size_t before = json->used;
        seen.threads++;
        int depth = walk(memory, thread);
        if (depth == FRAMES_GONE) {
            seen.threads--;
            continue;
        }
        json_raw(json, written ? "," : "");
        put_about(json, thread, thread->state == holder);
        int shown = put_frames(json, memory->frames, depth, frames);
        if (json->full) {
            json_back_to(json, before);
            seen.left_out++;
            continue;
        }
        seen.cut += depth > shown;
        written++;
    }
    json->room += END_BYTES;
    json_raw(json, "]");
    munmap(memory, sizeof *memory);
    return seen;
}
