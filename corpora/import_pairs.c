/* The format "pairs": two text files, line by line, or one of text in a single language. */
#include <stdlib.h>

#include "base/memory.h"
#include "corpora/import_formats.h"
#include "corpora/pairs.h"

struct text_files {
    struct pairs in;
    bool paired;
};

static void *open_files(const struct import_config *config, const char *source, const char *target,
                        struct error *err)
{
    struct text_files *t = xcalloc(1, sizeof *t);
    t->paired = target != NULL;
    if ((target ? pairs_open(&t->in, source, target, err)
                : lines_open(&t->in.source, source, err)) < 0) {
        free(t);
        return NULL;
    }
    t->in.source.utf8 = t->in.target.utf8 = (enum utf8_policy)config->bad_utf8;
    return t;
}

static int next_pair(void *state, struct text_pair *out, struct error *err)
{
    struct text_files *t = state;
    int more = t->paired ? pairs_next(&t->in, err) : lines_next(&t->in.source, err);
    if (more > 0)
        *out = (struct text_pair){ { t->in.source.text, t->in.source.length },
                                   { t->in.target.text, t->in.target.length } };
    return more;
}

static int64_t repaired_lines(void *state)
{
    struct text_files *t = state;
    return t->in.source.replaced + t->in.target.replaced;
}

static void close_files(void *state)
{
    struct text_files *t = state;
    pairs_close(&t->in);
    free(t);
}

const struct corpus_format import_pairs = {
    .name = "pairs", .summary = "two text files, line by line, or one of a single language",
    .inputs = INPUTS_EITHER, .suffixes = (const char *const[]){ "txt", NULL },
    .open = open_files, .next = next_pair, .repaired = repaired_lines, .close = close_files,
};
