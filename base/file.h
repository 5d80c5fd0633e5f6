#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct error;

/* A file that appears whole or not at all: written beside its final place as
 * "<path>.partial-<pid>", then flushed, fsynced and renamed by outfile_commit.
 *
 *     struct outfile out = {0};
 *     if (outfile_open(&out, path, err) < 0) return -1;
 *     fprintf(out.stream, ...);                 // errors are noticed by the commit
 *     if (outfile_commit(&out, err) < 0) return -1;
 *
 * outfile_abort removes the partial file; it is harmless after a commit and on {0}. */
struct outfile {
    FILE *stream;
    char *path, *partial;
};
int outfile_open(struct outfile *out, const char *path, struct error *err);
int outfile_commit(struct outfile *out, struct error *err);
void outfile_abort(struct outfile *out);

/* "cannot write PATH: …", with what to do where a disk is full; -1.  For writers of their own. */
int write_failed(const char *path, int code, struct error *err);

/* An error when both names lead to the same plain file: for commands that would replace what
 * they read.  Either may be NULL, "-" or absent. */
int files_differ(const char *output, const char *input, struct error *err);
int files_differ_all(const char *output, const char *const *inputs, size_t count, struct error *err);
/* Likewise of two outputs, which need not be there yet. */
int outputs_differ(const char *output, const char *other, struct error *err);

/* Writes a whole small file by the same means. */
int file_write(const char *path, const void *bytes, size_t length, struct error *err);

/* Reads a whole small file; *text is zero-terminated and the caller's. */
int file_read(char **text, size_t *length, const char *path, struct error *err);

/* For what is gone when the program is: $TMPDIR or /tmp; an empty file there, closed, whose name is the
 * caller's to unlink and free, NULL when there is none; and one without a name, BEGIN saying where and what. */
const char *temporary_folder(void);
char *temporary_file(const char *what, struct error *err);
FILE *scratch_open(const char *begin, struct error *err);

bool file_exists(const char *path);
bool file_is_stream(const char *path);  /* "-", a pipe or a device: what is read is gone */
int dir_make(const char *path, struct error *err);      /* with its parents; existing is fine */
int file_copy(const char *to, const char *from, struct error *err);
int dir_remove(const char *path, struct error *err);    /* a folder and all in it; absent is fine */
char *path_join(const char *folder, const char *name);  /* the caller's */
char *path_dir(const char *path);                       /* the caller's; "." without a slash */
const char *path_name(const char *path);                /* the part behind the last slash */

/* A file mapped read-only. {0} is valid and empty. */
struct mapping {
    const unsigned char *bytes;
    size_t length;
};
int mapping_open(struct mapping *m, const char *path, struct error *err);
void mapping_close(struct mapping *m);

#endif
