/* Lines of plain, gzip and zstd text.
 *
 * A reader fills `text[begin … end)` from its source and hands out lines in place: each line's
 * end is overwritten with a zero byte, so nothing is copied but the remainder of a block when
 * the next one is read.  `searched` bytes of the remainder are known to hold no line end, so a
 * line longer than the buffer is scanned once. */
#include "base/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/strbuf.h"

#define BLOCK ((size_t)1 << 18)

enum packing { PLAIN, GZIP, ZSTD };

struct lines_reader {
    int fd;
    bool owned;                         /* fd is closed at the end */
    bool at_end;                        /* the source is used up */
    bool started;                       /* the byte order mark was looked for */
    enum packing packing;

    char *text;
    size_t room, begin, end, searched;

    unsigned char *packed;              /* compressed bytes [packed_begin … packed_end) */
    size_t packed_begin, packed_end;
    bool packed_done;                   /* no more compressed bytes to read */
    bool inside;                        /* in the middle of a gzip member or zstd frame */
    z_stream gzip;
    ZSTD_DStream *zstd;

    struct strbuf mended;               /* the line with bad bytes replaced */
};

/* ---- sources ---- */

static const char *shown(const struct lines *in)
{
    return strcmp(in->path, "-") ? in->path : "standard input";
}

/* Waits for input, and looks now and then whether a signal came: read is taken up again after the
 * handler, and would never notice at a terminal where nobody types. */
static int await(struct lines *in, struct error *err)
{
    struct pollfd input = { .fd = in->reader->fd, .events = POLLIN };
    int ready = 0;
    while (!ready && !interrupt_requested()) {
        ready = poll(&input, 1, 200);
        if (ready < 0 && errno == EINTR)
            ready = 0;
    }
    return ready ? 0 : error_set(err, "interrupted");
}

static ssize_t read_some(struct lines *in, void *to, size_t room, struct error *err)
{
    ssize_t got;
    if (await(in, err) < 0)
        return -1;
    do
        got = read(in->reader->fd, to, room);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return error_set(err, "cannot read %s: %s", shown(in), strerror(errno));
    return got;
}

/* Makes sure that compressed bytes are there unless all are used up. */
static int refill_packed(struct lines *in, struct error *err)
{
    struct lines_reader *r = in->reader;
    ssize_t got;

    if (r->packed_begin < r->packed_end || r->packed_done)
        return 0;
    got = read_some(in, r->packed, BLOCK, err);
    if (got < 0)
        return -1;
    r->packed_begin = 0;
    r->packed_end = (size_t)got;
    r->packed_done = got == 0;
    return 0;
}

static int bad_stream(const struct lines *in, const char *kind, const char *why, struct error *err)
{
    return error_set(err, "%s is a damaged %s file: %s after line %lld; fetch or compress it again",
                     shown(in), kind, why, (long long)in->number);
}

static int truncated(const struct lines *in, const char *kind, struct error *err)
{
    return error_set(err, "%s is a truncated %s file: it ends after line %lld; "
                     "fetch or compress it again", shown(in), kind, (long long)in->number);
}

/* A second member may follow the first; zero bytes at the end are padding, as in gzip(1). */
static int between_members(struct lines *in, bool *more, struct error *err)
{
    struct lines_reader *r = in->reader;
    do {
        while (r->packed_begin < r->packed_end && r->packed[r->packed_begin] == 0)
            r->packed_begin++;
        if (refill_packed(in, err) < 0)
            return -1;
    } while (r->packed_begin < r->packed_end && r->packed[r->packed_begin] == 0);
    *more = r->packed_begin < r->packed_end;
    return 0;
}

static ssize_t gzip_some(struct lines *in, char *to, size_t room, struct error *err)
{
    struct lines_reader *r = in->reader;
    z_stream *z = &r->gzip;

    z->next_out = (unsigned char *)to;
    z->avail_out = (unsigned)room;
    while (z->avail_out == room) {
        bool more = true;
        int code;
        if (!r->inside) {
            if (between_members(in, &more, err) < 0)
                return -1;
            if (!more)
                return 0;
            inflateReset(z);
            r->inside = true;
        } else if (refill_packed(in, err) < 0) {
            return -1;
        }
        if (r->packed_begin == r->packed_end)
            return truncated(in, "gzip", err);
        z->next_in = r->packed + r->packed_begin;
        z->avail_in = (unsigned)(r->packed_end - r->packed_begin);
        code = inflate(z, Z_NO_FLUSH);
        r->packed_begin = r->packed_end - z->avail_in;
        if (code == Z_STREAM_END)
            r->inside = false;
        else if (code != Z_OK && code != Z_BUF_ERROR)
            return bad_stream(in, "gzip", z->msg ? z->msg : "bad data", err);
    }
    return (ssize_t)(room - z->avail_out);
}

