#ifndef DECODE_TRANSLATE_H
#define DECODE_TRANSLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/search.h"
#include "decode/translator.h"

struct error;
struct ids;
struct lines;
struct model;

/* Text in, text out; or ids in, ids out.
 *
 *     struct translator t = translator_of_model(model);
 *     struct decoder *d = decoder_new(&t, &config, threads, err);
 *     if (decoder_text(d, out, sources, n, err) < 0) …
 *     puts(out[0].text[0]);
 *     translations_release(out, n);
 *     decoder_free(d);
 *
 * Sentences are sorted by length, spread over the threads, each with a stepper of its own over
 * the shared weights, and come back in the order in which they were given.  What a sentence gives
 * does not depend on the others.
 *
 * A source without tokens (an empty line, white space) never meets the model: it gives one empty
 * hypothesis with probability 1.  A source of more than max_source tokens is truncated and marked,
 * or refused. */
struct translation {
    struct hypothesis *best;    /* best first; owned by the translation */
    char **text;                /* of each; NULL where ids were asked for.  Never holds a line end */
    int count;                  /* 1 … n_best */
    int32_t *source;            /* its source_tokens ids, when the search is watched; else NULL */
    int source_tokens;          /* as searched, without </s> */
    int cut_tokens;             /* how many more the source had: truncated if not 0 */
};
void translations_release(struct translation *t, size_t count);     /* leaves them empty */

struct decode_stats {
    int64_t lines, empty, truncated;
    int64_t cut;                /* best hypotheses that the length limit ended */
    int64_t unusable;           /* sources for which the model gave no finite probability */
    int64_t source_words;       /* separated by white space; text only */
    int64_t source_tokens, target_tokens;       /* without </s>; of the best hypotheses */
    int64_t steps, rows;        /* of the model, all threads */
    double seconds;             /* spent between call and return */
};

/* threads 0: one a core.  The translator's pointers are borrowed, config is copied. */
struct decoder;
struct decoder *decoder_new(const struct translator *t, const struct search_config *config,
                            int threads, struct error *err);    /* NULL: failed */
void decoder_free(struct decoder *d);
const struct decode_stats *decoder_stats(const struct decoder *d);      /* of all calls so far */

/* The most tokens of a source that it reads: max_source, or less where the model or the memory has less
 * room. */
int decoder_max_source(const struct decoder *d);

/* What messages call the input, and the number of its first line: "FILE:123".  `name` is borrowed;
 * by default there is "sentence" in its place. */
void decoder_name_input(struct decoder *d, const char *name, int64_t first);

/* out[0 … n-1] are filled; on failure (a refused source, an interrupt) all are left empty. */
int decoder_text(struct decoder *d, struct translation *out, const char *const *sources, size_t n,
                 struct error *err);
int decoder_ids(struct decoder *d, struct translation *out, const struct ids *sources, size_t n,
                struct error *err);             /* sources without </s>; no text comes back */

/* A stream of any length in bounded memory: config->window lines, or 16 MB of text, at a time.
 * `write` gets each line's translation in order, borrowed, with the line's number from 1. */
int decoder_stream(struct decoder *d, struct lines *in,
                   int (*write)(void *arg, const struct translation *t, int64_t number,
                                struct error *err),
                   void *arg, struct error *err);

/* A stream whose lines are answered as soon as they are ready, while others are still to come: for
 * somebody who waits.  The order is the input's; `write` is called from the workers' threads, one
 * call at a time, and gives out the line at once.  The window plays no part. */
int decoder_live(struct decoder *d, struct lines *in,
                 int (*write)(void *arg, const struct translation *t, int64_t number,
                              struct error *err),
                 void *arg, struct error *err);

/* All in one, for a model and a list of lines; stats may be NULL. */
int translate_lines(struct translation *out, const struct model *m, const char *const *sources,
                    size_t n, const struct search_config *config, int threads,
                    struct decode_stats *stats, struct error *err);
int translate_ids(struct translation *out, const struct model *m, const struct ids *sources,
                  size_t n, const struct search_config *config, int threads,
                  struct decode_stats *stats, struct error *err);

#endif
