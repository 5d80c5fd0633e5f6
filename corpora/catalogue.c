/* Messages to pairs. */
#include "corpora/catalogue.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/memory.h"

/* What a template says, or a file whose messages are ASCII: translations are UTF-8 nowadays. */
static bool says_nothing(const char *name)
{
    return !strcasecmp(name, "CHARSET") || !strcasecmp(name, "ASCII") || !strcasecmp(name, "US-ASCII");
}

int catalogue_header(struct catalogue *c, struct text header, struct error *err)
{
    static const char mark[] = "charset=";
    char *text = xstrndup(header.length ? header.bytes : "", header.length);
    char *name = strstr(text, mark);
    int ret = 0;
    if (name) {
        name += strlen(mark);
        name[strcspn(name, " \t\r\n;")] = '\0';
        charset_close(&c->charset);
        ret = says_nothing(name) ? 0 : charset_open(&c->charset, name, err);
    }
    free(text);
    return ret;
}

/* Bad bytes become U+FFFD, a byte each. */
static void mend(struct strbuf *text)
{
    struct strbuf good = { 0 };
    for (size_t at = 0; at < text->length;) {
        size_t valid = utf8_valid_prefix(text->text + at, text->length - at);
        strbuf_add(&good, text->text + at, valid);
        at += valid;
        if (at < text->length) {
            strbuf_puts(&good, "\xEF\xBF\xBD");
            at++;
        }
    }
    strbuf_release(text);
    *text = good;
}

static int convert(struct catalogue *c, int side, struct text t, const char *where, struct error *err)
{
    struct strbuf *out = &c->side[side];
    strbuf_reset(out);
    bool good = charset_convert(&c->charset, out, t) == 0 &&
                (!out->length || utf8_valid_prefix(out->text, out->length) == out->length);
    if (good)
        return 0;
    if (c->utf8 == UTF8_REFUSE)
        return error_set(err, "%s: the text is not in the encoding that the file names; convert it, "
                              "for instance with msgconv -t UTF-8", where);
    strbuf_reset(out);
    strbuf_add(out, t.bytes, t.length);
    mend(out);
    c->repaired++;
    return 0;
}

int catalogue_add(struct catalogue *c, struct text source, struct text target, const char *where,
                  struct error *err)
{
    if (!source.length || !target.length)
        return 0;
    if (convert(c, 0, source, where, err) < 0 || convert(c, 1, target, where, err) < 0)
        return -1;
    pair_queue_add(&c->queue, (struct text){ c->side[0].text, c->side[0].length },
                   (struct text){ c->side[1].text, c->side[1].length });
    return 0;
}

void catalogue_release(struct catalogue *c)
{
    charset_close(&c->charset);
    strbuf_release(&c->side[0]);
    strbuf_release(&c->side[1]);
    pair_queue_release(&c->queue);
}
