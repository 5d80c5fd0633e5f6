/* Who may do what in the folder of a labelling job. */
#include "decode/label_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/memory.h"

#define TURNS ((off_t)1 << 40)          /* the bytes of the turns, behind those of all shards */

int label_folder_open(struct label_folder *f, const char *path, struct error *err)
{
    if (dir_make(path, err) < 0)
        return -1;
    char *name = path_join(path, ".lock");
    f->path = path;
    f->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    int ret = f->lock < 0 ? error_set(err, "cannot write '%s': %s", name, strerror(errno)) : 0;
    free(name);
    return ret;
}

void label_folder_close(struct label_folder *f)
{
    if (f->lock >= 0)
        close(f->lock);
    f->lock = -1;
}

static struct flock range(short type, off_t first, off_t length)
{
    return (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = first, .l_len = length };
}

static int cannot_lock(const struct label_folder *f, struct error *err)
{
    return error_set(err, "cannot lock '%s/.lock': %s; the file system must support record locks",
                     f->path, strerror(errno));
}

int label_folder_claim(struct label_folder *f, int64_t first, int64_t end, struct error *err)
{
    struct flock mine = range(F_WRLCK, first, end - first), other = mine;
    if (end <= first || fcntl(f->lock, F_SETLK, &mine) == 0)
        return 0;
    if (errno != EACCES && errno != EAGAIN)
        return cannot_lock(f, err);
    if (fcntl(f->lock, F_GETLK, &other) < 0 || other.l_type == F_UNLCK)
        other.l_pid = 0;
    return error_set(err, "'%s' is in use: process %ld is labelling shards of the same share; wait for it, or "
                     "choose another folder, or another --shard", f->path, (long)other.l_pid);
}

int label_folder_take(struct label_folder *f, enum label_turn turn, struct error *err)
{
    struct flock mine = range(F_WRLCK, TURNS + turn, 1);
    while (fcntl(f->lock, F_SETLKW, &mine) < 0) {
        if (errno != EINTR)
            return cannot_lock(f, err);
        if (interrupt_requested())
            return error_set(err, "interrupted");
    }
    return 0;
}

void label_folder_give(struct label_folder *f, enum label_turn turn)
{
    struct flock mine = range(F_UNLCK, TURNS + turn, 1);
    fcntl(f->lock, F_SETLK, &mine);
}

/* Files of an outfile begun and never ended: "000012.tsv.partial-123". */
static void sweep(const struct label_folder *f, const char *inner, int64_t first, int64_t end)
{
    char *folder = label_path(f, inner);
    DIR *dir = opendir(folder);
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        long long shard = strtoll(entry->d_name, NULL, 10);
        if (!strstr(entry->d_name, ".partial-") || shard < first || shard >= end)
            continue;
        char *path = path_join(folder, entry->d_name);
        unlink(path);
        free(path);
    }
    if (dir)
        closedir(dir);
    free(folder);
}

void label_sweep(const struct label_folder *f, int64_t first, int64_t end)
{
    sweep(f, "shards", first, end);
    sweep(f, "soft", first, end);
}

void label_sweep_all(const struct label_folder *f)
{
    sweep(f, ".", 0, INT64_MAX);
    label_sweep(f, 0, INT64_MAX);
}

char *label_shard_path(const struct label_folder *f, const char *inner, int64_t shard, const char *ending)
{
    return xasprintf("%s/%s/%06lld%s", f->path, inner, (long long)shard, ending);
}

char *label_path(const struct label_folder *f, const char *name)
{
    return path_join(f->path, name);
}
