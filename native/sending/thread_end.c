#include "thread_end.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../spans/clock.h"

void thread_end_wait(pid_t thread, uint64_t until_ns) {
    const struct timespec a_little = {.tv_nsec = 50000};
    while (thread && !syscall(SYS_tgkill, getpid(), thread, 0) && clock_monotonic_ns() < until_ns)
        nanosleep(&a_little, NULL);
}
