/* The format "wmt": test sets of the Conference on Machine Translation, and others in their form.
 *
 * Two SGML files, as of newstest2020 and before:
 *     <srcset …><doc docid="a"><seg id="1">Source.</seg> …            and the same in <refset …>
 * or one XML file, as of 2021 and after:
 *     <dataset …><doc id="a"><src lang="en"><p><seg id="1">Source.</seg> … </src>
 *                            <ref lang="de" translator="A"><p><seg id="1">Ziel.</seg> … </ref> …
 * Segments go together by document and number; of several references the first is taken.  SGML is
 * not XML, and carries signs that XML forbids, so both are read as HTML is. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/lines.h"
#include "base/memory.h"
#include "corpora/html.h"
#include "corpora/import_formats.h"
#include "corpora/language_tag.h"
#include "corpora/pair_queue.h"

struct segment {
    uint64_t key;                       /* of document and number */
    int64_t line;
    size_t text, length;                /* in `texts` */
};

struct side {
    const char *path;
    struct segment *segments;
    size_t count, room;
    struct strbuf texts;
};

struct wmt {
    struct side side[2];
    size_t next, expected;
    struct pair_queue queue;            /* holds one pair */
    int64_t repaired;
};

static void close_wmt(void *state)
{
    struct wmt *w = state;
    for (int i = 0; i < 2; i++) {
        free(w->side[i].segments);
        strbuf_release(&w->side[i].texts);
    }
    pair_queue_release(&w->queue);
    free(w);
}

static int read_text(struct wmt *w, struct strbuf *out, const char *path, int bad_utf8, struct error *err)
{
    struct lines in = { .utf8 = (enum utf8_policy)bad_utf8 };
    int more;
    if (lines_open(&in, path, err) < 0)
        return -1;
    in.utf8 = (enum utf8_policy)bad_utf8;
    while ((more = lines_next(&in, err)) > 0) {
        strbuf_add(out, in.text, in.length);
        strbuf_putc(out, '\n');
    }
    w->repaired += in.replaced;
    lines_close(&in);
    return more;
}

/* Where the scan of a file is. */
struct scan {
    struct side *side;                  /* NULL: text of neither side, or of another language */
    uint64_t document;
    bool referenced;                    /* the document has its reference already */
    bool inside;                        /* of a <seg> */
    const char *counted;                /* lines up to here are counted */
    int64_t line;
};

static struct text named(const struct html_token *token, const char *name, const char *other)
{
    struct text value = { "", 0 };
    if (!html_attribute(token, name, &value) && other)
        html_attribute(token, other, &value);
    return value;
}

/* Whether the element's language, where it names one, is the one wanted. */
static bool language_fits(const struct html_token *token, const char *wanted)
{
    struct text value;
    if (!language_told(wanted) || !html_attribute(token, "lang", &value) || !value.length)
        return true;
    char *tag = xstrndup(value.bytes, value.length);
    bool fits = language_matches(tag, wanted);
    free(tag);
    return fits;
}

static void segment_begin(struct scan *s, const struct html_token *token)
{
    struct side *side = s->side;
    struct text id = text_trim(named(token, "id", NULL));
    for (; s->counted < token->name.bytes; s->counted++)
        s->line += *s->counted == '\n';
    ARRAY_GROW(side->segments, side->room, side->count + 1);
    side->segments[side->count++] = (struct segment){
        .key = hash_bytes(id.bytes, id.length, s->document), .line = s->line, .text = side->texts.length,
    };
    s->inside = true;
}

static void segment_end(struct scan *s)
{
    if (!s->inside)
        return;
    struct segment *last = &s->side->segments[s->side->count - 1];
    last->length = s->side->texts.length - last->text;
    s->inside = false;
}

static void on_open(struct wmt *w, struct scan *s, const struct html_token *token,
                    const struct import_config *config, bool single)
{
    if (html_is(token, "doc") || html_is(token, "src") || html_is(token, "ref") || html_is(token, "hyp"))
        segment_end(s);
    if (html_is(token, "doc")) {
        struct text id = named(token, "docid", "id");
        s->document = hash_bytes(id.bytes, id.length, 1);
        s->referenced = false;
        if (single)
            s->side = NULL;
    } else if (single && html_is(token, "src")) {
        s->side = language_fits(token, config->source_lang) ? &w->side[0] : NULL;
    } else if (single && html_is(token, "ref")) {
        bool taken = !s->referenced && language_fits(token, config->target_lang);
        s->side = taken ? &w->side[1] : NULL;
        s->referenced = s->referenced || taken;
    } else if (single && html_is(token, "hyp")) {
        s->side = NULL;
    } else if (html_is(token, "seg") && s->side) {
        segment_end(s);
        segment_begin(s, token);
    }
}

