#include "frames.h"

#include <string.h>
#include <time.h>

#include "layout.h"
#include "memory.h"
#include "state.h"

enum { MAX_LISTED = 1 << 16 };

uintptr_t frames_pulse(uint64_t *births) {
    uintptr_t holder = 0;
    int locked = 0;
    MemoryPart parts[] = {{frames_gil + layout.gil_locked, &locked, sizeof locked},
                          {frames_gil + layout.gil_holder, &holder, sizeof holder},
                          {frames_interpreter + layout.interp_births, births, sizeof *births}};
    return frames_available() && memory_read_parts(parts, 3) && locked > 0 ? holder : 0;
}

uintptr_t frames_gil_holder(void) {
    uint64_t births;
    return frames_pulse(&births);
}

static uintptr_t word(const uint8_t *at) {
    uintptr_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

/* Reads one thread state. Returns the address of the next one, 0: the end. */
static uintptr_t read_thread(uintptr_t state, FrameThread *thread) {
    uint8_t bytes[LAYOUT_STATE_BYTES];
    if (!memory_read(bytes, state, layout.state_bytes)) {
        thread->state = 0;
        return 0;
    }
    *thread = (FrameThread){state, word(bytes + layout.state_thread_id),
                            (pid_t)word(bytes + layout.state_tid), false};
    return word(bytes + layout.state_next);
}

/* With `tid`: only that one, else all. While a thread is being made, 3.11 shows its state with its maker's
   native id, so of two the older counts. */
static int list(pid_t tid, FrameThread *out, int room, bool *whole) {
    uintptr_t at;
    int count = 0;
    FrameThread found = {0};
    if (!frames_available() || !memory_read(&at, frames_interpreter + layout.interp_threads_head, sizeof at))
        return 0;
    for (int step = 0; at && at % sizeof(void *) == 0 && count < room && step < MAX_LISTED; step++) {
        FrameThread *thread = &out[count];
        at = read_thread(at, thread);
        *whole = *whole && thread->state && thread->tid > 0;
        if (!tid && thread->state && thread->tid > 0)
            count++;
        else if (tid && thread->state && thread->tid == tid)
            found = *thread;
    }
    if (found.state)
        out[count++] = found;
    uintptr_t holder = count ? frames_gil_holder() : 0;
    for (int which = 0; which < count; which++)
        out[which].holds_gil = out[which].state == holder;
    return count;
}

int frames_threads_so_far(FrameThread *out, int room, bool *whole) {
    *whole = true;
    return list(0, out, room, whole);
}

int frames_threads(FrameThread *out, int room) {
    bool whole;
    return frames_threads_so_far(out, room, &whole);
}

bool frames_find(pid_t tid, FrameThread *out) {
    bool whole = true;
    return tid > 0 && list(tid, out, 1, &whole) == 1;
}

uint64_t frames_thread_cpu_ns(pid_t tid) {
    /* What pthread_getcpuclockid() makes of a thread's id; that function wants a thread that still lives. */
    enum { PER_THREAD = 4, SCHEDULED = 2 };
    clockid_t clock = (clockid_t)(~(unsigned)tid << 3 | PER_THREAD | SCHEDULED);
    struct timespec used;
    if (tid <= 0 || clock_gettime(clock, &used) != 0)
        return 0;
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}
