/* Python text as UTF-8, cut to size, without a copy inside the string object (PyUnicode_AsUTF8 would leave
   one in the user's strings for as long as they live).

   GIL: held. Refs: borrowed. Errors: none; a lone surrogate becomes `?`. */
#ifndef SONDE_TEXT_H
#define SONDE_TEXT_H

#include "compat.h"

#include <stdbool.h>

/* Bytes of the longest start of `text` that has at most `limit` bytes of UTF-8, cut between characters.
   A cut is counted. */
size_t text_size(PyObject *text, size_t limit);

/* Write the first `size` bytes, as text_size gave them. Returns their end. */
uint8_t *put_text(uint8_t *at, PyObject *text, size_t size);

/* A string object that is one, and has its data. False otherwise; no exception is set. */
bool is_text(PyObject *value);

/* The very same object, or an equal one of the interpreter's own texts, bytes and integers: no code of the
   user's runs in here. */
bool same_constant(PyObject *one, PyObject *other);

#endif
