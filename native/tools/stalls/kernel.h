/* What the kernel says that a thread of this process is in. No Python, no allocation. */
#ifndef SONDE_STALLS_KERNEL_H
#define SONDE_STALLS_KERNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct {
    bool is_known;  /* false: the kernel does not tell */
    int call;       /* number of the system call, -1: in none */
    uintptr_t what; /* its first argument */
} KernelCall;

KernelCall kernel_call(pid_t tid);

/* Whether the call waits for the GIL; whether for any other lock. */
bool kernel_waits_for_gil(const KernelCall *call);
bool kernel_waits_for_lock(const KernelCall *call);

#endif
