/* The format "po": catalogues of gettext, with the programs' messages and their translations.
 *
 *     #, fuzzy                         entries so marked are left out, unless --unfinished
 *     msgctxt "menu"
 *     msgid "one file"
 *     msgid_plural "%d files"          goes with the last msgstr[n], if need be msgstr[0]
 *     msgstr[0] "eine Datei"
 *     msgstr[1] "%d Dateien"
 *
 * The entry of msgid "" is the header.  Obsolete entries, "#~ msgid …", are comments to us. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/memory.h"
#include "corpora/catalogue.h"
#include "corpora/import_formats.h"

enum part { NONE, CONTEXT, ID, PLURAL, STRING, LAST_STRING, PARTS };

struct po {
    struct lines in;
    struct catalogue catalogue;
    struct strbuf part[PARTS];
    bool present[PARTS];
    enum part at;                       /* what a "…" line goes on with */
    bool fuzzy, unfinished, ended;
    int64_t line;                       /* of the msgid */
};

static void close_po(void *state)
{
    struct po *p = state;
    lines_close(&p->in);
    catalogue_release(&p->catalogue);
    for (int i = 0; i < PARTS; i++)
        strbuf_release(&p->part[i]);
    free(p);
}

static void *open_po(const struct import_config *config, const char *source, const char *target,
                     struct error *err)
{
    struct po *p = xcalloc(1, sizeof *p);
    (void)target;
    p->unfinished = config->unfinished;
    p->catalogue.utf8 = (enum utf8_policy)config->bad_utf8;
    if (lines_open(&p->in, source, err) < 0) {
        free(p);
        return NULL;
    }
    p->in.utf8 = UTF8_KEEP;             /* the header tells the encoding */
    return p;
}

static int bad_line(const struct po *p, const char *why, struct error *err)
{
    return error_set(err, "%s:%lld: %s; is it a PO file? msgfmt -c tells more",
                     path_shown(p->in.path), (long long)p->in.number, why);
}

/* ---- strings ---- */

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
           c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Behind the backslash at *at; the character goes into out. */
static void unescape(struct strbuf *out, const char **at)
{
    static const char from[] = "ntrabfv\\\"", to[] = "\n\t\r\a\b\f\v\\\"";
    const char *known = **at ? strchr(from, **at) : NULL;
    int value = 0, digits = 0;
    if (known) {
        strbuf_putc(out, to[known - from]);
        ++*at;
        return;
    }
    if (**at == 'x')
        for (++*at; digits < 2 && hex_value(**at) >= 0; digits++)
            value = 16 * value + hex_value(*(*at)++);
    else
        for (; digits < 3 && **at >= '0' && **at <= '7'; digits++)
            value = 8 * value + *(*at)++ - '0';
    if (digits)
        strbuf_putc(out, (char)value);
    else
        strbuf_putc(out, '\\');
}

/* Appends the "…" at `at` to a part; nothing but white space may follow. */
static int add_string(struct po *p, enum part part, const char *at, struct error *err)
{
    struct strbuf *out = &p->part[part];
    at += strspn(at, " \t");
    if (*at++ != '"')
        return bad_line(p, "a text in quotation marks is missing", err);
    while (*at && *at != '"') {
        if (*at == '\\') {
            at++;
            unescape(out, &at);
        } else {
            strbuf_putc(out, *at++);
        }
    }
    if (*at != '"' || at[1 + strspn(at + 1, " \t")])
        return bad_line(p, "a quotation mark is missing, or something follows it", err);
    return 0;
}

/* ---- entries ---- */

static struct text part_text(const struct po *p, enum part part)
{
    return (struct text){ p->part[part].text, p->part[part].length };
}

static void clear(struct po *p)
{
    for (int i = 0; i < PARTS; i++) {
        strbuf_reset(&p->part[i]);
        p->present[i] = false;
    }
    p->at = NONE;
    p->fuzzy = false;
}

