#ifndef DISTILL_GAP_H
#define DISTILL_GAP_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "decode/search.h"

struct error;
struct model;

/* What a student does not do as its teacher does: on a test set, in all, by the length of the
 * sources and by how often the gold tokens were seen in training.
 *
 *     quality      BLEU and chrF of both, greedy and by beam search; paired bootstrap of each
 *     agreement    share of equal outputs; overlap of words (F1 of the bags of words)
 *     mode share   the mean probability that a model gives to its own best output
 *     on gold      negative log-likelihood, share of tokens that are the likeliest, calibration
 *                  (expected calibration error: Naeini 2015), a token
 *     soft         cross-entropy of the student to the teacher's distribution, and its divergence:
 *                  only where both have the same target vocabulary
 *
 * and of a pair of corpora (gold and distilled targets of the same sources) complexity and
 * faithfulness (Zhou 2019), by IBM model 1 over pieces. */
struct gap_config {
    struct search_config search;        /* the beam's; greedy is done as well */
    int threads;
    int samples;                        /* of the bootstrap */
    int64_t seed;
};

struct gap_texts {
    const char *const *sources, *const *references;
    size_t n;
    const char *training_target;        /* counts how often pieces were seen; NULL: not asked for */
};

/* The measures as JSON, the caller's; NULL: failed. */
json_t *gap_measure(const struct model *teacher, const struct model *student, const struct gap_texts *texts,
                    const struct gap_config *config, struct error *err);

/* { "complexity": {"gold": …, "distilled": …}, "faithfulness": … } from two corpora,
 * which may leave out different lines. */
json_t *gap_corpora(const struct model *vocabulary, const char *source, const char *gold,
                    const char *distilled_source, const char *distilled, int threads, struct error *err);

void gap_print(const json_t *gap, FILE *out);

#endif
