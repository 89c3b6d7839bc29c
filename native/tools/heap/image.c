#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NICE = 10, FAILED = 1 };

static uint64_t clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The application's handlers are not to hear of our faults. */
static void drop_handlers(void) {
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS};
    struct sigaction plain = {.sa_handler = SIG_DFL};
    for (size_t at = 0; at < sizeof faults / sizeof *faults; at++)
        sigaction(faults[at], &plain, NULL);
}

/* Without memory somebody has to go: not the application. */
static void go_first(void) {
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return;
    if (write(file, "1000", 4) != 4)
        setpriority(PRIO_PROCESS, 0, NICE); /* it is asked for below; there is nothing else to be done */
    close(file);
}

static void be_the_other(pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(FAILED);
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    drop_handlers();
    go_first();
    setpriority(PRIO_PROCESS, 0, NICE);
    prctl(PR_SET_NAME, "sonde-heap");
}

int image_take(Image *image, void (*look)(void *), void *arg) {
    pid_t self = getpid();
    uint64_t began = clock_ns();
    long pid = syscall(SYS_clone, CLONE_FILES | CLONE_FS, 0, 0, 0, 0);
    if (pid == 0) {
        be_the_other(self);
        look(arg);
        syscall(SYS_exit_group, 0);
    }
    *image = (Image){.pid = pid > 0 ? (pid_t)pid : 0, .parent = self, .pause_ns = clock_ns() - began};
    return pid > 0 ? 0 : -1;
}

static bool reap(Image *image, int how) {
    struct rusage used;
    int status;
    pid_t found;
    do
        found = wait4(image->pid, &status, __WALL | how, &used);
    while (found < 0 && errno == EINTR);
    if (found == 0)
        return false;
    image->status = found > 0 ? status : -1;
    if (found > 0)
        image->cpu_ns = (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000000u +
                        (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000u;
    image->pid = 0;
    return true;
}

bool image_ended(Image *image) {
    return !image->pid || reap(image, WNOHANG);
}

void image_end(Image *image) {
    if (!image->pid || image->parent != getpid())
        return; /* a forked child's copy: the process is its parent's */
    if (!image_ended(image)) {
        kill(image->pid, SIGKILL);
        reap(image, 0);
    }
}
