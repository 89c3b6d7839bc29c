#include "descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_NUMBER = STDERR_FILENO + 1 };

bool descriptor_keep(Descriptor *kept, int number) {
    struct stat status;
    if (number >= 0 && number < FIRST_NUMBER) {
        int above = fcntl(number, F_DUPFD_CLOEXEC, FIRST_NUMBER);
        close(number);
        number = above;
    }
    *kept = NO_DESCRIPTOR;
    if (number < 0)
        return false;
    if (fstat(number, &status) < 0) {
        close(number);
        return false;
    }
    *kept = (Descriptor){.number = number, .device = status.st_dev, .inode = status.st_ino};
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