static int end_entry(struct po *p, struct error *err)
{
    int ret = 0;
    char *where = xasprintf("%s:%lld", path_shown(p->in.path), (long long)p->line);
    if (p->present[ID] && !p->part[ID].length && !p->present[CONTEXT]) {
        ret = catalogue_header(&p->catalogue, part_text(p, STRING), err);
        if (ret < 0)
            error_prefix(err, "%s", where);
    } else if (p->present[ID] && (!p->fuzzy || p->unfinished)) {
        ret = catalogue_add(&p->catalogue, part_text(p, ID), part_text(p, STRING), where, err);
        if (ret == 0 && p->present[PLURAL])
            ret = catalogue_add(&p->catalogue, part_text(p, PLURAL),
                                part_text(p, p->present[LAST_STRING] ? LAST_STRING : STRING), where,
                                err);
    }
    free(where);
    clear(p);
    return ret;
}

/* The keyword at the start of the line; *rest is behind it. */
static enum part keyword(const char *line, const char **rest)
{
    static const struct { const char *word; enum part part; } words[] = {
        { "msgctxt", CONTEXT }, { "msgid_plural", PLURAL }, { "msgid", ID }, { "msgstr[0]", STRING },
        { "msgstr[", LAST_STRING }, { "msgstr", STRING },
    };
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        size_t length = strlen(words[i].word);
        if (strncmp(line, words[i].word, length))
            continue;
        *rest = line + length;
        if (words[i].part != LAST_STRING)
            return words[i].part;
        *rest += strspn(*rest, "0123456789");
        return *(*rest)++ == ']' ? LAST_STRING : NONE;
    }
    return NONE;
}

static bool begins_entry(const struct po *p, enum part part)
{
    return (part == CONTEXT || (part == ID && p->at != CONTEXT)) && p->present[ID];
}

static int take_line(struct po *p, struct error *err)
{
    const char *line = p->in.text + strspn(p->in.text, " \t"), *rest = line;
    if (!*line)
        return 0;
    if (*line == '#') {
        bool said = p->present[STRING] || p->present[LAST_STRING];
        if (said && end_entry(p, err) < 0)
            return -1;
        p->fuzzy = p->fuzzy || (line[1] == ',' && strstr(line, "fuzzy"));
        return 0;
    }
    if (*line == '"')
        return p->at == NONE ? bad_line(p, "a text stands outside of any entry", err)
                             : add_string(p, p->at, line, err);
    enum part part = keyword(line, &rest);
    if (part == NONE)
        return bad_line(p, "neither a comment, nor msgid, msgstr or the like", err);
    if (begins_entry(p, part) && end_entry(p, err) < 0)
        return -1;
    if (part == ID)
        p->line = p->in.number;
    strbuf_reset(&p->part[part]);
    p->present[part] = true;
    p->at = part;
    return add_string(p, part, rest, err);
}

static int next_pair(void *state, struct text_pair *out, struct error *err)
{
    struct po *p = state;
    while (!pair_queue_next(&p->catalogue.queue, out)) {
        if (p->ended)
            return 0;
        int more = lines_next(&p->in, err);
        if (more < 0)
            return -1;
        p->ended = more == 0;
        if (memchr(p->in.text ? p->in.text : "", 0, p->in.length))
            return bad_line(p, "a zero byte in the text", err);
        if ((p->ended ? end_entry(p, err) : take_line(p, err)) < 0)
            return -1;
    }
    return 1;
}

static int64_t repaired_lines(void *state)
{
    return ((struct po *)state)->catalogue.repaired;
}

const struct corpus_format import_po = {
    .name = "po", .summary = "a catalogue of gettext, in any encoding that it names",
    .inputs = INPUTS_ONE, .suffixes = (const char *const[]){ "po", NULL },
    .open = open_po, .next = next_pair, .repaired = repaired_lines, .close = close_po,
};
