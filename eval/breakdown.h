#ifndef EVAL_BREAKDOWN_H
#define EVAL_BREAKDOWN_H

#include <limits.h>
#include <stddef.h>

#include "eval/metric.h"
#include "eval/word_counts.h"

/* Where systems are good and bad: scores by the length of the reference, and how well they get
 * words by how often those come.  The first reference of each segment counts. */

/* A range of lengths or counts, both ends included; to UINT_MAX: and more. */
struct band {
    unsigned from, to;
};
#define LENGTH_BANDS 8
#define FREQUENCY_BANDS 9
extern const struct band length_bands[LENGTH_BANDS];            /* words of a reference */
extern const struct band frequency_bands[FREQUENCY_BANDS];      /* times that a word comes */
void band_text(char text[32], const struct band *b);            /* "6–10", "61 and more" */

/* The band of each reference: band_of (n); lines (LENGTH_BANDS): how many are in each. */
void length_bands_of(unsigned char *band_of, size_t *lines, const struct text *refs, size_t n);

/* Scores (systems, LENGTH_BANDS) from rows (systems, n, width) of metric_systems; NAN for a band
 * without lines. */
void length_scores(double *scores, const struct metric *metric, const struct metric_config *config,
                   const double *rows, size_t systems, size_t n, const unsigned char *band_of);

/* Words of a band, over all segments: `right` are those of a hypothesis that its reference has, too,
 * as often as in both. */
struct word_share {
    double right, hyp, ref;
};
double word_share_f1(const struct word_share *s);       /* 0 … 100; NAN where there are no words */

/* shares (systems, FREQUENCY_BANDS) of hyps[s][i] against refs[i]. */
void word_shares(struct word_share *shares, const struct word_counts *counts, const struct text *const *hyps,
                 size_t systems, const struct text *refs, size_t n);

#endif
