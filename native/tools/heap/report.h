/* What a walk found, as JSON: see docs/tools/heap.md. */
#ifndef SONDE_HEAP_REPORT_H
#define SONDE_HEAP_REPORT_H

#include "dominators.h"
#include "seen.h"
#include "walk.h"
#include "writer.h"

/* `dominators`: NULL where there was no memory for them; `before`: what to compare with, or NULL. */
void report_write(Writer *writer, const Walk *walk, const Dominators *dominators, const Seen *before);

#endif
