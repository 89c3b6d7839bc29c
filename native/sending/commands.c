#include "commands.h"

#include <stdatomic.h>
#include <string.h>

#include "frame_queue.h"
#include "sender.h"

static _Atomic(CommandAnswers) asked;

static void answer_by(CommandAnswers answers) {
    atomic_store(&asked, answers);
}

static void say(uint8_t kind, const void *payload, size_t size) {
    queue_add(&outbox, kind, payload, size);
    sender_wake(true);
}

/* -- just enough of JSON to tell one command from another -- */

typedef struct {
    const uint8_t *at, *end;
} Text;

static bool skip(Text *in, char wanted) {
    while (in->at < in->end && strchr(" \t\r\n", *in->at) && *in->at)
        in->at++;
    if (in->at == in->end || *in->at != wanted)
        return false;
    in->at++;
    return true;
}

/* Past a text whose first quote was skipped; what was in it, as it was written. False: it has no end. */
static bool read_text(Text *in, Text *inside) {
    inside->at = in->at;
    for (; in->at < in->end && *in->at != '"'; in->at++)
        if (*in->at == '\\' && ++in->at == in->end)
            return false;
    inside->end = in->at;
    return skip(in, '"');
}

/* Past any value, up to the comma or the brace behind it. False: there is no end. */
static bool skip_value(Text *in) {
    Text inside;
    for (int depth = 0; in->at < in->end; in->at++) {
        uint8_t now = *in->at;
        if (depth == 0 && (now == ',' || now == '}'))
            return true;
        depth += (now == '{' || now == '[') - (now == '}' || now == ']');
        if (now == '"') {
            in->at++;
            if (!read_text(in, &inside))
                return false;
            in->at--;
        }
    }
    return false;
}

static bool is_named(Text found, const char *name) {
    size_t size = (size_t)(found.end - found.at);
    return size == strlen(name) && memcmp(found.at, name, size) == 0;
}

static bool copy_plain(Text found, char *text, size_t room) {
    size_t size = (size_t)(found.end - found.at);
    if (size >= room || memchr(found.at, '\\', size) || memchr(found.at, 0, size))
        return false;
    memcpy(text, found.at, size);
    text[size] = 0;
    return true;
}

static bool text_of(const uint8_t *json, size_t size, const char *name, char *text, size_t room) {
    Text in = {json, json + size}, key, value;
    if (!skip(&in, '{'))
        return false;
    do {
        if (!skip(&in, '"') || !read_text(&in, &key) || !skip(&in, ':'))
            return false;
        if (is_named(key, name))
            return skip(&in, '"') && read_text(&in, &value) && copy_plain(value, text, room);
        if (!skip_value(&in))
            return false;
    } while (skip(&in, ','));
    return false;
}

const Commands commands_for_others = {.answer_by = answer_by, .say = say, .text_of = text_of};

bool commands_answered(const uint8_t *json, size_t size) {
    CommandAnswers answers = atomic_load(&asked);
    char does[8], tool[8];
    return answers && text_of(json, size, "do", does, sizeof does) && strcmp(does, "start") == 0 &&
           text_of(json, size, "tool", tool, sizeof tool) && strcmp(tool, "stacks") == 0 &&
           answers(json, size);
}
