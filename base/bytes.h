#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdint.h>
#include <sys/types.h>

struct error;

/* The bytes of a file: plain, gzip, zstd or xz (told by its first bytes, not its name), or standard
 * input for "-".
 *
 *     struct bytes in = {0};
 *     ssize_t got;
 *     if (bytes_open(&in, path, err) < 0) return -1;
 *     while ((got = bytes_read(&in, block, sizeof block, err)) > 0)
 *         use(block, got);
 *     bytes_close(&in);
 */
struct bytes {
    const char *path;           /* borrowed by bytes_open */
    int64_t line;               /* for messages: lines before this place, kept by the caller */
    struct bytes_reader *reader;
};

int bytes_open(struct bytes *in, const char *path, struct error *err);
ssize_t bytes_read(struct bytes *in, void *to, size_t room, struct error *err);     /* 0: the end */
void bytes_close(struct bytes *in);

const char *path_shown(const char *path);       /* for messages: "-" is "standard input" */

#endif
