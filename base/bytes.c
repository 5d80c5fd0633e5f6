/* Bytes of plain, gzip, zstd and xz files.
 *
 * A reader keeps a block of the file as it is on the disk; a plain file's bytes are handed out from
 * there, others through the row of `packings` whose magic number the file starts with. */
#include "base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/memory.h"

#define BLOCK ((size_t)1 << 18)

struct bytes_reader {
    int fd;
    bool owned;                         /* fd is closed at the end */
    const struct packing *packing;
    unsigned char *block;               /* bytes of the file [begin … end) */
    size_t begin, end;
    bool at_end;                        /* no more of them */
    bool inside;                        /* in the middle of a gzip member, zstd frame, xz stream */
    z_stream gzip;
    ZSTD_DStream *zstd;
    lzma_stream xz;
};

/* To add a packing: write its functions and a row. */
struct packing {
    const char *name;
    bool (*is)(const unsigned char *first);     /* of the first 6 bytes, zeros behind a shorter file */
    void (*start)(struct bytes_reader *r);
    ssize_t (*read)(struct bytes *in, void *to, size_t room, struct error *err);
    void (*stop)(struct bytes_reader *r);
};

const char *path_shown(const char *path)
{
    return strcmp(path, "-") ? path : "standard input";
}

/* Waits for input, and looks now and then whether a signal came: read is taken up again after the
 * handler, and would never notice at a terminal where nobody types. */
static int await(struct bytes *in, struct error *err)
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

static ssize_t read_some(struct bytes *in, void *to, size_t room, struct error *err)
{
    ssize_t got;
    if (await(in, err) < 0)
        return -1;
    do
        got = read(in->reader->fd, to, room);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return error_set(err, "cannot read %s: %s", path_shown(in->path), strerror(errno));
    return got;
}

/* Makes sure that bytes of the file are there unless all are used up. */
static int refill(struct bytes *in, struct error *err)
{
    struct bytes_reader *r = in->reader;
    ssize_t got;

    if (r->begin < r->end || r->at_end)
        return 0;
    got = read_some(in, r->block, BLOCK, err);
    if (got < 0)
        return -1;
    r->begin = 0;
    r->end = (size_t)got;
    r->at_end = got == 0;
    return 0;
}

static int damaged(const struct bytes *in, const char *why, struct error *err)
{
    return error_set(err, "%s is a damaged %s file: %s after line %lld; fetch or compress it again",
                     path_shown(in->path), in->reader->packing->name, why, (long long)in->line);
}

static int truncated(const struct bytes *in, struct error *err)
{
    return error_set(err, "%s is a truncated %s file: it ends after line %lld; "
                     "fetch or compress it again", path_shown(in->path), in->reader->packing->name,
                     (long long)in->line);
}

/* ---- gzip ---- */

static bool is_gzip(const unsigned char *p)
{
    return p[0] == 0x1F && p[1] == 0x8B;
}

static void gzip_start(struct bytes_reader *r)
{
    if (inflateInit2(&r->gzip, 15 + 16) != Z_OK)
        xmalloc(SIZE_MAX);              /* it fails for want of memory alone */
}

/* A second member may follow the first; zero bytes at the end are padding, as in gzip(1). */
static int between_members(struct bytes *in, bool *more, struct error *err)
{
    struct bytes_reader *r = in->reader;
    do {
        while (r->begin < r->end && r->block[r->begin] == 0)
            r->begin++;
        if (refill(in, err) < 0)
            return -1;
    } while (r->begin < r->end && r->block[r->begin] == 0);
    *more = r->begin < r->end;
    return 0;
}

static ssize_t gzip_read(struct bytes *in, void *to, size_t room, struct error *err)
{
    struct bytes_reader *r = in->reader;
    z_stream *z = &r->gzip;

    z->next_out = to;
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
        } else if (refill(in, err) < 0) {
            return -1;
        }
        if (r->begin == r->end)
            return truncated(in, err);
        z->next_in = r->block + r->begin;
        z->avail_in = (unsigned)(r->end - r->begin);
        code = inflate(z, Z_NO_FLUSH);
        r->begin = r->end - z->avail_in;
        if (code == Z_STREAM_END)
            r->inside = false;
        else if (code != Z_OK && code != Z_BUF_ERROR)
            return damaged(in, z->msg ? z->msg : "bad data", err);
    }
    return (ssize_t)(room - z->avail_out);
}

static void gzip_stop(struct bytes_reader *r)
{
    inflateEnd(&r->gzip);
}

/* ---- zstd ---- */

/* Frames start with a magic number; skippable frames (as pzstd writes) with another. */
static bool is_zstd(const unsigned char *p)
{
    return !memcmp(p, "\x28\xB5\x2F\xFD", 4)
        || ((p[0] & 0xF0) == 0x50 && !memcmp(p + 1, "\x2A\x4D\x18", 3));
}

static void zstd_start(struct bytes_reader *r)
{
    r->zstd = ZSTD_createDStream();
    if (!r->zstd)
        xmalloc(SIZE_MAX);
    ZSTD_DCtx_setParameter(r->zstd, ZSTD_d_windowLogMax, 31);
}

