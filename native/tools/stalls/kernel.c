#include "kernel.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../frames/state.h"

/* Of CPython's _gil_runtime_state, 3.11 to 3.13: an interval, the holder, two counters, and a mutex and a
   condition twice. */
enum { GIL_BYTES = 208 };

/* Opened anew each time: a program that closes all its files would leave us with one of its own. */
KernelCall kernel_call(pid_t tid) {
    char path[48], text[256];
    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", (int)tid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = file >= 0 ? read(file, text, sizeof text - 1) : -1;
    if (file >= 0)
        close(file);
    if (size <= 0)
        return (KernelCall){.call = -1};
    text[size] = 0;
    if (text[0] < '0' || text[0] > '9') /* "running", or -1: it waits, but not in a call */
        return (KernelCall){.is_known = true, .call = -1};
    char *after;
    int call = (int)strtol(text, &after, 10);
    return (KernelCall){true, call, (uintptr_t)strtoull(after, NULL, 16)};
}

bool kernel_waits_for_gil(const KernelCall *call) {
    return call->call == SYS_futex && call->what - frames_gil < GIL_BYTES;
}

bool kernel_waits_for_lock(const KernelCall *call) {
    return call->call == SYS_futex;
}
