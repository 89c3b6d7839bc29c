/* Where spans go, and what introduces them: set by the application's threads, read by the sender's. No Python
   in here. Any thread. */
#ifndef SONDE_TARGET_H
#define SONDE_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What every batch starts with: ResourceSpans.resource and ScopeSpans.scope, as fields, one behind the other.
 */
typedef struct {
    uint8_t *bytes;
    size_t resource_size, scope_size;
    uint32_t version; /* grows when the resource changes */
} Prologue;

/* `hello` is a JSON object without its closing brace, and with a comma where it is not empty: the pid
   follows. All is copied. Not to be called while the sender runs. False: no memory. */
bool target_set(const char *socket_path, const char *hello, const uint8_t *scope, size_t scope_size);

/* False: no memory, the old resource stays. */
bool target_set_resource(const uint8_t *resource, size_t size);

/* NULL before target_set. They live until the next target_set. */
const char *target_socket_path(void);
const char *target_hello(void);

/* Make `prologue` a copy of what is to be sent now; all zero at first. False: no memory, it is as it was. */
bool target_renew(Prologue *prologue);

/* Around fork(). */
void target_before_fork(void);
void target_after_fork(void);

#endif
