/* COMMAND frames of the agent: who answers one without the interpreter, and what it says. No Python in here.

   Another extension gets at this by `PyCapsule_Import(COMMANDS_CAPSULE, 0)`, which gives a `const Commands *`
   that stays where it is for the life of the process. */
#ifndef SONDE_COMMANDS_H
#define SONDE_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COMMANDS_CAPSULE "sonde.probe.core._core._commands"

enum { FRAME_COMMAND = 7, FRAME_REPLY = 8, FRAME_CHUNK = 9 };

/* Asked in the sender's thread, without the GIL and with no lock held, about a command that starts the tool
   `stacks`. The JSON is not terminated, and lives until the call returns. True: it was answered, Python hears
   nothing of it. */
typedef bool (*CommandAnswers)(const uint8_t *json, size_t size);

typedef struct {
    /* Whom to ask from now on; NULL: nobody. Any thread. The last one wins, also over a fork. */
    void (*answer_by)(CommandAnswers answers);

    /* Send a frame, FRAME_REPLY or FRAME_CHUNK, of up to 1 MiB behind what waits already. The payload is
       copied. Any thread; waits for nobody. */
    void (*say)(uint8_t kind, const void *payload, size_t size);

    /* Copy the text at the top-level member `name` of a JSON object to `text`, terminated. False: there is
       none, it is no plain text (it has an escape), or it does not fit. */
    bool (*text_of)(const uint8_t *json, size_t size, const char *name, char *text, size_t room);
} Commands;

extern const Commands commands_for_others;

/* A COMMAND has come, in the sender's thread. True: it is answered. */
bool commands_answered(const uint8_t *json, size_t size);

#endif
