#include "descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OUT_OF_THE_WAY = 200, FIRST_NUMBER = STDERR_FILENO + 1 };

/* The same file under a number of at least `least`, -1: there is none. The old number is closed if so. */
static int moved(int number, int least) {
    int above = fcntl(number, F_DUPFD_CLOEXEC, least);
    if (above >= 0)
        close(number);
    return above;
}

bool descriptor_keep(Descriptor *kept, int number) {
    struct stat status;
    *kept = NO_DESCRIPTOR;
    if (number < 0)
        return false;
    int above = moved(number, OUT_OF_THE_WAY); /* fails where the program may not have so many */
    if (above < 0)
        above = number < FIRST_NUMBER ? moved(number, FIRST_NUMBER) : number;
    if (above < 0 || fstat(above, &status) < 0) {
        close(above < 0 ? number : above);
        return false;
    }
    *kept = (Descriptor){.number = above, .device = status.st_dev, .inode = status.st_ino};
    return true;
}

bool descriptor_is_ours(const Descriptor *kept) {
    struct stat status;
    return kept->number >= 0 && fstat(kept->number, &status) == 0 && status.st_dev == kept->device &&
           status.st_ino == kept->inode;
}

void descriptor_close(Descriptor *kept) {
    if (descriptor_is_ours(kept))
        close(kept->number);
    *kept = NO_DESCRIPTOR;
}
