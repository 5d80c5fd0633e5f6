#ifndef DISTILL_STAMP_H
#define DISTILL_STAMP_H

#include <jansson.h>
#include <stdint.h>

struct error;

/* What a file or folder held: { "path", "size", "mtime", "hash" }.  A folder's hash is that of
 * the names and contents of all files in it.
 *
 * A stamp is checked quickly: as long as size and time of change are those of the stamp, the
 * content is taken to be; otherwise it is read, so a file that was copied or touched still
 * matches.  base: what relative paths start from. */
json_t *stamp_take(const char *base, const char *path, struct error *err);      /* NULL: failed */

/* 1: the same content, 0: other content or absent. */
int stamp_holds(const json_t *stamp, const char *base);

/* A stamp of `path`, taking the hash from `earlier` (an array of stamps, or NULL) when that one
 * still holds by size and time, so that large inputs are not read again. */
json_t *stamp_renew(const json_t *earlier, const char *base, const char *path, struct error *err);

int64_t path_bytes(const char *path);           /* of a file, or of all in a folder; 0: cannot be read */
int64_t stamps_size(const json_t *stamps);      /* bytes of all in an array */

#endif