static void on_close(struct scan *s, const struct html_token *token, bool single)
{
    bool part = html_is(token, "src") || html_is(token, "ref") || html_is(token, "doc");
    if (html_is(token, "seg") || part)
        segment_end(s);
    if (single && part)
        s->side = NULL;
}

static int scan_file(struct wmt *w, struct side *side, const char *path,
                     const struct import_config *config, bool single, struct error *err)
{
    struct strbuf text = { 0 };
    struct html_token token;
    if (read_text(w, &text, path, config->bad_utf8, err) < 0) {
        strbuf_release(&text);
        return -1;
    }
    struct html html = { .input = { text.text, text.length } };
    struct scan scan = { .side = side, .counted = text.text, .line = 1 };
    while (html_next(&html, &token)) {
        if (token.kind == HTML_OPEN)
            on_open(w, &scan, &token, config, single);
        else if (token.kind == HTML_CLOSE)
            on_close(&scan, &token, single);
        else if (scan.inside)
            html_decode(&scan.side->texts, token.text);
    }
    segment_end(&scan);
    strbuf_release(&text);
    return 0;
}

static void *open_wmt(const struct import_config *config, const char *source, const char *target,
                      struct error *err)
{
    struct wmt *w = xcalloc(1, sizeof *w);
    w->side[0].path = source;
    w->side[1].path = target ? target : source;
    int ret = target ? 0 : scan_file(w, NULL, source, config, true, err);
    if (target)
        ret = scan_file(w, &w->side[0], source, config, false, err) < 0 ||
              scan_file(w, &w->side[1], target, config, false, err) < 0 ? -1 : 0;
    if (ret == 0 && (!w->side[0].count || !w->side[1].count)) {
        const struct side *empty = &w->side[w->side[0].count > 0];
        ret = error_set(err, "'%s' holds no segment of the %s; <seg id=…> in a <doc>, of the "
                             "language wanted, is what is looked for", empty->path,
                        empty == w->side ? "source" : "reference");
    }
    if (ret < 0) {
        close_wmt(w);
        return NULL;
    }
    return w;
}

/* The segment with this key, looked for from where it most likely is, and round. */
static const struct segment *find(struct wmt *w, uint64_t key)
{
    const struct side *side = &w->side[1];
    for (size_t i = 0; i < side->count; i++) {
        size_t at = (w->expected + i) % side->count;
        if (side->segments[at].key == key) {
            w->expected = at + 1;
            return &side->segments[at];
        }
    }
    return NULL;
}

static struct text segment_text(const struct side *side, const struct segment *s)
{
    return (struct text){ side->texts.text ? side->texts.text + s->text : "", s->length };
}

static int next_pair(void *state, struct text_pair *out, struct error *err)
{
    struct wmt *w = state;
    if (w->next == w->side[0].count)
        return 0;
    const struct segment *source = &w->side[0].segments[w->next++];
    const struct segment *target = find(w, source->key);
    if (!target)
        return error_set(err, "%s:%lld: this segment's document and number are not in the references "
                              "in '%s'; do the two belong together?", path_shown(w->side[0].path),
                         (long long)source->line, path_shown(w->side[1].path));
    pair_queue_add(&w->queue, segment_text(&w->side[0], source), segment_text(&w->side[1], target));
    pair_queue_next(&w->queue, out);
    return 1;
}

static int64_t repaired_lines(void *state)
{
    return ((struct wmt *)state)->repaired;
}

const struct corpus_format import_wmt = {
    .name = "wmt", .summary = "test sets: source and reference as SGML, or one XML file with both",
    .inputs = INPUTS_EITHER, .suffixes = (const char *const[]){ "sgm", "sgml", "xml", NULL },
    .open = open_wmt, .next = next_pair, .repaired = repaired_lines, .close = close_wmt,
};
