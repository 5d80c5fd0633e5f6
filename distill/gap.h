#ifndef DISTILL_GAP_H
#define DISTILL_GAP_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "base/option.h"
#include "base/strbuf.h"
#include "decode/search.h"
#include "decode/translator.h"

struct error;
struct model;
struct models;

/* What a student does not do as its teacher does: on a test set, in all, by the length of the
 * sources and by how often a piece was seen in training.
 *
 *     quality      BLEU and chrF of both, greedy and by beam search; by frequency the F1 of the
 *                  outputs' pieces against the reference's
 *     agreement    share of equal outputs; overlap of words (F1 of the bags of words)
 *     mode share   the mean probability that a model gives to its own best output; by frequency, to
 *                  the pieces of it
 *     on gold      negative log-likelihood, share of tokens that are the likeliest, calibration
 *                  (expected calibration error: Naeini 2015), a token
 *     soft         cross-entropy of the student to the teacher's distribution, and its divergence
 *
 * each with paired bootstrap resampling (Koehn 2004) of the sentences, of one of which there is none.  Soft, and
 * on gold all but the calibration, are measured only where both have the same vocabularies.  And of a pair of corpora (gold and distilled
 * targets of the same sources) complexity and faithfulness (Zhou 2019), by IBM model 1 over pieces. */
struct gap_config {
    int samples;                        /* of the bootstrap */
    int64_t seed;
};
extern const struct option gap_options[];

/* Who speaks: a model, or several as one.  All borrowed. */
struct gap_voice {
    const struct model *const *models;
    int count;
    const float *weight;                /* one a model; NULL: equal ones */
    enum average average;
    struct translator translator;       /* of the same */
};

struct gap_voice gap_voice_of(const struct models *m, int average);     /* enum average */

struct gap_texts {
    const char *const *sources, *const *references;
    size_t n;
    const char *training_target;        /* a file: counts how often pieces were seen; NULL: not asked for */
};

/* Whether there is a sentence with its reference among them. */
int gap_texts_check(const struct gap_texts *texts, struct error *err);

/* Whether the options of search agree, and leave greedy and beam search to be compared. */
int gap_search_check(const struct search_config *config, struct error *err);

/* The measures as JSON, the caller's; NULL: failed. */
json_t *gap_measure(const struct gap_voice *teacher, const struct gap_voice *student, const struct gap_texts *texts,
                    const struct search_config *search, const struct gap_config *config, int threads,
                    struct error *err);

/* { "complexity": {"gold": …, "distilled": …}, "faithfulness": … } from two corpora,
 * which may leave out different lines.  null: they have no source piece in common. */
json_t *gap_corpora(const struct translator *vocabulary, const char *source, const char *gold,
                    const char *distilled_source, const char *distilled, int threads, struct error *err);

#define GAP_PAGE_FILE "gap.html"

/* As text, and as a page that needs nothing else; about: a line below the title, or NULL. */
void gap_print(const json_t *gap, FILE *out);
void gap_page(struct strbuf *out, const json_t *gap, const char *title, const char *about);

#endif
