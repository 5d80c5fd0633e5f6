#ifndef BASE_LINES_H
#define BASE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* The lines of a text file: plain, gzip, zstd or xz (told by its first bytes, not its name), or
 * standard input for "-".
 *
 *     struct lines in = {0};
 *     int more;
 *     if (lines_open(&in, path, err) < 0) goto done;
 *     while ((more = lines_next(&in, err)) > 0)
 *         use(in.text, in.length, in.number);
 *     if (more < 0) goto done;
 *
 * The line end (\n or \r\n) is taken off; the last line may lack one; a UTF-8 byte order mark
 * at the start of the file is taken off.  A zero byte is kept: use `length`. */
enum utf8_policy {
    UTF8_REFUSE,        /* a line that is not UTF-8 is an error that names file and line */
    UTF8_REPLACE,       /* each bad byte becomes U+FFFD */
    UTF8_KEEP           /* bytes as they are */
};

struct lines {
    char *text;                 /* the current line, zero-terminated; valid until the next call */
    size_t length;
    int64_t number;             /* 1 for the first line */
    int64_t replaced;           /* lines changed by UTF8_REPLACE so far */
    bool marked;                /* a byte order mark was taken off the first line */
    const char *path;           /* borrowed by lines_open */
    enum utf8_policy utf8;      /* set before the first lines_next; UTF8_REFUSE when left alone */
    const char *encoding;       /* set before lines_open; NULL: UTF-8.  Others are converted, and the policy
                                 * is for their bytes; "utf-8-sig" is UTF-8 whose mark is no text */
    struct lines_reader *reader;
};

int lines_open(struct lines *in, const char *path, struct error *err);
int lines_next(struct lines *in, struct error *err);    /* 1 a line, 0 the end, -1 an error;
                                                         * an interrupt is one (base/interrupt.h) */
void lines_close(struct lines *in);

/* The first `limit` lines of a file (0: all) as a list; a line with a zero byte is refused. */
struct strings;
int lines_read(struct strings *out, const char *path, int64_t limit, struct error *err);

/* Length of the longest valid UTF-8 prefix; equals length when all is valid. */
size_t utf8_valid_prefix(const char *text, size_t length);

#endif
