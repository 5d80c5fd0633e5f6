/* The format "libreoffice-help": the help pages of LibreOffice in two languages.
 *
 * Debian has a package for each language, libreoffice-help-<code>, the code in lower case (de,
 * pt-br, en-us).  Its pages are
 *
 *     /usr/share/libreoffice/help/<Code>/text/<application>/…/<page>.html
 *
 * where <Code> writes the region in capitals: en-US, en-GB, pt-BR, zh-CN, zh-TW; other languages
 * have none (de, fr, …).  An import is given that folder of each language, installed or unpacked.
 *
 * Pages are translated one to one, and so are their paragraphs and headings, which carry the same
 * id in every language.  So: for each page of the source language, in order of its path, each
 * <p> and <h1> … <h6> with an id that the target's page has too is a pair; it is cut into
 * sentences where both sides have equally many.
 *
 * LibreOffice 7.4.7 gives against en-US, of 4 words or more and without duplicates: de 34,141,
 * fr 33,527, pt-BR 35,450 pairs; ja 17,156 and km 17,865, much of which was never translated. */
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/lines.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "corpora/html.h"
#include "corpora/import_formats.h"
#include "corpora/sentences.h"

/* One page: ids and texts of its paragraphs, as places in `bytes`. */
struct paragraph {
    size_t id, id_length, text, text_length;
};

struct page {
    struct strbuf html, bytes;
    struct paragraph *paragraphs;
    size_t count, room;
};

struct help {
    enum utf8_policy utf8;
    enum uneven_policy uneven;
    char *source, *target;              /* folders */
    struct strings pages;               /* paths below `source`, sorted */
    size_t next_page;
    struct page source_page, target_page;
    size_t next_paragraph;              /* of the source page */
    size_t expected;                    /* where the target's page has it, most likely */
    int sentences;                      /* left of the current paragraph */
    struct text_pair rest;
    int64_t repaired;
};

/* ---- one page ---- */

static void page_release(struct page *p)
{
    strbuf_release(&p->html);
    strbuf_release(&p->bytes);
    free(p->paragraphs);
}

static int read_html(struct strbuf *out, const char *path, struct help *help, struct error *err)
{
    struct lines in = { .utf8 = help->utf8 };
    int more;
    strbuf_reset(out);
    if (lines_open(&in, path, err) < 0)
        return -1;
    while ((more = lines_next(&in, err)) > 0) {
        strbuf_add(out, in.text, in.length);
        strbuf_putc(out, '\n');
    }
    help->repaired += in.replaced;
    lines_close(&in);
    return more;
}

static bool is_block(const struct html_token *token)
{
    static const char *const names[] = { "p", "h1", "h2", "h3", "h4", "h5", "h6" };
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (html_is(token, names[i]))
            return true;
    return false;
}

/* Ids that begin with bm_ belong to the frame around the page's text. */
static bool has_id(const struct html_token *token, struct text *id)
{
    return html_attribute(token, "id", id) && id->length &&
           !(id->length > 3 && !memcmp(id->bytes, "bm_", 3));
}

/* Runs of white space become one space, in place; none at the ends. */
static size_t squeeze(char *text, size_t length)
{
    size_t to = 0;
    for (size_t from = 0; from < length; from++) {
        bool space = text[from] == ' ' || (text[from] >= '\t' && text[from] <= '\r');
        if (!space)
            text[to++] = text[from];
        else if (to && text[to - 1] != ' ')
            text[to++] = ' ';
    }
    return to && text[to - 1] == ' ' ? to - 1 : to;
}

static void paragraph_begin(struct page *p, struct text id)
{
    struct paragraph at = { .id = p->bytes.length, .id_length = id.length };
    strbuf_add(&p->bytes, id.bytes, id.length);
    at.text = p->bytes.length;
    ARRAY_GROW(p->paragraphs, p->room, p->count + 1);
    p->paragraphs[p->count] = at;
}

static void paragraph_end(struct page *p)
{
    struct paragraph *last = &p->paragraphs[p->count];
    last->text_length = squeeze(p->bytes.text + last->text, p->bytes.length - last->text);
    p->count += last->text_length > 0;
}

static void page_parse(struct page *p)
{
    struct html html = { .input = { p->html.text, p->html.length } };
    struct html_token token;
    struct text id;
    bool inside = false;
    strbuf_reset(&p->bytes);
    p->count = 0;
    while (html_next(&html, &token)) {
        bool block = token.kind != HTML_TEXT && is_block(&token);
        if (block && inside)
            paragraph_end(p);
        if (block)
            inside = token.kind == HTML_OPEN && has_id(&token, &id);
        if (block && inside)
            paragraph_begin(p, id);
        if (inside && token.kind == HTML_TEXT)
            html_decode(&p->bytes, token.text);
        if (inside && html_is(&token, "br"))
            strbuf_putc(&p->bytes, ' ');
    }
    if (inside)
        paragraph_end(p);
}

static int page_load(struct page *p, const char *path, struct help *help, struct error *err)
{
    if (read_html(&p->html, path, help, err) < 0)
        return -1;
    page_parse(p);
    return 0;
}

static struct text paragraph_id(const struct page *p, size_t i)
{
    return (struct text){ p->bytes.text + p->paragraphs[i].id, p->paragraphs[i].id_length };
}

