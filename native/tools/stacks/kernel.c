#include "kernel.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Those that a program waits in. */
#define CALL(name) {SYS_##name, #name}
static const struct {
    long number;
    const char *name;
} calls[] = {
    CALL(read),
    CALL(write),
    CALL(readv),
    CALL(writev),
    CALL(pread64),
    CALL(pwrite64),
    CALL(futex),
    CALL(epoll_pwait),
    CALL(ppoll),
    CALL(pselect6),
    CALL(recvfrom),
    CALL(recvmsg),
    CALL(recvmmsg),
    CALL(sendto),
    CALL(sendmsg),
    CALL(sendfile),
    CALL(accept),
    CALL(accept4),
    CALL(connect),
    CALL(nanosleep),
    CALL(clock_nanosleep),
    CALL(restart_syscall),
    CALL(wait4),
    CALL(waitid),
    CALL(fsync),
    CALL(fdatasync),
    CALL(sync_file_range),
    CALL(flock),
    CALL(fcntl),
    CALL(ioctl),
    CALL(openat),
    CALL(close),
    CALL(getdents64),
    CALL(unlinkat),
    CALL(renameat2),
    CALL(rt_sigsuspend),
    CALL(rt_sigtimedwait),
    CALL(io_getevents),
    CALL(io_uring_enter),
    CALL(splice),
    CALL(semtimedop),
    CALL(msgrcv),
    CALL(mq_timedreceive),
    CALL(getrandom),
    CALL(mmap),
    CALL(munmap),
    CALL(madvise),
    CALL(execve),
    CALL(sched_yield),
#ifdef SYS_epoll_wait
    CALL(epoll_wait),
#endif
#ifdef SYS_poll
    CALL(poll),
#endif
#ifdef SYS_select
    CALL(select),
#endif
#ifdef SYS_pause
    CALL(pause),
#endif
#ifdef SYS_open
    CALL(open),
#endif
#ifdef SYS_unlink
    CALL(unlink),
#endif
#ifdef SYS_rename
    CALL(rename),
#endif
};
#undef CALL

/* Terminated; empty where it cannot be read. */
static void read_file(pid_t tid, const char *name, char *out, size_t room) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/%s", (int)tid, name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = file >= 0 ? read(file, out, room - 1) : -1;
    if (file >= 0)
        close(file);
    out[size > 0 ? size : 0] = 0;
}

static void plain(char *text) {
    for (; *text; text++)
        if (*text == '\n')
            *text = 0;
        else if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
            *text = '?';
}

static void name_call(const char *told, char *out, size_t room) {
    out[0] = 0;
    if (*told < '0' || *told > '9') /* "running", or -1: it waits, but not in a call */
        return;
    long number = strtol(told, NULL, 10);
    for (size_t at = 0; at < sizeof calls / sizeof *calls; at++)
        if (calls[at].number == number) {
            snprintf(out, room, "%s", calls[at].name);
            return;
        }
    snprintf(out, room, "number %ld", number);
}

void kernel_state(pid_t tid, KernelState *out) {
    char text[512];
    read_file(tid, "comm", out->name, sizeof out->name);
    plain(out->name);
    read_file(tid, "stat", text, sizeof text);
    const char *after_name = strrchr(text, ')');
    out->state[0] = after_name && after_name[1] == ' ' ? after_name[2] : 0;
    out->state[1] = 0;
    read_file(tid, "syscall", text, sizeof text);
    name_call(text, out->syscall, sizeof out->syscall);
    read_file(tid, "wchan", out->place, sizeof out->place);
    plain(out->place);
    if (!strcmp(out->place, "0"))
        out->place[0] = 0;
}
