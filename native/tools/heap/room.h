/* Memory of the process that looks at the image: straight from the kernel, since a lock of malloc's may have
   been held by another thread when the image was taken. No Python in here. */
#ifndef SONDE_HEAP_ROOM_H
#define SONDE_HEAP_ROOM_H

#include <stddef.h>

/* So many zeroed bytes, taken up as they are touched; `shared`: what is written there is seen by both
   processes. NULL: the kernel has none. */
void *room_new(size_t bytes, int shared);
void room_end(void *room, size_t bytes);

#endif
