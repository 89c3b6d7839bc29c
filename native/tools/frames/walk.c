#include "frames.h"

#include <string.h>

#include "layout.h"
#include "memory.h"
#include "state.h"

/* A walk that leads in a circle, or nowhere, ends here. */
enum { MAX_STEPS = 1 << 16, TRIES = 4, SPARE_BYTES = 1024, OWNED_BY_THREAD = 0 };

static uintptr_t word(const uint8_t *at) {
    uintptr_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static FrameRef frame_ref(const uint8_t *frame) {
    uintptr_t code = word(frame + layout.frame_code), instr = word(frame + layout.frame_instr);
    return (FrameRef){code, (int32_t)(instr - (code + layout.code_instructions))};
}

static bool is_python(const uint8_t *frame) {
    return layout.owner_c < 0 || (char)frame[layout.frame_owner] != layout.owner_c;
}

/* -- one's own -- */

int frames_walk_own(FrameRef *out, int room) {
    uintptr_t state = frames_available() ? own_state() : 0;
    if (!state)
        return 0;
    const uint8_t *slot = (const uint8_t *)state + layout.state_frame;
    uintptr_t at =
        layout.state_has_cframe ? word((const uint8_t *)word(slot) + layout.cframe_frame) : word(slot);
    int depth = 0;
    while (at && depth < room) {
        const uint8_t *frame = (const uint8_t *)at;
        if (is_python(frame))
            out[depth++] = frame_ref(frame);
        at = word(frame + layout.frame_previous);
    }
    return depth;
}

/* -- another's -- */

/* The piece of stack that a frame stands on is read at once: [chunk, top), of a large one the end. */
static MemoryPart piece_of(uintptr_t chunk, uintptr_t top, FrameScratch *scratch) {
    if (top <= chunk)
        return (MemoryPart){chunk, scratch->bytes, layout.chunk_bytes};
    size_t size = top - chunk;
    uintptr_t from = size > sizeof scratch->bytes ? top - sizeof scratch->bytes : chunk;
    return (MemoryPart){from, scratch->bytes, top - from};
}

static const uint8_t *in_scratch(const FrameScratch *scratch, uintptr_t frame) {
    uintptr_t offset = frame - scratch->from;
    return offset < scratch->used && scratch->used - offset >= layout.frame_bytes ? scratch->bytes + offset
                                                                                  : NULL;
}

/* The chunk before this one, if the frame is on it: read it. Returns its address, or 0. */
static uintptr_t step_back(uintptr_t chunk, uintptr_t frame, FrameScratch *scratch) {
    uint8_t head[64];
    uintptr_t previous;
    if (!chunk || !memory_read(&previous, chunk + layout.chunk_previous, sizeof previous) || !previous ||
        !memory_read(head, previous, layout.chunk_bytes))
        return 0;
    size_t size = word(head + layout.chunk_size), used = word(head + layout.chunk_top) * sizeof(void *);
    if (frame - previous >= size || used > size)
        return 0;
    MemoryPart piece = piece_of(previous, previous + layout.chunk_bytes + used, scratch);
    scratch->used = 0;
    if (!memory_read_parts(&piece, 1))
        return 0;
    scratch->from = piece.from;
    scratch->used = piece.size;
    return previous;
}

/* Returns depth, or FRAMES_TORN. */
static int walk_from(uintptr_t at, uintptr_t chunk, FrameScratch *scratch, FrameRef *out, int room) {
    uint8_t alone[LAYOUT_FRAME_BYTES];
    int depth = 0;
    for (int step = 0; at && depth < room; step++) {
        const uint8_t *frame = in_scratch(scratch, at);
        if (!frame) {
            if (!memory_read(alone, at, layout.frame_bytes))
                return FRAMES_TORN;
            frame = alone; /* of a generator, or on the C stack */
            uintptr_t previous =
                alone[layout.frame_owner] == OWNED_BY_THREAD ? step_back(chunk, at, scratch) : 0;
            if (previous) {
                chunk = previous;
                frame = in_scratch(scratch, at) ? in_scratch(scratch, at) : alone;
            }
        }
        if (is_python(frame))
            out[depth++] = frame_ref(frame);
        at = word(frame + layout.frame_previous);
        if (at % sizeof(void *) || step == MAX_STEPS)
            return FRAMES_TORN;
    }
    return depth;
}

/* A look at a thread: its state, and between two looks at its current frame the piece of stack that it is on.
 */
typedef struct {
    uint8_t state[LAYOUT_STATE_BYTES];
    uintptr_t before, after;
} Look;

static bool look(const FrameThread *thread, FrameScratch *scratch, Look *seen) {
    MemoryPart piece = scratch->chunk ? piece_of(scratch->chunk, scratch->top, scratch)
                                      : (MemoryPart){scratch->slot, scratch->bytes, sizeof seen->before};
    MemoryPart parts[] = {{thread->state, seen->state, layout.state_bytes},
                          {scratch->slot, &seen->before, sizeof seen->before},
                          piece,
                          {scratch->slot, &seen->after, sizeof seen->after}};
    scratch->used = 0;
    if (!memory_read_parts(parts, 4))
        return false;
    scratch->from = piece.from;
    scratch->used = piece.size;
    return true;
}

static bool is_there(const FrameThread *thread, const uint8_t *state) {
    return word(state + layout.state_tid) == (uintptr_t)thread->tid &&
           word(state + layout.state_thread_id) == thread->thread_id;
}

/* Where the thread's state says that its frames are. Returns whether that is what the scratch had. */
static bool aim(const FrameThread *thread, const uint8_t *state, FrameScratch *scratch) {
    uintptr_t slot = layout.state_has_cframe ? word(state + layout.state_frame) + layout.cframe_frame
                                             : thread->state + layout.state_frame;
    uintptr_t chunk = word(state + layout.state_chunk);
    bool same = scratch->state == thread->state && scratch->slot == slot && scratch->chunk == chunk;
    scratch->state = thread->state;
    scratch->slot = slot;
    scratch->chunk = chunk;
    /* A little more than it uses now, for the next look; it is there up to the end of the page. */
    scratch->top = chunk ? (word(state + layout.state_top) | (SPARE_BYTES - 1)) + 1 : 0;
    return same;
}

int frames_walk(const FrameThread *thread, FrameScratch *scratch, FrameRef *out, int room) {
    Look seen;
    if (!frames_available())
        return FRAMES_GONE;
    bool aimed = scratch->state == thread->state;
    for (int try = 0; try < TRIES; try++) {
        if (!aimed || !look(thread, scratch, &seen)) {
            if (!memory_read(seen.state, thread->state, layout.state_bytes) || !is_there(thread, seen.state))
                return FRAMES_GONE;
            aim(thread, seen.state, scratch);
            aimed = true;
            if (!look(thread, scratch, &seen))
                continue;
        }
        if (!is_there(thread, seen.state))
            return FRAMES_GONE;
        if (!aim(thread, seen.state, scratch))
            continue;
        /* The last try counts however fast it moves: what is never still would else never be seen. */
        if (seen.before == seen.after || try == TRIES - 1) {
            int depth = walk_from(seen.before, scratch->chunk, scratch, out, room);
            if (depth >= 0)
                return depth;
        }
    }
    return FRAMES_TORN;
}
