#include "writer.h"

static void put(Writer *writer, char byte) {
    if (writer->used < writer->room)
        writer->text[writer->used++] = byte;
    else
        writer->full = true;
}

static void begin_value(Writer *writer) {
    if (writer->comma)
        put(writer, ',');
    writer->comma = true;
}

void write_open(Writer *writer, char bracket) {
    begin_value(writer);
    put(writer, bracket);
    writer->comma = false;
}

void write_close(Writer *writer, char bracket) {
    put(writer, bracket);
    writer->comma = true;
}

static void put_escaped(Writer *writer, uint32_t character) {
    static const char digits[] = "0123456789abcdef";
    if (character >= 0x10000) {
        put_escaped(writer, 0xD800 + ((character - 0x10000) >> 10));
        put_escaped(writer, 0xDC00 + ((character - 0x10000) & 0x3FF));
        return;
    }
    put(writer, '\\');
    put(writer, 'u');
    for (int shift = 12; shift >= 0; shift -= 4)
        put(writer, digits[character >> shift & 15]);
}

static void put_character(Writer *writer, uint32_t character) {
    if (character >= ' ' && character < 127 && character != '"' && character != '\\')
        put(writer, (char)character);
    else
        put_escaped(writer, character >= 0xD800 && character < 0xE000 ? '?' : character);
}

void write_quote(Writer *writer) {
    begin_value(writer);
    put(writer, '"');
}

void write_unquote(Writer *writer) {
    put(writer, '"');
}

void write_piece(Writer *writer, const char *text) {
    for (; *text; text++)
        put_character(writer, (unsigned char)*text);
}

void write_str_piece(Writer *writer, PyObject *str, Py_ssize_t room) {
    if (!str || !PyUnicode_Check(str) || !PyUnicode_IS_READY(str)) {
        put(writer, '?');
        return;
    }
    Py_ssize_t length = PyUnicode_GET_LENGTH(str);
    for (Py_ssize_t at = 0; at < length && at < room; at++)
        put_character(writer, PyUnicode_READ(PyUnicode_KIND(str), PyUnicode_DATA(str), at));
    if (length > room)
        write_piece(writer, "...");
}

void write_number_piece(Writer *writer, uint64_t number) {
    char digits[24];
    int at = sizeof digits - 1;
    digits[at] = 0;
    do
        digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    write_piece(writer, digits + at);
}

void write_key(Writer *writer, const char *key) {
    write_text(writer, key);
    put(writer, ':');
    writer->comma = false;
}

void write_number(Writer *writer, uint64_t number) {
    begin_value(writer);
    write_number_piece(writer, number);
}

void write_text(Writer *writer, const char *text) {
    write_quote(writer);
    write_piece(writer, text);
    write_unquote(writer);
}

void write_str(Writer *writer, PyObject *str, Py_ssize_t room) {
    write_quote(writer);
    write_str_piece(writer, str, room);
    write_unquote(writer);
}
