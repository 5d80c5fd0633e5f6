#ifndef DECODE_SELECT_H
#define DECODE_SELECT_H

#include <stdint.h>

/* The likeliest continuations of a sentence's rows, found in one pass over the scores.
 *
 * NaN and -infinity are never chosen.  Ties go to the lower row, then to the lower token, so a
 * choice depends on nothing but the numbers. */
struct candidate {
    double logp;        /* of the whole prefix with the token */
    int32_t row, token;
    float value;        /* the score of the token as it was given */
};

/* The at most K best of sum[r] + x[r,v], best first, into `best`; returns how many there are.
 * x has rows of V scores, ld apart; K > 0. */
int select_top(struct candidate *best, int K, const float *x, int ld, const double *sum, int rows, int V);

/* The token with the largest value of x (V), or -1 when none is greater than -infinity. */
int32_t select_best(const float *x, int V);

/* The first v ≥ from with x[v] > threshold, or V. */
int select_above(const float *x, int from, int V, float threshold);

#endif
