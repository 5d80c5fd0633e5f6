/* A lock on a folder: flock on <folder>/.lock, which also holds the process id for the message. */
#include "distill/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

static int taken(int fd, const char *folder, struct error *err)
{
    char pid[32] = "";
    ssize_t got = pread(fd, pid, sizeof pid - 1, 0);
    pid[got > 0 ? got : 0] = '\0';
    close(fd);
    return error_set(err, "%s is in use by another run%s%.20s; wait for it, or choose another "
                     "folder with -o", folder, *pid ? ", process " : "", pid);
}

int lock_take(const char *folder, struct error *err)
{
    char *path = path_join(folder, ".lock");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
        error_set(err, "cannot write %s: %s", path, strerror(errno));
        free(path);
        return -1;
    }
    free(path);
    if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
        return taken(fd, folder, err);
    if (ftruncate(fd, 0) == 0)
        dprintf(fd, "%ld", (long)getpid());
    return fd;
}

void lock_release(int lock)
{
    if (lock >= 0)
        close(lock);
}
