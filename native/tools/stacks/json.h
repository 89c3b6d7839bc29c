/* JSON into memory that has an end. What no longer fits is left out from a mark on, so that it stays JSON. No
   Python, no allocation. */
#ifndef SONDE_STACKS_JSON_H
#define SONDE_STACKS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    char *text;
    size_t used, room;
    bool full;
} Json;

/* As it is. */
void json_raw(Json *json, const char *text);

/* In quotes. Bytes that are no UTF-8 are not looked for. */
void json_text(Json *json, const char *text);

void json_number(Json *json, int64_t number);

/* `"name":` */
void json_key(Json *json, const char *name);

/* Back to where it had used so much; it is not full any more. */
void json_back_to(Json *json, size_t used);

#endif
