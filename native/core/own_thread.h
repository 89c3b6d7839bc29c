/* Threads of ours in somebody else's process: they have a small stack and a name, and hear no signals. */
#ifndef SONDE_OWN_THREAD_H
#define SONDE_OWN_THREAD_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>

/* What the thread is called in `top -H` and debuggers, at most 15 bytes. It says so itself: one that nobody
   joins may have ended before its handle can be used. */
static inline void own_thread_is(const char *name) {
    prctl(PR_SET_NAME, name);
}

/* 0, or what pthread_create says. */
static inline int own_thread_begin(pthread_t *thread, size_t stack_bytes, bool joined, void *(*run)(void *),
                                   void *given) {
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_bytes);
    pthread_attr_setdetachstate(&attributes, joined ? PTHREAD_CREATE_JOINABLE : PTHREAD_CREATE_DETACHED);
    /* Signals are the application's: none may be delivered to a thread that it does not know. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(thread, &attributes, run, given);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error;
}

#endif
