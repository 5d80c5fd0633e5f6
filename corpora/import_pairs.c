/* The format "pairs": two text files, line by line; plain, gzip or zstd. */
#include <stdlib.h>

#include "base/memory.h"
#include "corpora/import_formats.h"
#include "corpora/pairs.h"

static void *open_pairs(const struct import_config *config, const char *source, const char *target,
                        struct error *err)
{
    struct pairs *in = xcalloc(1, sizeof *in);
    if (pairs_open(in, source, target, err) < 0) {
        free(in);
        return NULL;
    }
    in->source.utf8 = in->target.utf8 = (enum utf8_policy)config->bad_utf8;
    return in;
}

static int next_pair(void *state, struct text_pair *out, struct error *err)
{
    struct pairs *in = state;
    int more = pairs_next(in, err);
    if (more > 0)
        *out = (struct text_pair){ { in->source.text, in->source.length },
                                   { in->target.text, in->target.length } };
    return more;
}

static int64_t repaired_lines(void *state)
{
    struct pairs *in = state;
    return in->source.replaced + in->target.replaced;
}

static void close_pairs(void *state)
{
    pairs_close(state);
    free(state);
}

const struct corpus_format import_pairs = {
    .name = "pairs", .summary = "two text files, line by line: plain, gzip or zstd",
    .open = open_pairs, .next = next_pair, .repaired = repaired_lines, .close = close_pairs,
};
