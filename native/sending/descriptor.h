/* A descriptor of ours among the application's. No Python in here. */
#ifndef SONDE_DESCRIPTOR_H
#define SONDE_DESCRIPTOR_H

#include <stdbool.h>
#include <sys/types.h>

typedef struct {
    int number; /* -1: none */
    dev_t device;
    ino_t inode;
} Descriptor;

#define NO_DESCRIPTOR ((Descriptor){.number = -1})

/* Keep the file that `number` was just opened for, out of the program's way: under a number that it would not
   get, so that its own are what they would be without us, or at least above those of the standard streams,
   for one of which ours would be taken where it has none. False: there is no such number, the file is closed.
 */
bool descriptor_keep(Descriptor *kept, int number);

/* Whether the number still is that file. A program that makes itself a daemon closes every descriptor it
   finds; the number may be a file of its own by now, and a frame in there would be a catastrophe. */
bool descriptor_is_ours(const Descriptor *kept);

/* Close it, if it is ours. */
void descriptor_close(Descriptor *kept);

#endif
