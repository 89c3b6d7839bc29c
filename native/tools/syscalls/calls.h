/* The functions of the C library that are timed: those that may wait, for a disk, a network, a process, a
   lock or the time. epoll is not among them: who waits in it has nothing to do. */
#ifndef SONDE_SYSCALLS_CALLS_H
#define SONDE_SYSCALLS_CALLS_H

#include <stddef.h>

#include "../watch/slots.h"

/* What people read: several functions are one call to them. */
typedef enum {
    CALL_READ,
    CALL_WRITE,
    CALL_RECEIVE,
    CALL_SEND,
    CALL_SENDFILE,
    CALL_POLL,
    CALL_SELECT,
    CALL_CONNECT,
    CALL_ACCEPT,
    CALL_FSYNC,
    CALL_FLOCK,
    CALL_FCNTL,
    CALL_OPEN,
    CALL_CLOSE,
    CALL_WAIT,
    CALL_SLEEP,
    CALL_GETADDRINFO,
    CALL_GETNAMEINFO,
    CALL_LOCK,
    CALLS,
} Call;

/* Its name. */
const char *call_name(Call call);

/* All of them; `with_locks`: also the semaphores that Python's locks are made of. */
const Hook *calls_hooks(bool with_locks, size_t *count);

#endif