static ssize_t zstd_some(struct lines *in, char *to, size_t room, struct error *err)
{
    struct lines_reader *r = in->reader;
    ZSTD_outBuffer out = { to, room, 0 };

    while (out.pos == 0) {
        if (refill_packed(in, err) < 0)
            return -1;
        /* Without input the decoder may still hold output; without any progress it is the end. */
        ZSTD_inBuffer input = { r->packed, r->packed_end, r->packed_begin };
        bool dry = r->packed_begin == r->packed_end;
        if (dry && !r->inside)
            return 0;
        size_t code = ZSTD_decompressStream(r->zstd, &out, &input);
        if (ZSTD_isError(code))
            return bad_stream(in, "zstd", ZSTD_getErrorName(code), err);
        r->packed_begin = input.pos;
        r->inside = code != 0;
        if (dry && out.pos == 0)
            return truncated(in, "zstd", err);
    }
    return (ssize_t)out.pos;
}

static ssize_t fill(struct lines *in, char *to, size_t room, struct error *err)
{
    switch (in->reader->packing) {
    case GZIP: return gzip_some(in, to, room, err);
    case ZSTD: return zstd_some(in, to, room, err);
    default: return read_some(in, to, room, err);
    }
}

/* ---- opening ---- */

static void start_gzip(struct lines_reader *r)
{
    if (inflateInit2(&r->gzip, 15 + 16) != Z_OK)
        xmalloc(SIZE_MAX);              /* it fails for want of memory alone */
    r->packing = GZIP;
}

static void start_zstd(struct lines_reader *r)
{
    r->zstd = ZSTD_createDStream();
    if (!r->zstd)
        xmalloc(SIZE_MAX);
    ZSTD_DCtx_setParameter(r->zstd, ZSTD_d_windowLogMax, 31);
    r->packing = ZSTD;
}

/* zstd frames start with a magic number; skippable frames (as pzstd writes) with another. */
static bool is_zstd(const unsigned char *p)
{
    return !memcmp(p, "\x28\xB5\x2F\xFD", 4)
        || ((p[0] & 0xF0) == 0x50 && !memcmp(p + 1, "\x2A\x4D\x18", 3));
}

/* Reads the first bytes, tells the packing by them and leaves them where they belong. */
static int sniff(struct lines *in, struct error *err)
{
    struct lines_reader *r = in->reader;
    size_t have = 0;
    ssize_t got = 1;

    ARRAY_GROW(r->text, r->room, BLOCK + 1);
    while (have < 4 && got > 0) {
        got = read_some(in, r->text + have, BLOCK - have, err);
        if (got < 0)
            return -1;
        have += (size_t)got;
    }
    const unsigned char *p = (const unsigned char *)r->text;
    if (have >= 2 && p[0] == 0x1F && p[1] == 0x8B)
        start_gzip(r);
    else if (have >= 4 && is_zstd(p))
        start_zstd(r);
    if (r->packing == PLAIN) {
        r->end = have;
        r->at_end = got == 0;
        return 0;
    }
    r->packed = xmalloc(BLOCK);
    memcpy(r->packed, r->text, have);
    r->packed_end = have;
    return 0;
}

static int open_source(const char *path, int *fd, struct error *err)
{
    struct stat st;
    *fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    if (*fd < 0)
        return error_set(err, "cannot read %s: %s", path, strerror(errno));
    if (!fstat(*fd, &st) && S_ISDIR(st.st_mode)) {
        if (*fd != STDIN_FILENO)
            close(*fd);
        return error_set(err, "cannot read %s: it is a folder", path);
    }
    return 0;
}

