/* TSV and CSV. */
#include "corpora/record.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/memory.h"

int record_open(struct record *r, const char *path, struct error *err)
{
    return lines_open(&r->in, path, err);
}

void record_close(struct record *r)
{
    lines_close(&r->in);
    strbuf_release(&r->text);
    free(r->ends);
}

struct text record_field(const struct record *r, size_t i)
{
    size_t from = i ? r->ends[i - 1] : 0;
    return (struct text){ r->text.text ? r->text.text + from : "", r->ends[i] - from };
}

static void end_field(struct record *r)
{
    ARRAY_GROW(r->ends, r->room, r->count + 1);
    r->ends[r->count++] = r->text.length;
}

static int not_closed(const struct record *r, struct error *err)
{
    return error_set(err, "%s:%lld: a quotation mark opens a field and is never closed; mend the "
                          "file, or read it as tsv", path_shown(r->in.path), (long long)r->line);
}

/* From behind the opening mark to behind the closing one, over line ends. */
static int quoted_field(struct record *r, const char **at, const char **end, struct error *err)
{
    for (;;) {
        const char *mark = memchr(*at, '"', (size_t)(*end - *at));
        const char *stop = mark ? mark : *end;
        strbuf_add(&r->text, *at, (size_t)(stop - *at));
        if (mark && mark + 1 < *end && mark[1] == '"') {
            strbuf_putc(&r->text, '"');
            *at = mark + 2;
        } else if (mark) {
            *at = mark + 1;
            return 0;
        } else {
            int more = lines_next(&r->in, err);
            if (more <= 0)
                return more < 0 ? -1 : not_closed(r, err);
            strbuf_putc(&r->text, ' ');
            *at = r->in.text;
            *end = r->in.text + r->in.length;
        }
    }
}

static int split(struct record *r, struct error *err)
{
    const char *at = r->in.text, *end = at + r->in.length;
    for (;;) {
        if (r->quoted && at < end && *at == '"') {
            at++;
            if (quoted_field(r, &at, &end, err) < 0)
                return -1;
        }
        const char *stop = memchr(at, r->separator, (size_t)(end - at));
        strbuf_add(&r->text, at, (size_t)((stop ? stop : end) - at));
        end_field(r);
        if (!stop)
            return 0;
        at = stop + 1;
    }
}

int record_next(struct record *r, struct error *err)
{
    int more = lines_next(&r->in, err);
    if (more <= 0)
        return more;
    r->line = r->in.number;
    r->count = 0;
    strbuf_reset(&r->text);
    return split(r, err) < 0 ? -1 : 1;
}
