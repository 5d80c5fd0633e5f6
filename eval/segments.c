/* Files of segments.  All bytes go into one buffer; while it grows, segments are kept as places in
 * it, line after line, and become texts, column after column, at the end. */
#include "eval/segments.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/memory.h"

struct place {
    size_t begin, length;
};

struct reading {
    struct lines in;
    const char *name;                   /* of the file, for messages */
    struct segments out;
    bool exact;                         /* more columns than expected are an error */
    struct place *places;               /* (count, columns) */
    size_t places_count, places_room;
};

static int tab_count(struct text t)
{
    int tabs = 0;
    for (size_t i = 0; i < t.length; i++)
        tabs += t.bytes[i] == '\t';
    return tabs;
}

static int wrong_columns(const struct reading *r, int found, struct error *err)
{
    return error_set(err, "%s:%lld: expected %d columns divided by tabs, but found %d",
                     r->name, (long long)r->in.number, r->out.columns, found);
}

static void add_place(struct reading *r, struct text t)
{
    t = text_rstrip(t);
    ARRAY_GROW(r->places, r->places_room, r->places_count + 1);
    r->places[r->places_count++] = (struct place){ r->out.bytes.length, t.length };
    strbuf_add(&r->out.bytes, t.bytes, t.length);
}

/* Tabs at the end of a line are white space, unless they divide columns that are empty. */
static int add_line(struct reading *r, struct text line, struct error *err)
{
    struct text rest = line;

    if (r->exact || r->out.columns > 1) {
        int most = tab_count(line) + 1, least = tab_count(text_rstrip(line)) + 1;
        if (r->out.columns == 0)
            r->out.columns = least;
        if (most < r->out.columns || (r->exact && least > r->out.columns))
            return wrong_columns(r, most < r->out.columns ? most : least, err);
    }
    for (int c = 0; c < r->out.columns - 1; c++) {
        const char *tab = memchr(rest.bytes, '\t', rest.length);
        size_t length = (size_t)(tab - rest.bytes);
        add_place(r, (struct text){ rest.bytes, length });
        rest = (struct text){ tab + 1, rest.length - length - 1 };
    }
    add_place(r, rest);
    r->out.count++;
    return 0;
}

/* sacreBLEU takes the byte order mark for a character of the first segment. */
static int add_marked_line(struct reading *r, struct text line, struct error *err)
{
    struct strbuf whole = { 0 };
    int ret;
    strbuf_puts(&whole, "\xEF\xBB\xBF");
    strbuf_add(&whole, line.bytes, line.length);
    ret = add_line(r, (struct text){ whole.text, whole.length }, err);
    strbuf_release(&whole);
    r->out.marked = true;
    return ret;
}

static bool drops_mark(const char *encoding)
{
    return encoding && !strcasecmp(encoding, "utf-8-sig");
}

static int read_lines(struct reading *r, struct error *err)
{
    int more;
    while ((more = lines_next(&r->in, err)) > 0) {
        struct text line = { r->in.text, r->in.length };
        bool first = r->in.number == 1 && !drops_mark(r->in.encoding);
        if ((first && r->in.marked ? add_marked_line : add_line)(r, line, err) < 0)
            return -1;
    }
    if (more == 0 && r->out.count == 0)
        return error_set(err, "%s is empty: there is nothing to score", r->name);
    return more;
}

static void place_texts(struct reading *r)
{
    struct segments *s = &r->out;
    s->items = xcalloc(r->places_count, sizeof *s->items);
    strbuf_add(&s->bytes, "", 1);               /* so that an empty segment has an address too */
    for (size_t i = 0; i < s->count; i++)
        for (int c = 0; c < s->columns; c++) {
            struct place p = r->places[i * (size_t)s->columns + (size_t)c];
            s->items[(size_t)c * s->count + i] = (struct text){ s->bytes.text + p.begin, p.length };
        }
}

int segments_load(struct segments *out, const char *path, int columns, struct encoding encoding,
                  struct error *err)
{
    struct reading r = { .in = { .utf8 = encoding.bad, .encoding = encoding.name }, .out = { .columns = columns } };
    int ret = -1;

    r.name = strcmp(path, "-") ? path : "standard input";
    r.exact = columns == 0;
    if (lines_open(&r.in, path, err) < 0 || read_lines(&r, err) < 0)
        goto done;
    place_texts(&r);
    *out = r.out;
    r.out = (struct segments){ 0 };             /* now the caller's */
    ret = 0;
done:
    lines_close(&r.in);
    free(r.places);
    segments_release(&r.out);
    return ret;
}

void segments_release(struct segments *s)
{
    free(s->items);
    strbuf_release(&s->bytes);
    *s = (struct segments){ 0 };
}
