#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../watch/ticks.h"
#include "slow.h"

static const char *const names[CALLS] = {
    "read",  "write", "recv", "send",  "sendfile", "poll",  "select",      "connect",     "accept", "fsync",
    "flock", "fcntl", "open", "close", "waitpid",  "sleep", "getaddrinfo", "getnameinfo", "lock",
};

const char *call_name(Call call) {
    return names[call];
}

/* A hook is: the time, their function, the time. It holds nothing that a cancelled thread would have to give
   back, touches errno only where it also puts it back (slow_seen()), and a signal handler may be in it. */
#define TIMED(call, file, what, is_failure, expression)                                                      \
    uint64_t since = ticks_now();                                                                            \
    __typeof__(expression) result = (expression);                                                            \
    uint64_t ticks = ticks_between(since, ticks_now());                                                      \
    if (__builtin_expect(ticks >= atomic_load_explicit(&slow_threshold, memory_order_relaxed), 0))           \
        slow_seen(call, since, ticks, file, what, is_failure);                                               \
    return result

#define PLAIN(call, file, expression) TIMED(call, file, NULL, result < 0 ? errno : 0, expression)

#define HOOKED(result, name, ...)                                                                            \
    static result (*real_##name)(__VA_ARGS__);                                                               \
    static result hook_##name(__VA_ARGS__)

/* -- files -- */

HOOKED(ssize_t, read, int file, void *into, size_t size) {
    PLAIN(CALL_READ, file, real_read(file, into, size));
}

HOOKED(ssize_t, __read_chk, int file, void *into, size_t size, size_t room) {
    PLAIN(CALL_READ, file, real___read_chk(file, into, size, room));
}

HOOKED(ssize_t, readv, int file, const struct iovec *parts, int count) {
    PLAIN(CALL_READ, file, real_readv(file, parts, count));
}

HOOKED(ssize_t, pread, int file, void *into, size_t size, off_t at) {
    PLAIN(CALL_READ, file, real_pread(file, into, size, at));
}

HOOKED(ssize_t, pread64, int file, void *into, size_t size, off64_t at) {
    PLAIN(CALL_READ, file, real_pread64(file, into, size, at));
}

HOOKED(ssize_t, __pread_chk, int file, void *into, size_t size, off_t at, size_t room) {
    PLAIN(CALL_READ, file, real___pread_chk(file, into, size, at, room));
}

HOOKED(ssize_t, __pread64_chk, int file, void *into, size_t size, off64_t at, size_t room) {
    PLAIN(CALL_READ, file, real___pread64_chk(file, into, size, at, room));
}

HOOKED(ssize_t, preadv, int file, const struct iovec *parts, int count, off_t at) {
    PLAIN(CALL_READ, file, real_preadv(file, parts, count, at));
}

HOOKED(ssize_t, preadv64, int file, const struct iovec *parts, int count, off64_t at) {
    PLAIN(CALL_READ, file, real_preadv64(file, parts, count, at));
}

HOOKED(ssize_t, write, int file, const void *from, size_t size) {
    PLAIN(CALL_WRITE, file, real_write(file, from, size));
}

HOOKED(ssize_t, writev, int file, const struct iovec *parts, int count) {
    PLAIN(CALL_WRITE, file, real_writev(file, parts, count));
}

HOOKED(ssize_t, pwrite, int file, const void *from, size_t size, off_t at) {
    PLAIN(CALL_WRITE, file, real_pwrite(file, from, size, at));
}

HOOKED(ssize_t, pwrite64, int file, const void *from, size_t size, off64_t at) {
    PLAIN(CALL_WRITE, file, real_pwrite64(file, from, size, at));
}

HOOKED(ssize_t, pwritev, int file, const struct iovec *parts, int count, off_t at) {
    PLAIN(CALL_WRITE, file, real_pwritev(file, parts, count, at));
}

HOOKED(ssize_t, pwritev64, int file, const struct iovec *parts, int count, off64_t at) {
    PLAIN(CALL_WRITE, file, real_pwritev64(file, parts, count, at));
}

HOOKED(ssize_t, sendfile, int out, int in, off_t *at, size_t size) {
    PLAIN(CALL_SENDFILE, out, real_sendfile(out, in, at, size));
}

HOOKED(ssize_t, sendfile64, int out, int in, off64_t *at, size_t size) {
    PLAIN(CALL_SENDFILE, out, real_sendfile64(out, in, at, size));
}

HOOKED(int, fsync, int file) {
    PLAIN(CALL_FSYNC, file, real_fsync(file));
}

HOOKED(int, fdatasync, int file) {
    PLAIN(CALL_FSYNC, file, real_fdatasync(file));
}

HOOKED(int, flock, int file, int operation) {
    PLAIN(CALL_FLOCK, file, real_flock(file, operation));
}

HOOKED(int, lockf, int file, int operation, off_t size) {
    PLAIN(CALL_FCNTL, file, real_lockf(file, operation, size));
}

HOOKED(int, lockf64, int file, int operation, off64_t size) {
    PLAIN(CALL_FCNTL, file, real_lockf64(file, operation, size));
}

HOOKED(int, close, int file) {
    PLAIN(CALL_CLOSE, -1, real_close(file)); /* the number may be another file's by now */
}

/* Whatever comes third, one or none, is read and passed on as one word, as the C library itself does it. */
#define THIRD(type, last)                                                                                    \
    va_list more;                                                                                            \
    va_start(more, last);                                                                                    \
    type third = va_arg(more, type);                                                                         \
    va_end(more)

HOOKED(int, fcntl, int file, int command, ...) {
    THIRD(void *, command);
    PLAIN(CALL_FCNTL, file, real_fcntl(file, command, third));
}

HOOKED(int, fcntl64, int file, int command, ...) {
    THIRD(void *, command);
    PLAIN(CALL_FCNTL, file, real_fcntl64(file, command, third));
}

/* The mode is there only where a file may be made. */
#define MODE(flags)                                                                                          \
    mode_t mode = 0;                                                                                         \
    if ((flags) & O_CREAT || ((flags) & O_TMPFILE) == O_TMPFILE) {                                           \
        THIRD(mode_t, flags);                                                                                \
        mode = third;                                                                                        \
    }

#define OPENED(path, expression) TIMED(CALL_OPEN, result, path, result < 0 ? errno : 0, expression)

HOOKED(int, open, const char *path, int flags, ...) {
    MODE(flags)
    OPENED(path, real_open(path, flags, mode));
}

HOOKED(int, open64, const char *path, int flags, ...) {
    MODE(flags)
    OPENED(path, real_open64(path, flags, mode));
}

HOOKED(int, openat, int folder, const char *path, int flags, ...) {
    MODE(flags)
    OPENED(path, real_openat(folder, path, flags, mode));
}

HOOKED(int, openat64, int folder, const char *path, int flags, ...) {
    MODE(flags)
    OPENED(path, real_openat64(folder, path, flags, mode));
}

HOOKED(int, __open_2, const char *path, int flags) {
    OPENED(path, real___open_2(path, flags));
}

HOOKED(int, __open64_2, const char *path, int flags) {
    OPENED(path, real___open64_2(path, flags));
}

HOOKED(int, __openat_2, int folder, const char *path, int flags) {
    OPENED(path, real___openat_2(folder, path, flags));
}

HOOKED(int, __openat64_2, int folder, const char *path, int flags) {
    OPENED(path, real___openat64_2(folder, path, flags));
}

/* -- sockets -- */

HOOKED(ssize_t, recv, int file, void *into, size_t size, int flags) {
    PLAIN(CALL_RECEIVE, file, real_recv(file, into, size, flags));
}

HOOKED(ssize_t, __recv_chk, int file, void *into, size_t size, size_t room, int flags) {
    PLAIN(CALL_RECEIVE, file, real___recv_chk(file, into, size, room, flags));
}

HOOKED(ssize_t, recvfrom, int file, void *into, size_t size, int flags, struct sockaddr *from,
       socklen_t *room) {
    PLAIN(CALL_RECEIVE, file, real_recvfrom(file, into, size, flags, from, room));
}

HOOKED(ssize_t, __recvfrom_chk, int file, void *into, size_t size, size_t into_room, int flags,
       struct sockaddr *from, socklen_t *room) {
    PLAIN(CALL_RECEIVE, file, real___recvfrom_chk(file, into, size, into_room, flags, from, room));
}

HOOKED(ssize_t, recvmsg, int file, struct msghdr *message, int flags) {
    PLAIN(CALL_RECEIVE, file, real_recvmsg(file, message, flags));
}

HOOKED(ssize_t, send, int file, const void *from, size_t size, int flags) {
    PLAIN(CALL_SEND, file, real_send(file, from, size, flags));
}

HOOKED(ssize_t, sendto, int file, const void *from, size_t size, int flags, const struct sockaddr *to,
       socklen_t to_size) {
    PLAIN(CALL_SEND, file, real_sendto(file, from, size, flags, to, to_size));
}

HOOKED(ssize_t, sendmsg, int file, const struct msghdr *message, int flags) {
    PLAIN(CALL_SEND, file, real_sendmsg(file, message, flags));
}

HOOKED(int, connect, int file, const struct sockaddr *to, socklen_t to_size) {
    PLAIN(CALL_CONNECT, file, real_connect(file, to, to_size));
}

HOOKED(int, accept, int file, struct sockaddr *from, socklen_t *room) {
    PLAIN(CALL_ACCEPT, file, real_accept(file, from, room));
}

HOOKED(int, accept4, int file, struct sockaddr *from, socklen_t *room, int flags) {
    PLAIN(CALL_ACCEPT, file, real_accept4(file, from, room, flags));
}

/* -- waiting for several -- */

static int only_one(const struct pollfd *files, nfds_t count) {
    return count == 1 ? files[0].fd : -1;
}

HOOKED(int, poll, struct pollfd *files, nfds_t count, int timeout) {
    PLAIN(CALL_POLL, only_one(files, count), real_poll(files, count, timeout));
}

HOOKED(int, __poll_chk, struct pollfd *files, nfds_t count, int timeout, size_t room) {
    PLAIN(CALL_POLL, only_one(files, count), real___poll_chk(files, count, timeout, room));
}

HOOKED(int, ppoll, struct pollfd *files, nfds_t count, const struct timespec *timeout, const sigset_t *mask) {
    PLAIN(CALL_POLL, only_one(files, count), real_ppoll(files, count, timeout, mask));
}

HOOKED(int, __ppoll_chk, struct pollfd *files, nfds_t count, const struct timespec *timeout,
       const sigset_t *mask, size_t room) {
    PLAIN(CALL_POLL, only_one(files, count), real___ppoll_chk(files, count, timeout, mask, room));
}

HOOKED(int, select, int count, fd_set *reading, fd_set *writing, fd_set *other, struct timeval *timeout) {
    PLAIN(CALL_SELECT, -1, real_select(count, reading, writing, other, timeout));
}

HOOKED(int, pselect, int count, fd_set *reading, fd_set *writing, fd_set *other,
       const struct timespec *timeout, const sigset_t *mask) {
    PLAIN(CALL_SELECT, -1, real_pselect(count, reading, writing, other, timeout, mask));
}

/* -- processes, time, names, locks -- */

HOOKED(pid_t, waitpid, pid_t pid, int *status, int options) {
    PLAIN(CALL_WAIT, -1, real_waitpid(pid, status, options));
}

HOOKED(pid_t, wait3, int *status, int options, struct rusage *used) {
    PLAIN(CALL_WAIT, -1, real_wait3(status, options, used));
}

HOOKED(pid_t, wait4, pid_t pid, int *status, int options, struct rusage *used) {
    PLAIN(CALL_WAIT, -1, real_wait4(pid, status, options, used));
}

HOOKED(int, waitid, idtype_t which, id_t id, siginfo_t *info, int options) {
    PLAIN(CALL_WAIT, -1, real_waitid(which, id, info, options));
}

HOOKED(int, nanosleep, const struct timespec *time, struct timespec *left) {
    PLAIN(CALL_SLEEP, -1, real_nanosleep(time, left));
}

HOOKED(int, clock_nanosleep, clockid_t clock, int flags, const struct timespec *time, struct timespec *left) {
    TIMED(CALL_SLEEP, -1, NULL, result, real_clock_nanosleep(clock, flags, time, left));
}

HOOKED(int, usleep, useconds_t time) {
    PLAIN(CALL_SLEEP, -1, real_usleep(time));
}

HOOKED(unsigned, sleep, unsigned time) {
    TIMED(CALL_SLEEP, -1, NULL, 0, real_sleep(time));
}

/* What the resolver waits for is the resolver's, also where it is a library of its own. */
HOOKED(int, getaddrinfo, const char *node, const char *service, const struct addrinfo *hints,
       struct addrinfo **found) {
    slow_inside++;
    uint64_t since = ticks_now();
    int result = real_getaddrinfo(node, service, hints, found);
    uint64_t ticks = ticks_between(since, ticks_now());
    slow_inside--;
    if (ticks >= atomic_load_explicit(&slow_threshold, memory_order_relaxed))
        slow_seen(CALL_GETADDRINFO, since, ticks, -1, node, 0);
    return result;
}

HOOKED(int, getnameinfo, const struct sockaddr *address, socklen_t size, char *host, socklen_t host_room,
       char *service, socklen_t service_room, int flags) {
    slow_inside++;
    uint64_t since = ticks_now();
    int result = real_getnameinfo(address, size, host, host_room, service, service_room, flags);
    uint64_t ticks = ticks_between(since, ticks_now());
    slow_inside--;
    if (ticks >= atomic_load_explicit(&slow_threshold, memory_order_relaxed))
        slow_seen(CALL_GETNAMEINFO, since, ticks, -1, NULL, 0);
    return result;
}

HOOKED(int, gethostbyname_r, const char *name, struct hostent *into, char *room, size_t room_size,
       struct hostent **found, int *error) {
    slow_inside++;
    uint64_t since = ticks_now();
    int result = real_gethostbyname_r(name, into, room, room_size, found, error);
    uint64_t ticks = ticks_between(since, ticks_now());
    slow_inside--;
    if (ticks >= atomic_load_explicit(&slow_threshold, memory_order_relaxed))
        slow_seen(CALL_GETADDRINFO, since, ticks, -1, name, 0);
    return result;
}

HOOKED(int, sem_wait, sem_t *semaphore) {
    PLAIN(CALL_LOCK, -1, real_sem_wait(semaphore));
}

HOOKED(int, sem_timedwait, sem_t *semaphore, const struct timespec *until) {
    PLAIN(CALL_LOCK, -1, real_sem_timedwait(semaphore, until));
}

HOOKED(int, sem_clockwait, sem_t *semaphore, clockid_t clock, const struct timespec *until) {
    PLAIN(CALL_LOCK, -1, real_sem_clockwait(semaphore, clock, until));
}

#define HOOK(name) {#name, (void *)hook_##name, (void **)&real_##name}
enum { LOCK_HOOKS = 3 };
static const Hook hooks[] = {
    HOOK(read),
    HOOK(__read_chk),
    HOOK(readv),
    HOOK(pread),
    HOOK(pread64),
    HOOK(__pread_chk),
    HOOK(__pread64_chk),
    HOOK(preadv),
    HOOK(preadv64),
    HOOK(write),
    HOOK(writev),
    HOOK(pwrite),
    HOOK(pwrite64),
    HOOK(pwritev),
    HOOK(pwritev64),
    HOOK(sendfile),
    HOOK(sendfile64),
    HOOK(fsync),
    HOOK(fdatasync),
    HOOK(flock),
    HOOK(lockf),
    HOOK(lockf64),
    HOOK(close),
    HOOK(fcntl),
    HOOK(fcntl64),
    HOOK(open),
    HOOK(open64),
    HOOK(openat),
    HOOK(openat64),
    HOOK(__open_2),
    HOOK(__open64_2),
    HOOK(__openat_2),
    HOOK(__openat64_2),
    HOOK(recv),
    HOOK(__recv_chk),
    HOOK(recvfrom),
    HOOK(__recvfrom_chk),
    HOOK(recvmsg),
    HOOK(send),
    HOOK(sendto),
    HOOK(sendmsg),
    HOOK(connect),
    HOOK(accept),
    HOOK(accept4),
    HOOK(poll),
    HOOK(__poll_chk),
    HOOK(ppoll),
    HOOK(__ppoll_chk),
    HOOK(select),
    HOOK(pselect),
    HOOK(waitpid),
    HOOK(wait3),
    HOOK(wait4),
    HOOK(waitid),
    HOOK(nanosleep),
    HOOK(clock_nanosleep),
    HOOK(usleep),
    HOOK(sleep),
    HOOK(getaddrinfo),
    HOOK(getnameinfo),
    HOOK(gethostbyname_r),
    /* the last LOCK_HOOKS: */
    HOOK(sem_wait),
    HOOK(sem_timedwait),
    HOOK(sem_clockwait),
};

const Hook *calls_hooks(bool with_locks, size_t *count) {
    *count = sizeof hooks / sizeof *hooks - (with_locks ? 0 : LOCK_HOOKS);
    return hooks;
}