static ssize_t zstd_read(struct bytes *in, void *to, size_t room, struct error *err)
{
    struct bytes_reader *r = in->reader;
    ZSTD_outBuffer out = { to, room, 0 };

    while (out.pos == 0) {
        if (refill(in, err) < 0)
            return -1;
        /* Without input the decoder may still hold output; without any progress it is the end. */
        ZSTD_inBuffer input = { r->block, r->end, r->begin };
        bool dry = r->begin == r->end;
        if (dry && !r->inside)
            return 0;
        size_t code = ZSTD_decompressStream(r->zstd, &out, &input);
        if (ZSTD_isError(code))
            return damaged(in, ZSTD_getErrorName(code), err);
        r->begin = input.pos;
        r->inside = code != 0;
        if (dry && out.pos == 0)
            return truncated(in, err);
    }
    return (ssize_t)out.pos;
}

static void zstd_stop(struct bytes_reader *r)
{
    ZSTD_freeDStream(r->zstd);
}

/* ---- xz ---- */

static bool is_xz(const unsigned char *p)
{
    return !memcmp(p, "\xFD" "7zX", 4);
}

static void xz_start(struct bytes_reader *r)
{
    r->xz = (lzma_stream)LZMA_STREAM_INIT;
    if (lzma_stream_decoder(&r->xz, UINT64_MAX, LZMA_CONCATENATED) != LZMA_OK)
        xmalloc(SIZE_MAX);
    r->inside = true;
}

static const char *xz_reason(lzma_ret code)
{
    switch (code) {
    case LZMA_FORMAT_ERROR: return "no xz data";
    case LZMA_OPTIONS_ERROR: return "unknown options";
    default: return "bad data";
    }
}

static ssize_t xz_read(struct bytes *in, void *to, size_t room, struct error *err)
{
    struct bytes_reader *r = in->reader;
    lzma_stream *z = &r->xz;

    z->next_out = to;
    z->avail_out = room;
    while (z->avail_out == room && r->inside) {
        if (refill(in, err) < 0)
            return -1;
        z->next_in = r->block + r->begin;
        z->avail_in = r->end - r->begin;
        lzma_ret code = lzma_code(z, r->at_end ? LZMA_FINISH : LZMA_RUN);
        r->begin = r->end - z->avail_in;
        if (code == LZMA_STREAM_END)
            r->inside = false;
        else if (code == LZMA_MEM_ERROR)
            xmalloc(SIZE_MAX);
        else if (code == LZMA_BUF_ERROR && r->at_end)
            return truncated(in, err);
        else if (code != LZMA_OK && code != LZMA_BUF_ERROR)
            return damaged(in, xz_reason(code), err);
    }
    return (ssize_t)(room - z->avail_out);
}

static void xz_stop(struct bytes_reader *r)
{
    lzma_end(&r->xz);
}

/* ---- plain ---- */

/* What was read for a look at the first bytes, then straight from the file. */
static ssize_t plain_read(struct bytes *in, void *to, size_t room, struct error *err)
{
    struct bytes_reader *r = in->reader;
    size_t have = r->end - r->begin;
    if (!have)
        return r->at_end ? 0 : read_some(in, to, room, err);
    if (have > room)
        have = room;
    memcpy(to, r->block + r->begin, have);
    r->begin += have;
    return (ssize_t)have;
}

/* ---- opening ---- */

static const struct packing packings[] = {
    { "gzip", is_gzip, gzip_start, gzip_read, gzip_stop },
    { "zstd", is_zstd, zstd_start, zstd_read, zstd_stop },
    { "xz", is_xz, xz_start, xz_read, xz_stop },
    { 0 }
};
static const struct packing plain = { "plain", .read = plain_read };

/* Reads the first bytes and tells the packing by them. */
static int sniff(struct bytes *in, struct error *err)
{
    struct bytes_reader *r = in->reader;
    unsigned char first[6] = { 0 };
    ssize_t got = 1;

    r->block = xmalloc(BLOCK);
    while (r->end < sizeof first && got > 0) {
        got = read_some(in, r->block + r->end, BLOCK - r->end, err);
        if (got < 0)
            return -1;
        r->end += (size_t)got;
    }
    r->at_end = got == 0;
    memcpy(first, r->block, r->end < sizeof first ? r->end : sizeof first);
    const struct packing *p = packings;
    while (p->name && !p->is(first))
        p++;
    r->packing = p->name ? p : &plain;
    if (r->packing->start)
        r->packing->start(r);
    return 0;
}

static int open_file(const char *path, int *fd, struct error *err)
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

int bytes_open(struct bytes *in, const char *path, struct error *err)
{
    struct bytes fresh = { .path = path };
    int fd;

    if (open_file(path, &fd, err) < 0)
        return -1;
    fresh.reader = xcalloc(1, sizeof *fresh.reader);
    fresh.reader->fd = fd;
    fresh.reader->owned = fd != STDIN_FILENO;
    if (sniff(&fresh, err) < 0) {
        bytes_close(&fresh);
        return -1;
    }
    *in = fresh;
    return 0;
}

ssize_t bytes_read(struct bytes *in, void *to, size_t room, struct error *err)
{
    return in->reader->packing->read(in, to, room, err);
}

void bytes_close(struct bytes *in)
{
    struct bytes_reader *r = in->reader;
    if (!r)
        return;
    if (r->owned)
        close(r->fd);
    if (r->packing && r->packing->stop)
        r->packing->stop(r);
    free(r->block);
    free(r);
    in->reader = NULL;
}
