#ifndef CORPORA_IMPORT_H
#define CORPORA_IMPORT_H

#include "base/option.h"
#include "corpora/text.h"

struct error;

/* Sentence pairs out of whatever they come in: one row of `corpus_formats` a format.
 *
 *     struct import *in = import_open(&config, "corpus.en.gz", "corpus.de.gz", err);
 *     struct text_pair pair;
 *     while ((more = import_next(in, &pair, err)) > 0)
 *         use(pair.source, pair.target);               // valid until the next call
 *     import_close(in);
 */
struct import_config {
    int format;                 /* an index into corpus_formats; 0: by the name of the input */
    int bad_utf8;               /* enum utf8_policy: refuse or replace */
    int uneven;                 /* enum uneven_policy */
    int side;                   /* enum import_side */
    bool unfinished;            /* translations that are marked as fuzzy or untranslated too */
    char *source_lang, *target_lang;
    char *source_field, *target_field;      /* columns or members; NULL: the format's usual ones */
    char *separator;            /* of CSV; NULL: a comma */
};
extern const struct option import_options[];

/* Which sides are wanted; of one alone pairs have no target: its bytes are NULL. */
enum import_side { SIDE_BOTH, SIDE_SOURCE, SIDE_TARGET };
bool import_needs(const struct import_config *config, int side);    /* side 0 or 1 */

/* What becomes of a translated paragraph whose sides have different numbers of sentences. */
enum uneven_policy { UNEVEN_KEEP, UNEVEN_DROP };

/* To add a format: write corpora/import_<name>.c, declare its row in import_formats.h, and list
 * the row and its name in import.c. */
struct corpus_format {
    const char *name, *summary;
    enum { INPUTS_ONE = 1, INPUTS_TWO = 2, INPUTS_EITHER = 3 } inputs;
    const char *const *suffixes;                /* of inputs that are taken for it; NULL: none */
    void *(*open)(const struct import_config *config, const char *source, const char *target,
                  struct error *err);
    int (*next)(void *state, struct text_pair *out, struct error *err);    /* 1, 0, -1 */
    int64_t (*repaired)(void *state);           /* lines that were not UTF-8 so far */
    void (*close)(void *state);
    /* The file of a side (0, 1), the caller's, or NULL with a message; no function: inputs are files. */
    char *(*file)(const struct import_config *config, const char *source, int side, struct error *err);
};
extern const struct corpus_format *const corpus_formats[];     /* NULL at the end */

/* `target` is NULL where the source holds both sides, or there is one side alone. */
struct import;
struct import *import_open(const struct import_config *config, const char *source,
                           const char *target, struct error *err);
int import_next(struct import *in, struct text_pair *out, struct error *err);
int64_t import_repaired(const struct import *in);
void import_close(struct import *in);

/* Whether its pairs have two sides, and whether it reads text files line by line. */
bool import_is_paired(const struct import_config *config, const char *source, const char *target);
bool import_is_text(const struct import_config *config, const char *source, const char *target);

/* An error where `output` is one of the files that would be read. */
int import_spares(const char *output, const struct import_config *config, const char *source, const char *target,
                  struct error *err);

#endif
