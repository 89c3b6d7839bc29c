/* JSON, written into memory that both processes have. What does not fit is left out, and `full` says so. */
#ifndef SONDE_HEAP_WRITER_H
#define SONDE_HEAP_WRITER_H

#include "../../python/compat.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    size_t used, room;
    bool full, comma;
    char *text;
} Writer;

/* A value stands on its own in a list; in an object, `key` comes before it. */
void write_open(Writer *writer, char bracket);
void write_close(Writer *writer, char bracket);
void write_key(Writer *writer, const char *key);
void write_number(Writer *writer, uint64_t number);
void write_text(Writer *writer, const char *text);

/* The beginning of a str of whatever kind, at most `room` characters. */
void write_str(Writer *writer, PyObject *str, Py_ssize_t room);

/* A text made of pieces: open, pieces, close. */
void write_quote(Writer *writer);
void write_piece(Writer *writer, const char *text);
void write_str_piece(Writer *writer, PyObject *str, Py_ssize_t room);
void write_number_piece(Writer *writer, uint64_t number);
void write_unquote(Writer *writer);

#endif
