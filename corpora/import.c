/* The table of formats, and reading through a row of it. */
#include "corpora/import.h"

#include <stdlib.h>

#include "base/lines.h"
#include "base/memory.h"
#include "corpora/import_formats.h"

/* The names below stand in the same order. */
const struct corpus_format *const corpus_formats[] = {
    &import_pairs,
    &import_libreoffice_help,
    NULL
};
static const char *const format_names[] = { "pairs", "libreoffice-help", NULL };

static const char *const utf8_names[] = {
    [UTF8_REFUSE] = "refuse", [UTF8_REPLACE] = "replace", NULL
};
static const char *const uneven_names[] = {
    [UNEVEN_KEEP] = "keep", [UNEVEN_DROP] = "drop", NULL
};

#define FIELD(member) offsetof(struct import_config, member)
const struct option import_options[] = {
    { "format", OPTION_CHOICE, FIELD(format), "pairs", 0, 0,
      "what the corpus comes in", format_names },
    { "bad-utf8", OPTION_CHOICE, FIELD(bad_utf8), "refuse", 0, 0,
      "a line that is not UTF-8 ends the import, or each bad byte becomes U+FFFD", utf8_names },
    { "uneven", OPTION_CHOICE, FIELD(uneven), "keep", 0, 0,
      "libreoffice-help: paragraphs with unequal numbers of sentences stay whole or are dropped",
      uneven_names },
    { 0 }
};

struct import {
    const struct corpus_format *format;
    void *state;
};

struct import *import_open(const struct import_config *config, const char *source,
                           const char *target, struct error *err)
{
    const struct corpus_format *format = corpus_formats[config->format];
    void *state = format->open(config, source, target, err);
    if (!state)
        return NULL;
    struct import *in = xmalloc(sizeof *in);
    *in = (struct import){ format, state };
    return in;
}

int import_next(struct import *in, struct text_pair *out, struct error *err)
{
    return in->format->next(in->state, out, err);
}

int64_t import_repaired(const struct import *in)
{
    return in->format->repaired(in->state);
}

void import_close(struct import *in)
{
    if (!in)
        return;
    in->format->close(in->state);
    free(in);
}
