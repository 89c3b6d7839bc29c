/* The walk of intake requests under libFuzzer, see scripts/fuzz. The first byte chooses the shapes, the rest
   is the request.

   Beside what the sanitizers see: two requests that are in order are one when they are joined, with the items
   of both, for a protobuf message may come in pieces; and a request is judged alike wherever it stands in
   memory. That a full parser agrees is asked of the corpus afterwards, by tests/fuzzing/decoders_otlp.py.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../intake/walk.h"
#include "fuzz_shapes.h" /* made by native/tests/fuzz_shapes.py: TABLES, and `tables` of that many shapes */

static void must(int holds) {
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    const struct shape *shapes = (const struct shape *)tables[data[0] % TABLES];
    size_t length = size - 1;
    int64_t items = walk(shapes, data + 1, length);
    must(items >= -1 && items <= (int64_t)length);

    uint8_t *twice = malloc(2 * length + 1);
    must(twice != NULL);
    memcpy(twice, data + 1, length);
    memcpy(twice + length, data + 1, length);
    must(walk(shapes, twice, length) == items);
    if (items >= 0)
        must(walk(shapes, twice, 2 * length) == 2 * items);
    free(twice);
    return 0;
}
