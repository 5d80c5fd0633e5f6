/* The table of formats, and reading through a row of it. */
#include "corpora/import.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/file.h"
#include "base/lines.h"
#include "base/memory.h"
#include "corpora/import_formats.h"

/* Takes the format that the input's name tells; two text files where it tells none. */
static const struct corpus_format by_name = {
    .name = "auto", .summary = "by the name of the input; two text files where it tells nothing",
    .inputs = INPUTS_EITHER,
};

/* The names below stand in the same order. */
const struct corpus_format *const corpus_formats[] = {
    &by_name, &import_pairs, &import_tsv, &import_csv, &import_moses, &import_tmx, &import_xliff,
    &import_po, &import_mo, &import_wmt, &import_jsonl, &import_libreoffice_help, NULL
};
static const char *const format_names[] = {
    "auto", "pairs", "tsv", "csv", "moses", "tmx", "xliff",
    "po", "mo", "wmt", "jsonl", "libreoffice-help", NULL
};

static const char *const utf8_names[] = {
    [UTF8_REFUSE] = "refuse", [UTF8_REPLACE] = "replace", NULL
};
static const char *const side_names[] = {
    [SIDE_BOTH] = "both", [SIDE_SOURCE] = "source", [SIDE_TARGET] = "target", NULL
};
static const char *const uneven_names[] = {
    [UNEVEN_KEEP] = "keep", [UNEVEN_DROP] = "drop", NULL
};

#define FIELD(member) offsetof(struct import_config, member)
const struct option import_options[] = {
    { "format", OPTION_CHOICE, FIELD(format), "auto", 0, 0,
      "what the corpus comes in", format_names },
    { "source-lang", OPTION_STRING, FIELD(source_lang), "src", 0, 0,
      "language of the source: suffix of the files that are written, and what to take from the input" },
    { "target-lang", OPTION_STRING, FIELD(target_lang), "trg", 0, 0,
      "language of the target, likewise" },
    { "side", OPTION_CHOICE, FIELD(side), "both", 0, 0,
      "take the source or the target alone, as monolingual text", side_names },
    { "source-field", OPTION_STRING, FIELD(source_field), NULL, 0, 0,
      "tsv, csv: the source's column, by number or name; jsonl: its member, such as translation.en" },
    { "target-field", OPTION_STRING, FIELD(target_field), NULL, 0, 0,
      "the target's column or member" },
    { "separator", OPTION_STRING, FIELD(separator), NULL, 0, 0,
      "csv: the character that divides fields; a comma without it" },
    { "unfinished", OPTION_FLAG, FIELD(unfinished), "false", 0, 0,
      "po, xliff: translations that are marked as fuzzy or unfinished as well" },
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
    enum import_side side;
};

bool import_needs(const struct import_config *config, int side)
{
    return config->side == SIDE_BOTH || side == (config->side == SIDE_TARGET);
}

/* Whether the name ends with .suffix, that of a packing aside. */
static bool has_suffix(const char *path, const char *suffix)
{
    static const char *const packings[] = { "", ".gz", ".zst", ".xz" };
    size_t length = strlen(path), own = strlen(suffix);
    for (size_t i = 0; i < ARRAY_COUNT(packings); i++) {
        size_t packing = strlen(packings[i]);
        if (length > own + packing + 1 && !strcmp(path + length - packing, packings[i]) &&
            path[length - packing - own - 1] == '.' &&
            !strncasecmp(path + length - packing - own, suffix, own))
            return true;
    }
    return false;
}

/* The format that the name of an input tells, of those that take so many; NULL: none. */
static const struct corpus_format *named_format(const char *path, int inputs)
{
    for (size_t i = 1; corpus_formats[i]; i++)
        for (const char *const *s = corpus_formats[i]->suffixes; corpus_formats[i]->inputs & inputs && s && *s; s++)
            if (has_suffix(path, *s))
                return corpus_formats[i];
    return NULL;
}

static const struct corpus_format *format_of(const struct import_config *config, const char *source,
                                             const char *target)
{
    if (config->format)
        return corpus_formats[config->format];
    const struct corpus_format *f = named_format(source, target ? INPUTS_TWO : INPUTS_ONE);
    return f ? f : &import_pairs;
}

/* Two inputs of which one's name tells a format of one: text lines they are not. */
static int check_names(const struct import_config *config, const char *source, const char *target, struct error *err)
{
    const char *paths[] = { source, target };
    for (int i = 0; !config->format && target && i < 2; i++) {
        const struct corpus_format *f = named_format(paths[i], INPUTS_ONE);
        if (f && !(f->inputs & INPUTS_TWO))
            return error_set(err, "'%s' is of the format %s by its name, which holds both sides; give it alone, "
                             "several corpora by --sources, or name the format with --format", paths[i], f->name);
    }
    return 0;
}

static int check_inputs(const struct corpus_format *f, const char *source, const char *target,
                        struct error *err)
{
    if (target && !(f->inputs & INPUTS_TWO))
        return error_set(err, "the format %s takes one input, with both sides in it, and not '%s' "
                              "as well", f->name, target);
    if (!target && !(f->inputs & INPUTS_ONE))
        return error_set(err, "the format %s takes two inputs; that of the target is missing beside "
                              "'%s'", f->name, source);
    return 0;
}

bool import_is_text(const struct import_config *config, const char *source, const char *target)
{
    return config->side == SIDE_BOTH && format_of(config, source, target) == &import_pairs &&
           check_names(config, source, target, NULL) == 0;
}

bool import_is_paired(const struct import_config *config, const char *source, const char *target)
{
    return config->side == SIDE_BOTH && (target || format_of(config, source, target) != &import_pairs);
}

int import_spares(const char *output, const struct import_config *config, const char *source, const char *target,
                  struct error *err)
{
    const struct corpus_format *f = format_of(config, source, target);
    int ret = files_differ(output, source, err) < 0 ? -1 : files_differ(output, target, err);
    for (int side = 0; side < 2 && f->file && ret == 0; side++) {
        char *path = f->file(config, source, side, err);
        ret = path ? files_differ(output, path, err) : -1;
        free(path);
    }
    return ret;
}

struct import *import_open(const struct import_config *config, const char *source,
                           const char *target, struct error *err)
{
    const struct corpus_format *format = format_of(config, source, target);
    void *state = check_names(config, source, target, err) < 0 || check_inputs(format, source, target, err) < 0
                      ? NULL : format->open(config, source, target, err);
    if (!state)
        return NULL;
    struct import *in = xmalloc(sizeof *in);
    *in = (struct import){ format, state, (enum import_side)config->side };
    return in;
}

int import_next(struct import *in, struct text_pair *out, struct error *err)
{
    int more = in->format->next(in->state, out, err);
    if (more > 0 && in->side == SIDE_TARGET)
        out->source = out->target;
    if (more > 0 && in->side != SIDE_BOTH)
        out->target = (struct text){ NULL, 0 };
    return more;
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