static struct text paragraph_text(const struct page *p, size_t i)
{
    return (struct text){ p->bytes.text + p->paragraphs[i].text, p->paragraphs[i].text_length };
}

/* The paragraph with this id, looked for from `expected` on and round; -1 when absent. */
static ptrdiff_t paragraph_find(const struct page *p, struct text id, size_t expected)
{
    for (size_t i = 0; i < p->count; i++) {
        size_t at = (expected + i) % p->count;
        if (text_equal(paragraph_id(p, at), id))
            return (ptrdiff_t)at;
    }
    return -1;
}

/* ---- the walk over the pages ---- */

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_page(const FTSENT *entry)
{
    size_t length = entry->fts_namelen;
    return entry->fts_info == FTS_F && length > 5 &&
           !strcmp(entry->fts_name + length - 5, ".html");
}

/* Paths below `folder` of its pages. */
static int list_pages(struct strings *out, const char *folder, struct error *err)
{
    char *roots[] = { (char *)folder, NULL };
    size_t skip = strlen(folder) + 1;
    const FTSENT *entry;
    int ret = 0;
    FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    if (!walk)
        return error_set(err, "cannot read '%s': %s", folder, strerror(errno));
    while (!ret && (entry = fts_read(walk))) {
        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS)
            ret = error_set(err, "cannot read '%s': %s", entry->fts_path,
                            strerror(entry->fts_errno));
        else if (is_page(entry))
            strings_add(out, entry->fts_path + skip);
    }
    fts_close(walk);
    return ret;
}

/* The folder with the pages of a language. */
static int text_folder(char **out, const char *language, struct error *err)
{
    char *folder = path_join(language, "text");
    if (!file_exists(folder)) {
        error_set(err, "'%s' has no folder 'text': a folder such as "
                       "/usr/share/libreoffice/help/en-US is wanted", language);
        free(folder);
        return -1;
    }
    *out = folder;
    return 0;
}

static void close_help(void *state)
{
    struct help *help = state;
    strings_release(&help->pages);
    page_release(&help->source_page);
    page_release(&help->target_page);
    free(help->source);
    free(help->target);
    free(help);
}

static void *open_help(const struct import_config *config, const char *source, const char *target,
                       struct error *err)
{
    struct help *help = xcalloc(1, sizeof *help);
    help->utf8 = (enum utf8_policy)config->bad_utf8;
    help->uneven = (enum uneven_policy)config->uneven;
    if (text_folder(&help->source, source, err) < 0 ||
        text_folder(&help->target, target, err) < 0 ||
        list_pages(&help->pages, help->source, err) < 0) {
        close_help(help);
        return NULL;
    }
    return help;
}

/* Loads the next page that both languages have: 1, 0 after the last, -1. */
static int turn_page(struct help *help, struct error *err)
{
    while (help->next_page < help->pages.count) {
        const char *name = help->pages.items[help->next_page++];
        char *source = path_join(help->source, name), *target = path_join(help->target, name);
        int ret = 0;
        if (file_exists(target))
            ret = page_load(&help->source_page, source, help, err) < 0 ||
                  page_load(&help->target_page, target, help, err) < 0 ? -1 : 1;
        free(source);
        free(target);
        if (ret)
            return ret;
    }
    return 0;
}

/* Takes the next paragraph of the page that has a translation; false at the page's end. */
static bool next_paragraph(struct help *help)
{
    while (help->next_paragraph < help->source_page.count) {
        size_t i = help->next_paragraph++;
        ptrdiff_t k = paragraph_find(&help->target_page, paragraph_id(&help->source_page, i),
                                     help->expected);
        if (k < 0)
            continue;
        help->expected = (size_t)k + 1;
        help->rest = (struct text_pair){ paragraph_text(&help->source_page, i),
                                         paragraph_text(&help->target_page, (size_t)k) };
        return true;
    }
    return false;
}

/* How many pairs to make of the current paragraph. */
static int pairs_within(const struct help *help)
{
    int source = sentence_count(help->rest.source), target = sentence_count(help->rest.target);
    if (source == target)
        return source;
    return help->uneven == UNEVEN_KEEP ? 1 : 0;
}

static void cut_pair(struct help *help, struct text_pair *out)
{
    if (help->sentences-- == 1) {
        *out = help->rest;
        return;
    }
    out->source = sentence_next(&help->rest.source);
    out->target = sentence_next(&help->rest.target);
}

static int next_pair(void *state, struct text_pair *out, struct error *err)
{
    struct help *help = state;
    while (!help->sentences) {
        if (next_paragraph(help)) {
            help->sentences = pairs_within(help);
            continue;
        }
        int more = turn_page(help, err);
        if (more <= 0)
            return more;
        help->next_paragraph = help->expected = 0;
    }
    cut_pair(help, out);
    return 1;
}

static int64_t repaired_lines(void *state)
{
    return ((struct help *)state)->repaired;
}

const struct corpus_format import_libreoffice_help = {
    .name = "libreoffice-help",
    .summary = "two folders such as /usr/share/libreoffice/help/en-US, of the packages "
               "libreoffice-help-<language>",
    .inputs = INPUTS_TWO,
    .open = open_help, .next = next_pair, .repaired = repaired_lines, .close = close_help,
};
