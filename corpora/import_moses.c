/* The format "moses": files CORPUS.en and CORPUS.de, named by their stem and the languages, in which
 * the signs that mean something to Moses are escaped. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "corpora/import_formats.h"
#include "corpora/language_tag.h"
#include "corpora/moses.h"
#include "corpora/pairs.h"

struct moses {
    struct pairs in;
    char *path[2];
    struct strbuf text[2];
};

static void close_moses(void *state)
{
    struct moses *m = state;
    pairs_close(&m->in);
    for (int i = 0; i < 2; i++) {
        free(m->path[i]);
        strbuf_release(&m->text[i]);
    }
    free(m);
}

/* CORPUS.de, or that with the suffix of a packing. */
static char *find_file(const struct import_config *config, const char *stem, int side, struct error *err)
{
    static const char *const packings[] = { "", ".gz", ".zst", ".xz" };
    const char *language = side ? config->target_lang : config->source_lang;
    language = language ? language : "";
    for (size_t i = 0; i < ARRAY_COUNT(packings); i++) {
        char *path = xasprintf("%s.%s%s", stem, language, packings[i]);
        if (file_exists(path))
            return path;
        free(path);
    }
    error_set(err, "there is neither '%s.%s' nor that with .gz, .zst or .xz; the input of the format "
                   "moses is what both names have in common, the languages come by --source-lang "
                   "and --target-lang", stem, language);
    return NULL;
}

static void *open_moses(const struct import_config *config, const char *source, const char *target,
                        struct error *err)
{
    struct moses *m = xcalloc(1, sizeof *m);
    (void)target;
    for (int i = 0; i < 2; i++)
        if (!(m->path[i] = find_file(config, source, i, err)))
            goto failed;
    if (pairs_open(&m->in, m->path[0], m->path[1], err) < 0)
        goto failed;
    m->in.source.utf8 = m->in.target.utf8 = (enum utf8_policy)config->bad_utf8;
    return m;
failed:
    close_moses(m);
    return NULL;
}

static struct text plain_text(struct strbuf *out, const struct lines *in)
{
    struct text t = { in->text, in->length };
    if (!memchr(t.bytes, '&', t.length))
        return t;
    strbuf_reset(out);
    moses_unescape(out, t);
    return (struct text){ out->text, out->length };
}

static int next_pair(void *state, struct text_pair *out, struct error *err)
{
    struct moses *m = state;
    int more = pairs_next(&m->in, err);
    if (more > 0)
        *out = (struct text_pair){ plain_text(&m->text[0], &m->in.source),
                                   plain_text(&m->text[1], &m->in.target) };
    return more;
}

static int64_t repaired_lines(void *state)
{
    struct moses *m = state;
    return m->in.source.replaced + m->in.target.replaced;
}

const struct corpus_format import_moses = {
    .name = "moses", .summary = "CORPUS.en and CORPUS.de by their stem; Moses' escapes are undone",
    .inputs = INPUTS_ONE,
    .open = open_moses, .next = next_pair, .repaired = repaired_lines, .close = close_moses,
    .file = find_file,
};
