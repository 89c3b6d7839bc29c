#include "memory.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

PyAPI_FUNC(int) _PyObject_DebugMallocStats(FILE *out); /* in a private header of every version */

PyObject *memory_objects(void) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return PyErr_NoMemory();
    _PyObject_DebugMallocStats(out);
    PyObject *result =
        fclose(out) == 0 ? PyUnicode_DecodeASCII(text, (Py_ssize_t)size, "replace") : PyErr_NoMemory();
    free(text);
    return result;
}

/* struct mallinfo2 of glibc 2.33 and later; an older one, or another library, has no such function. */
typedef struct {
    size_t arena, free_chunks, fast_chunks, mapped_regions, mapped, unused, fast, used, free, releasable;
} Mallinfo;

PyObject *memory_native(void) {
    Mallinfo (*mallinfo2)(void) = (Mallinfo(*)(void))dlsym(RTLD_DEFAULT, "mallinfo2");
    if (!mallinfo2)
        return PyDict_New();
    Mallinfo info = mallinfo2();
    return Py_BuildValue("{s:n,s:n,s:n,s:n}", "heap_bytes", (Py_ssize_t)info.arena, "mapped_bytes",
                         (Py_ssize_t)info.mapped, "used_bytes", (Py_ssize_t)(info.used + info.mapped),
                         "free_bytes", (Py_ssize_t)info.free);
}
