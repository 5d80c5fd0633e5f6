/* Files and folders: whole-or-nothing writing, reading, mapping, paths. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/strbuf.h"

/* ---- writing aside ---- */

/* A device or pipe (/dev/null, /dev/full) cannot be renamed onto: it is written directly. */
static bool is_special(const char *path)
{
    struct stat st;
    return !stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

bool file_is_stream(const char *path)
{
    return !strcmp(path, "-") || is_special(path);
}

/* The name behind the symbolic links, so that a rename replaces the file and not the link. */
static char *final_path(const char *path)
{
    struct stat st;
    char *real = !lstat(path, &st) && S_ISLNK(st.st_mode) ? realpath(path, NULL) : NULL;
    return real ? real : xstrdup(path);
}

static int cannot_open(const char *path, int code, struct error *err)
{
    char *folder = path_dir(path);
    if (code == ENOENT && *path && !file_exists(folder))
        error_set(err, "cannot write %s: there is no folder %s; make it first", path, folder);
    else
        error_set(err, "cannot write %s: %s", *path ? path : "''", strerror(code));
    free(folder);
    return -1;
}

int outfile_open(struct outfile *out, const char *path, struct error *err)
{
    struct outfile fresh = { 0 };
    struct stat st;

    if (!stat(path, &st) && S_ISDIR(st.st_mode))
        return error_set(err, "cannot write %s: it is a folder", path);
    if (is_special(path)) {
        fresh.path = xstrdup(path);
        fresh.stream = fopen(path, "we");
    } else {
        fresh.path = final_path(path);
        fresh.partial = xasprintf("%s.partial-%ld", fresh.path, (long)getpid());
        fresh.stream = fopen(fresh.partial, "w+e");
    }
    if (!fresh.stream) {
        cannot_open(path, errno, err);
        free(fresh.path);
        free(fresh.partial);
        return -1;
    }
    *out = fresh;
    return 0;
}

/* Makes a rename last through a crash; a file system that cannot is none of our errors. */
static void sync_folder_of(const char *path)
{
    char *folder = path_dir(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    free(folder);
}

/* Why an earlier write failed, which nobody kept: one more byte of a file that is thrown away
 * fails in the same way. */
static int lost_reason(const struct outfile *out)
{
    errno = 0;
    return out->partial && write(fileno(out->stream), "", 1) < 0 ? errno : EIO;
}

/* Flushes and syncs; returns 0 or the errno of the first thing that went wrong. */
static int settle(const struct outfile *out)
{
    FILE *stream = out->stream;
    errno = 0;
    if (fflush(stream) || ferror(stream))
        return errno ? errno : lost_reason(out);
    if (fsync(fileno(stream)) && errno != EINVAL && errno != ENOTSUP && errno != EROFS)
        return errno;
    return 0;
}

int write_failed(const char *path, int code, struct error *err)
{
    bool full = (code == ENOSPC || code == EDQUOT) && !is_special(path);
    return error_set(err, "cannot write %s: %s%s", path, strerror(code), full ? "; free some space and run again" : "");
}

static int commit_failed(struct outfile *out, int code, struct error *err)
{
    write_failed(out->path, code, err);
    outfile_abort(out);
    return -1;
}

/* A file that is replaced keeps its permissions. */
static void keep_mode(const struct outfile *out)
{
    struct stat st;
    if (!stat(out->path, &st))
        (void)!fchmod(fileno(out->stream), st.st_mode & 07777);
}

int outfile_commit(struct outfile *out, struct error *err)
{
    FILE *stream = out->stream;
    int code = settle(out);

    if (code)
        return commit_failed(out, code, err);
    if (out->partial)
        keep_mode(out);
    out->stream = NULL;
    if (fclose(stream))
        return commit_failed(out, errno, err);
    if (out->partial) {
        if (rename(out->partial, out->path))
            return commit_failed(out, errno, err);
        sync_folder_of(out->path);
        free(out->partial);
        out->partial = NULL;
    }
    outfile_abort(out);
    return 0;
}

void outfile_abort(struct outfile *out)
{
    if (out->stream)
        fclose(out->stream);
    if (out->partial)
        unlink(out->partial);
    free(out->path);
    free(out->partial);
    *out = (struct outfile){ 0 };
}

int files_differ(const char *output, const char *input, struct error *err)
{
    struct stat out, in;
    if (!output || !input || stat(output, &out) || stat(input, &in) || !S_ISREG(out.st_mode)
        || out.st_dev != in.st_dev || out.st_ino != in.st_ino)
        return 0;
    return error_set(err, "%s is read and would be replaced by the output; write to another file",
                     input);
}

int files_differ_all(const char *output, const char *const *inputs, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (files_differ(output, inputs[i], err) < 0)
            return -1;
    return 0;
}

static bool same_folder(const char *a, const char *b)
{
    char *dir_a = path_dir(a), *dir_b = path_dir(b);
    struct stat sa, sb;
    bool same = !stat(dir_a, &sa) && !stat(dir_b, &sb) && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
    free(dir_a);
    free(dir_b);
    return same;
}

int outputs_differ(const char *output, const char *other, struct error *err)
{
    struct stat a, b;
    if (!output || !other)
        return 0;
    bool there = !stat(output, &a);
    if (there != !stat(other, &b) || (there && !S_ISREG(a.st_mode)))
        return 0;
    if (there ? a.st_dev != b.st_dev || a.st_ino != b.st_ino
              : strcmp(path_name(output), path_name(other)) || !same_folder(output, other))
        return 0;
    return error_set(err, "%s would be written twice, for two outputs; give them different names", output);
}

/* ---- what does not stay ---- */

const char *temporary_folder(void)
{
    const char *folder = getenv("TMPDIR");
    return folder && *folder ? folder : "/tmp";
}

char *temporary_file(const char *what, struct error *err)
{
    char *name = xasprintf("%s/coho-%s-XXXXXX", temporary_folder(), what);
    int fd = mkstemp(name);
    if (fd >= 0) {
        close(fd);
        return name;
    }
    write_failed(name, errno, err);
    free(name);
    return NULL;
}

FILE *scratch_open(const char *begin, struct error *err)
{
    char *name = xasprintf("%s-XXXXXX", begin);
    int fd = mkstemp(name);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w+b");
    if (!file)
        write_failed(name, errno, err);
    if (fd >= 0)
        unlink(name);
    if (fd >= 0 && !file)
        close(fd);
    free(name);
    return file;
}

/* ---- whole files ---- */

int file_write(const char *path, const void *bytes, size_t length, struct error *err)
{
    struct outfile out = { 0 };
    if (outfile_open(&out, path, err) < 0)
        return -1;
    if (length)
        fwrite(bytes, 1, length, out.stream);
    return outfile_commit(&out, err);
}

/* ---- reading ---- */

static FILE *open_for_reading(const char *path, struct error *err)
{
    struct stat st;
    FILE *f = fopen(path, "re");
    if (!f) {
        error_set(err, "cannot read %s: %s", path, strerror(errno));
        return NULL;
    }
    if (!fstat(fileno(f), &st) && S_ISDIR(st.st_mode)) {
        error_set(err, "cannot read %s: it is a folder", path);
        fclose(f);
        return NULL;
    }
    return f;
}

int file_read(char **text, size_t *length, const char *path, struct error *err)
{
    struct strbuf b = { 0 };
    FILE *f = open_for_reading(path, err);
    size_t got;

    if (!f)
        return -1;
    do {
        ARRAY_GROW(b.text, b.room, b.length + 65536 + 1);
        got = fread(b.text + b.length, 1, b.room - b.length - 1, f);
        b.length += got;
    } while (got);
    if (ferror(f)) {
        error_set(err, "cannot read %s: %s", path, strerror(errno));
        fclose(f);
        strbuf_release(&b);
        return -1;
    }
    fclose(f);
    if (length)
        *length = b.length;
    *text = strbuf_detach(&b);
    return 0;
}

int file_copy(const char *to, const char *from, struct error *err)
{
    struct outfile out = { 0 };
    FILE *in = open_for_reading(from, err);
    char buffer[65536];
    size_t got;
    int ret = -1;

    if (!in)
        return -1;
    if (outfile_open(&out, to, err) < 0)
        goto done;
    while ((got = fread(buffer, 1, sizeof buffer, in)) > 0)
        if (fwrite(buffer, 1, got, out.stream) < got)
            break;                      /* the commit tells */
    if (ferror(in)) {
        error_set(err, "cannot read %s: %s", from, strerror(errno));
        goto done;
    }
    ret = outfile_commit(&out, err);
done:
    fclose(in);
    outfile_abort(&out);
    return ret;
}

int mapping_open(struct mapping *m, const char *path, struct error *err)
{
    struct mapping fresh = { 0 };
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *bytes;

    if (fd < 0)
        return error_set(err, "cannot read %s: %s", path, strerror(errno));
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        close(fd);
        return error_set(err, "cannot read %s: it is not a plain file", path);
    }
    if (st.st_size > 0) {
        bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (bytes == MAP_FAILED) {
            int code = errno;
            close(fd);
            return error_set(err, "cannot map %s: %s", path, strerror(code));
        }
        fresh.bytes = bytes;
        fresh.length = (size_t)st.st_size;
    }
    close(fd);
    *m = fresh;
    return 0;
}

void mapping_close(struct mapping *m)
{
    if (m->bytes)
        munmap((void *)(uintptr_t)m->bytes, m->length);
    *m = (struct mapping){ 0 };
}

/* ---- folders and paths ---- */

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

int dir_make(const char *path, struct error *err)
{
    char *part = xstrdup(path);
    int ret = 0;

    for (char *end = part; ret == 0 && *end;) {
        end += strspn(end, "/");
        end += strcspn(end, "/");
        char slash = *end;
        *end = '\0';
        int code = *part && mkdir(part, 0777) ? errno : 0;
        if (code && !is_folder(part))
            ret = error_set(err, "cannot make folder %s: %s", part, strerror(code));
        *end = slash;
    }
    free(part);
    return ret;
}

static int remove_entries(const char *path, DIR *dir, struct error *err)
{
    struct dirent *entry;
    int ret = 0;
    while (ret == 0 && (entry = readdir(dir))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        char *inner = path_join(path, entry->d_name);
        ret = dir_remove(inner, err);
        free(inner);
    }
    return ret;
}

int dir_remove(const char *path, struct error *err)
{
    struct stat st;
    int ret;

    if (lstat(path, &st))
        return errno == ENOENT ? 0 : error_set(err, "cannot remove %s: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode)) {
        DIR *dir = opendir(path);
        if (!dir)
            return error_set(err, "cannot read folder %s: %s", path, strerror(errno));
        ret = remove_entries(path, dir, err);
        closedir(dir);
        if (ret < 0)
            return -1;
    }
    if (remove(path) && errno != ENOENT)
        return error_set(err, "cannot remove %s: %s", path, strerror(errno));
    return 0;
}

char *path_join(const char *folder, const char *name)
{
    size_t length = strlen(folder);
    if (name[0] == '/' || length == 0)
        return xstrdup(name);
    return xasprintf("%s%s%s", folder, folder[length - 1] == '/' ? "" : "/", name);
}

char *path_dir(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return xstrdup(".");
    return xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
}

const char *path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}
