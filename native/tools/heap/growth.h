/* What there is now and was not before: by type, and by what it hangs on. */
#ifndef SONDE_HEAP_GROWTH_H
#define SONDE_HEAP_GROWTH_H

#include "dominators.h"
#include "seen.h"
#include "tables.h"
#include "writer.h"

void growth_write(Writer *writer, const Walk *walk, const Dominators *dominators, const Seen *before,
                  const TypeTable *types);

#endif
