#include "process.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../sending/connection.h"
#include "counters.h"
#include "../sending/frame_queue.h"
#include "../spans/ids.h"
#include "recorder.h"
#include "../sending/rings.h"
#include "../sending/sender.h"
#include "../spans/tally.h"
#include "../sending/target.h"
#include "tick.h"
#include "../sending/work.h"

/* The order in which the sender's thread nests its locks. Held over the fork, none is in anybody else's hands
   in the child. No one holds them for longer than a few instructions, and never while it needs the GIL. */
static bool by_thread;

static void before(void) {
    by_thread = syscall(SYS_gettid) != getpid();
    work_before_fork();
    sender_before_fork();
    target_before_fork();
    rings_before_fork();
    connection_before_fork();
    queues_before_fork();
}

static void in_parent(void) {
    queues_after_fork_in_parent();
    connection_after_fork_in_parent();
    rings_after_fork_in_parent();
    target_after_fork();
    sender_after_fork_in_parent();
    work_after_fork_in_parent();
}

/* Also runs in the child of a program that starts another: no memory is taken, nothing is waited for. */
static void in_child(void) {
    counters_reset();
    ids_after_fork_in_child();
    recorder_after_fork_in_child();
    tally_after_fork_in_child();
    tick_after_fork_in_child();
    queues_after_fork_in_child();
    connection_after_fork_in_child();
    rings_after_fork_in_child();
    target_after_fork();
    sender_after_fork_in_child(by_thread);
    work_after_fork_in_child();
}

int process_watch_forks(void) {
    static int watched;
    if (watched)
        return 0;
    int error = pthread_atfork(before, in_parent, in_child);
    watched = error == 0;
    return error;
}
