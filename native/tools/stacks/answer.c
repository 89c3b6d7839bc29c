#include "answer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../../core/own_thread.h"
#include "capture.h"

enum {
    MAX_RUNS = 8,
    ID_ROOM = 65,
    SLICE_MS = 20,
    STACK_BYTES = 256 << 10,
    FRAMES_SHOWN = 60,
    END_BYTES = 1024
};

typedef enum { FREE, WAITS, ANSWERED } RunState;
typedef struct {
    char id[ID_ROOM];
    RunState state;
    unsigned number;
} Run;

static const Commands *commands;
static char python_version[64];
static _Atomic unsigned answered;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Run runs[MAX_RUNS]; /* under `mutex` */
static unsigned number;

/* -- which runs wait -- */

static Run *find(const char *id) {
    for (int at = 0; at < MAX_RUNS; at++)
        if (runs[at].state != FREE && !strcmp(runs[at].id, id))
            return &runs[at];
    return NULL;
}

/* One that waits keeps its place; of the others the oldest goes. NULL: all wait. */
static Run *place(void) {
    Run *found = NULL;
    for (int at = 0; at < MAX_RUNS; at++)
        if (runs[at].state == FREE)
            return &runs[at];
        else if (runs[at].state == ANSWERED && (!found || runs[at].number < found->number))
            found = &runs[at];
    return found;
}

static bool remember(const char *id) {
    pthread_mutex_lock(&mutex);
    Run *run = find(id) ? NULL : place();
    if (run) {
        memcpy(run->id, id, strlen(id) + 1);
        run->state = WAITS;
        run->number = ++number;
    }
    pthread_mutex_unlock(&mutex);
    return run != NULL;
}

bool answer_claim(const char *id) {
    pthread_mutex_lock(&mutex);
    Run *run = find(id);
    bool ours = run && run->state == ANSWERED;
    if (run)
        run->state = FREE;
    pthread_mutex_unlock(&mutex);
    return !ours;
}

/* True: Python has not claimed it, and now it cannot any more. */
static bool take(const char *id, bool take_it) {
    pthread_mutex_lock(&mutex);
    Run *run = find(id);
    bool waits = run && run->state == WAITS;
    if (waits && take_it)
        run->state = ANSWERED;
    pthread_mutex_unlock(&mutex);
    return waits;
}

unsigned answer_count(void) {
    return atomic_load(&answered);
}

/* -- the document -- */

static void put_moment(Json *json) {
    struct timespec now;
    struct tm parts;
    char text[64], whole[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(whole, sizeof whole, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text, sizeof text, "%s.%03ldZ", whole, now.tv_nsec / 1000000);
    json_text(json, text);
}

static void put_notes(Json *json, Captured seen) {
    char text[160];
    json_raw(json, ",\"notes\":[");
    json_text(
        json,
        "Python did not answer: the process is stuck, or very busy. Read without it, so names of threads "
        "are the kernel's, and tasks of asyncio are not told.");
    if (seen.left_out || seen.no_memory) {
        snprintf(text, sizeof text, "%d of %d threads found no room in the answer.", seen.left_out,
                 seen.threads);
        json_raw(json, ",");
        json_text(json, seen.no_memory ? "There was no memory to read any thread." : text);
    }
    if (seen.cut) {
        snprintf(text, sizeof text, "%d threads are deeper than what is shown of them.", seen.cut);
        json_raw(json, ",");
        json_text(json, text);
    }
    json_raw(json, "]");
}

static void put_document(Json *json, const char *id) {
    json_raw(json, "{\"id\":");
    json_text(json, id);
    json_raw(json, ",\"event\":\"result\",\"artifacts\":[],\"document\":{\"format\":\"sonde.result.v1\","
                   "\"tool\":\"stacks\",\"service\":\"\",\"instance\":\"\",\"seconds\":0.0,\"pid\":");
    json_number(json, getpid());
    json_raw(json, ",\"python\":");
    json_text(json, python_version);
    json_raw(json, ",\"started_at\":");
    put_moment(json);
    json_raw(json,
             ",\"summary\":{\"format\":\"sonde.stacks.v1\",\"way\":\"native\",\"loops\":[],\"threads\":");
    json->room -= END_BYTES;
    Captured seen = capture_threads(json, 0, FRAMES_SHOWN);
    json->room += END_BYTES;
    json_raw(json, "}");
    put_notes(json, seen);
    json_raw(json, "}}");
}

static void say_started(const char *id) {
    char text[256];
    int size = snprintf(text, sizeof text,
                        "{\"id\":\"%s\",\"event\":\"started\",\"tool\":\"stacks\",\"pid\":%d,\"seconds\":0}",
                        id, (int)getpid());
    commands->say(FRAME_REPLY, text, (size_t)size);
}

static void answer(const char *id) {
    Json json = {.room = MAX_ANSWER_BYTES};
    json.text = mmap(NULL, MAX_ANSWER_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (json.text == MAP_FAILED)
        return; /* Python may still do it */
    if (take(id, true)) {
        put_document(&json, id);
        say_started(id);
        commands->say(FRAME_REPLY, json.text, json.used);
        atomic_fetch_add(&answered, 1);
    }
    munmap(json.text, MAX_ANSWER_BYTES);
}

/* -- waiting -- */

static void *wait_for_python(void *given) {
    own_thread_is("sonde-stacks");
    char *id = given;
    const struct timespec slice = {.tv_nsec = SLICE_MS * 1000000L};
    for (int waited = 0; waited < GRACE_MS && take(id, false); waited += SLICE_MS)
        nanosleep(&slice, NULL);
    answer(id);
    free(id);
    return NULL;
}

static void begin_to_wait(char *id) {
    pthread_t thread;
    if (own_thread_begin(&thread, STACK_BYTES, false, wait_for_python, id) != 0) {
        answer_claim(id);
        free(id);
    }
}

/* Python hears of every command; who is first answers. */
static bool heard(const uint8_t *command, size_t size) {
    char id[ID_ROOM];
    if (commands->text_of(command, size, "id", id, sizeof id) && *id && remember(id)) {
        char *kept = strdup(id);
        if (kept)
            begin_to_wait(kept);
        else
            answer_claim(id);
    }
    return false;
}

/* The threads that waited are the parent's, and so are the runs. */
static void after_fork_in_child(void) {
    pthread_mutex_init(&mutex, NULL);
    memset(runs, 0, sizeof runs);
}

int answer_listen(const Commands *from, const char *python) {
    static bool follows;
    int error = follows ? 0 : pthread_atfork(NULL, NULL, after_fork_in_child);
    if (error)
        return error;
    follows = true;
    snprintf(python_version, sizeof python_version, "%s", python);
    commands = from;
    from->answer_by(heard);
    return 0;
}
