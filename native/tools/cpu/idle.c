#include "idle.h"

#include <stddef.h>
#include <string.h>

#include "functions.h"
#include "tree.h"

/* The innermost function, and one of those that called it. Empty: whatever it is called. */
static const struct {
    const char *name, *file, *caller, *caller_file;
} waits[] = {
    {"", "/selectors.py", "BaseEventLoop._run_once", "/asyncio/base_events.py"},
    {"", "/selectors.py", "BaseServer.serve_forever", "/socketserver.py"},
    {"", "/selectors.py", "ThreadWorker.run", "/gunicorn/workers/gthread.py"},
    {"", "/selectors.py", "Pool._wait_for_updates", "/multiprocessing/pool.py"},
    {"", "/selectors.py", "Manager.serve_forever", "/multiprocessing/managers.py"},
    {"Runner.run", "/asyncio/runners.py", "", ""}, /* uvloop: its loop is C */
    {"_worker", "/concurrent/futures/thread.py", "", ""},
    {"Condition.wait", "/threading.py", "Queue.get", "/queue.py"},
    {"Thread._wait_for_tstate_lock", "/threading.py", "", ""},
    {"Thread.join", "/threading.py", "", ""},
    {"_shutdown", "/threading.py", "", ""},
    {"socket.accept", "/socket.py", "", ""},
    {"SyncWorker.wait", "/gunicorn/workers/sync.py", "", ""},
    {"Arbiter.sleep", "/gunicorn/arbiter.py", "", ""},
    {"poll", "/waitress/wasyncore.py", "", ""},
    {"poll2", "/waitress/wasyncore.py", "", ""},
    {"Connection._recv", "/multiprocessing/connection.py", "SimpleQueue.get", "/multiprocessing/queues.py"},
};

enum { OUTWARD = 4 };

static bool is_function(int32_t node, const char *name, const char *file) {
    const Function *function = functions_at(tree_at((uint32_t)node)->function);
    const char *path = functions_text(function->file);
    size_t length = strlen(path), ending = strlen(file);
    return (!*name || !strcmp(functions_text(function->name), name)) && length >= ending &&
           !strcmp(path + length - ending, file);
}

bool idle_is(int32_t node) {
    for (size_t at = 0; at < sizeof waits / sizeof *waits; at++) {
        if (!is_function(node, waits[at].name, waits[at].file))
            continue;
        if (!*waits[at].caller)
            return true;
        int32_t caller = tree_at((uint32_t)node)->parent;
        for (int step = 0; step < OUTWARD && caller != NO_NODE; step++) {
            if (is_function(caller, waits[at].caller, waits[at].caller_file))
                return true;
            caller = tree_at((uint32_t)caller)->parent;
        }
    }
    return false;
}
