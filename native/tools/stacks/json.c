#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void put(Json *json, const char *bytes, size_t size) {
    if (json->full || json->room - json->used < size) {
        json->full = true;
        return;
    }
    memcpy(json->text + json->used, bytes, size);
    json->used += size;
}

void json_raw(Json *json, const char *text) {
    put(json, text, strlen(text));
}

void json_text(Json *json, const char *text) {
    char escaped[8];
    put(json, "\"", 1);
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\') {
            put(json, (char[]){'\\', *text}, 2);
        } else if (byte < 0x20) {
            snprintf(escaped, sizeof escaped, "\\u%04x", byte);
            put(json, escaped, 6);
        } else {
            put(json, text, 1);
        }
    }
    put(json, "\"", 1);
}

void json_number(Json *json, int64_t number) {
    char digits[32];
    snprintf(digits, sizeof digits, "%" PRId64, number);
    json_raw(json, digits);
}

void json_key(Json *json, const char *name) {
    json_text(json, name);
    put(json, ":", 1);
}

void json_back_to(Json *json, size_t used) {
    json->used = used;
    json->full = false;
}
