/* What the kernel says that a thread of this process is doing. No Python, no allocation. */
#ifndef SONDE_STACKS_KERNEL_H
#define SONDE_STACKS_KERNEL_H

#include <sys/types.h>

typedef struct {
    char name[32];    /* as the kernel has it, with other bytes than ASCII as ? */
    char state[2];    /* R runs, S sleeps, D waits for a device, …; empty: the thread is gone */
    char syscall[32]; /* that it is in; empty: in none, or it is not told */
    char place[64];   /* in the kernel where it waits; empty: nowhere, or it is not told */
} KernelState;

void kernel_state(pid_t tid, KernelState *out);

#endif