int lines_open(struct lines *in, const char *path, struct error *err)
{
    struct lines fresh = { .path = path, .utf8 = in->utf8 };
    int fd;

    if (open_source(path, &fd, err) < 0)
        return -1;
    fresh.reader = xcalloc(1, sizeof *fresh.reader);
    fresh.reader->fd = fd;
    fresh.reader->owned = fd != STDIN_FILENO;
    if (sniff(&fresh, err) < 0) {
        lines_close(&fresh);
        return -1;
    }
    *in = fresh;
    return 0;
}

/* ---- lines ---- */

/* Moves the rest to the front, makes room for a block and reads some of it. */
static int read_block(struct lines *in, struct error *err)
{
    struct lines_reader *r = in->reader;
    size_t rest = r->end - r->begin;
    ssize_t got;

    if (r->begin) {
        memmove(r->text, r->text + r->begin, rest);
        r->begin = 0;
        r->end = rest;
    }
    ARRAY_GROW(r->text, r->room, rest + BLOCK + 1);
    got = fill(in, r->text + rest, BLOCK, err);
    if (got < 0)
        return -1;
    r->at_end = got == 0;
    r->end += (size_t)got;
    return 0;
}

static int skip_byte_order_mark(struct lines *in, struct error *err)
{
    struct lines_reader *r = in->reader;
    r->started = true;
    while (r->end - r->begin < 3 && !r->at_end)
        if (read_block(in, err) < 0)
            return -1;
    in->marked = r->end - r->begin >= 3 && !memcmp(r->text + r->begin, "\xEF\xBB\xBF", 3);
    if (in->marked)
        r->begin += 3;
    return 0;
}

/* Points in->text at the next raw line.  1, 0 at the end, -1. */
static int next_raw(struct lines *in, struct error *err)
{
    struct lines_reader *r = in->reader;
    char *newline, *line;

    if (!r->started && skip_byte_order_mark(in, err) < 0)
        return -1;
    for (;;) {
        size_t from = r->begin + r->searched;
        newline = r->end > from ? memchr(r->text + from, '\n', r->end - from) : NULL;
        if (newline || r->at_end)
            break;
        r->searched = r->end - r->begin;
        if (read_block(in, err) < 0)
            return -1;
    }
    if (r->begin == r->end)
        return 0;
    line = r->text + r->begin;
    in->text = line;
    in->length = newline ? (size_t)(newline - line) : r->end - r->begin;
    r->begin += in->length + (newline != NULL);
    r->searched = 0;
    if (newline && in->length && line[in->length - 1] == '\r')
        in->length--;
    line[in->length] = '\0';            /* room is kept for it behind the last byte */
    in->number++;
    return 1;
}

/* One U+FFFD for each byte that is in no valid character. */
static void mend(struct lines *in, size_t good)
{
    struct strbuf *b = &in->reader->mended;
    size_t i = 0;

    strbuf_reset(b);
    for (;;) {
        strbuf_add(b, in->text + i, good);
        i += good;
        if (i == in->length)
            break;
        strbuf_puts(b, "\xEF\xBF\xBD");
        i++;
        good = utf8_valid_prefix(in->text + i, in->length - i);
    }
    in->text = b->text;
    in->length = b->length;
    in->replaced++;
}

int lines_next(struct lines *in, struct error *err)
{
    int more = next_raw(in, err);
    size_t good;

    if (more <= 0 || in->utf8 == UTF8_KEEP)
        return more;
    good = utf8_valid_prefix(in->text, in->length);
    if (good == in->length)
        return 1;
    if (in->utf8 == UTF8_REFUSE)
        return error_set(err, "%s:%lld: not UTF-8: byte 0x%02X at column %zu; convert the file, "
                         "for instance with iconv", shown(in), (long long)in->number,
                         (unsigned char)in->text[good], good + 1);
    mend(in, good);
    return 1;
}

void lines_close(struct lines *in)
{
    struct lines_reader *r = in->reader;
    if (!r)
        return;
    if (r->owned)
        close(r->fd);
    if (r->packing == GZIP)
        inflateEnd(&r->gzip);
    ZSTD_freeDStream(r->zstd);
    strbuf_release(&r->mended);
    free(r->packed);
    free(r->text);
    free(r);
    in->reader = NULL;
    in->text = NULL;
    in->length = 0;
}
