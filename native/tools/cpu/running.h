/* Whether a thread is about something now, or waits. */
#ifndef SONDE_CPU_RUNNING_H
#define SONDE_CPU_RUNNING_H

#include <stdbool.h>
#include <sys/types.h>

/* It runs, or would if a processor were free. False also for one that has ended. */
bool running_now(pid_t tid);

#endif
