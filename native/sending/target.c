#include "target.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t changing = PTHREAD_MUTEX_INITIALIZER;
static char *socket_path, *hello;
static Prologue current;

static bool replace_text(char **old, const char *text) {
    char *copy = strdup(text);
    if (!copy)
        return false;
    free(*old);
    *old = copy;
    return true;
}

/* With the mutex held. */
static bool replace_prologue(const uint8_t *resource, size_t resource_size, const uint8_t *scope,
                             size_t scope_size) {
    uint8_t *bytes = malloc(resource_size + scope_size + 1);
    if (!bytes)
        return false;
    if (resource_size)
        memcpy(bytes, resource, resource_size);
    if (scope_size)
        memcpy(bytes + resource_size, scope, scope_size);
    free(current.bytes);
    current = (Prologue){bytes, resource_size, scope_size, current.version + 1};
    return true;
}

bool target_set(const char *new_path, const char *new_hello, const uint8_t *scope, size_t scope_size) {
    pthread_mutex_lock(&changing);
    bool done = replace_text(&socket_path, new_path) && replace_text(&hello, new_hello) &&
                replace_prologue(NULL, 0, scope, scope_size);
    pthread_mutex_unlock(&changing);
    return done;
}

bool target_set_resource(const uint8_t *resource, size_t size) {
    pthread_mutex_lock(&changing);
    bool done = replace_prologue(resource, size, current.bytes + current.resource_size, current.scope_size);
    pthread_mutex_unlock(&changing);
    return done;
}

const char *target_socket_path(void) {
    return socket_path;
}

const char *target_hello(void) {
    return hello;
}

bool target_renew(Prologue *prologue) {
    bool done = true;
    pthread_mutex_lock(&changing);
    if (prologue->version != current.version) {
        size_t size = current.resource_size + current.scope_size;
        uint8_t *bytes = malloc(size + 1);
        done = bytes != NULL;
        if (done) {
            memcpy(bytes, current.bytes, size);
            free(prologue->bytes);
            *prologue = current;
            prologue->bytes = bytes;
        }
    }
    pthread_mutex_unlock(&changing);
    return done;
}

void target_before_fork(void) {
    pthread_mutex_lock(&changing);
}

void target_after_fork(void) {
    pthread_mutex_unlock(&changing);
}
