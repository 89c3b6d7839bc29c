/* What an agent says to a probe, under libFuzzer, see scripts/fuzz: the input is written into a real socket,
   the probe's connection reads it, and the text of each command is asked for as the tools do.

   The first byte says in how many pieces it comes. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../sending/commands.h"
#include "../sending/connection.h"
#include "../sending/frame_queue.h"

static char path[64];
static int listener;

static bool answers(const uint8_t *json, size_t size) {
    char id[40];
    if (commands_for_others.text_of(json, size, "id", id, sizeof id) && strlen(id) >= sizeof id)
        abort();
    return size % 2;
}

static void remove_socket(void) {
    unlink(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(path, sizeof path, "/tmp/sonde-fuzz-%d.sock", getpid());
    memcpy(address.sun_path, path, strlen(path));
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 8) < 0)
        abort();
    atexit(remove_socket);
    commands_for_others.answer_by(answers);
    return 0;
}

static void empty(FrameQueue *queue, size_t most) {
    for (Frame *frame; (frame = queue_take(queue)); free(frame)) {
        if (frame->size > most)
            abort();
        char text[16];
        commands_for_others.text_of(frame->bytes, frame->size, "do", text, sizeof text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    size_t piece = 1 + (size - 1) / (1 + data[0] % 8);
    if (!connection_open(path))
        abort();
    int agent = accept(listener, NULL, NULL);
    if (agent < 0)
        abort();
    for (size_t at = 1; at < size && connection_is_open(); at += piece) {
        size_t now = size - at < piece ? size - at : piece;
        if (send(agent, data + at, now, MSG_NOSIGNAL) != (ssize_t)now)
            abort();
        connection_receive();
    }
    close(agent);
    connection_close();
    empty(&inbox, size);
    empty(&command_inbox, size);
    return 0;
}
