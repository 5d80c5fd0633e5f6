/* Lines of text, whatever its packing (base/bytes.h).
 *
 * A reader fills `text[begin … end)` from its source and hands out lines in place: each line's
 * end is overwritten with a zero byte, so nothing is copied but the remainder of a block when
 * the next one is read.  `searched` bytes of the remainder are known to hold no line end, so a
 * line longer than the buffer is scanned once. */
#include "base/lines.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/charset.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/strbuf.h"

#define BLOCK ((size_t)1 << 18)

struct lines_reader {
    struct bytes source;
    bool at_end;                        /* the source is used up */
    bool started;                       /* the byte order mark was looked for */
    char *text;
    size_t room, begin, end, searched;
    struct strbuf mended;               /* the line with bad bytes replaced */
    struct charset charset;
    struct strbuf raw, converted;       /* of another encoding: bytes not yet text, and their text */
};

int lines_open(struct lines *in, const char *path, struct error *err)
{
    struct bytes source;
    struct charset charset = { 0 };
    bool plain = !in->encoding || !strcasecmp(in->encoding, "utf-8-sig");
    if (!plain && charset_open(&charset, in->encoding, err) < 0)
        return -1;
    if (bytes_open(&source, path, err) < 0) {
        charset_close(&charset);
        return -1;
    }
    *in = (struct lines){ .path = path, .utf8 = in->utf8, .encoding = in->encoding };
    in->reader = xcalloc(1, sizeof *in->reader);
    in->reader->source = source;
    in->reader->charset = charset;
    return 0;
}

/* ---- other encodings ---- */

static int64_t count_ends(const char *text, size_t length)
{
    int64_t ends = 0;
    for (size_t i = 0; i < length; i++)
        ends += text[i] == '\n';
    return ends;
}

static int refuse_byte(const struct lines *in, size_t at, struct error *err)
{
    const struct lines_reader *r = in->reader;
    int64_t line = in->number + 1 + count_ends(r->text + r->begin, r->end - r->begin)
                 + count_ends(r->converted.text, r->converted.length);
    return error_set(err, "%s:%lld: byte 0x%02X is not %s; name the file's encoding, or convert it, for "
                     "instance with iconv", path_shown(in->path), (long long)line,
                     (unsigned char)r->raw.text[at], in->encoding);
}

/* Makes text of the bytes in hand; what may be the beginning of a character is kept. */
static int convert(struct lines *in, struct error *err)
{
    struct lines_reader *r = in->reader;
    size_t begin = 0;
    strbuf_reset(&r->converted);
    while (begin < r->raw.length) {
        size_t taken;
        struct text rest = { r->raw.text + begin, r->raw.length - begin };
        int bad = charset_feed(&r->charset, &r->converted, rest, &taken);
        begin += taken;
        if (begin == r->raw.length || (bad == 0 && !r->at_end))
            break;
        if (in->utf8 == UTF8_REFUSE)
            return refuse_byte(in, begin, err);
        strbuf_puts(&r->converted, "\xEF\xBF\xBD");
        in->replaced++;
        begin++;
    }
    if (begin)
        memmove(r->raw.text, r->raw.text + begin, r->raw.length - begin);
    r->raw.length -= begin;
    return 0;
}

static int read_converted(struct lines *in, struct error *err)
{
    struct lines_reader *r = in->reader;
    char block[1 << 14];
    ssize_t got = bytes_read(&r->source, block, sizeof block, err);
    if (got < 0)
        return -1;
    r->at_end = got == 0;
    strbuf_add(&r->raw, block, (size_t)got);
    if (convert(in, err) < 0)
        return -1;
    ARRAY_GROW(r->text, r->room, r->end + r->converted.length + 1);
    if (r->converted.length)
        memcpy(r->text + r->end, r->converted.text, r->converted.length);
    r->end += r->converted.length;
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
    r->source.line = in->number;
    if (r->charset.converts)
        return read_converted(in, err);
    ARRAY_GROW(r->text, r->room, rest + BLOCK + 1);
    got = bytes_read(&r->source, r->text + rest, BLOCK, err);
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
                         "for instance with iconv", path_shown(in->path), (long long)in->number,
                         (unsigned char)in->text[good], good + 1);
    mend(in, good);
    return 1;
}

void lines_close(struct lines *in)
{
    struct lines_reader *r = in->reader;
    if (!r)
        return;
    bytes_close(&r->source);
    charset_close(&r->charset);
    strbuf_release(&r->raw);
    strbuf_release(&r->converted);
    strbuf_release(&r->mended);
    free(r->text);
    free(r);
    in->reader = NULL;
    in->text = NULL;
    in->length = 0;
}
