#ifndef DISTILL_NOVELTY_H
#define DISTILL_NOVELTY_H

#include <stdint.h>

#include "base/option.h"
#include "base/strbuf.h"

struct error;
struct tokenizer;

/* How new a line of text is, given lines that are known: random network distillation (Burda 2018).
 *
 * A network f is fixed and random; f̂ learns on the known lines to say what f says.  Where they agree
 * has been seen, and the novelty of a line is
 *
 *     mean over its places of ‖f̂(x) - f(x)‖²
 *
 * A place is a piece with those before and behind it, so that strange orders of known pieces are
 * new as well.  f's weights are large: what it says of places that were not learnt cannot be
 * guessed from those that were.
 *
 *     struct novelty *n = novelty_new(tokenizer, &config);
 *     novelty_learn(n, &known, &loss);
 *     novelty_scores(n, scores, &lines);              // a number a line; an empty line has 0
 *     novelty_free(n);
 */
struct novelty_config {
    int width;                  /* of f̂'s hidden layer */
    int epochs;                 /* over the known lines */
    float learning_rate;
    int64_t seed;
};
extern const struct option novelty_options[];

struct novelty;
struct novelty *novelty_new(const struct tokenizer *t, const struct novelty_config *config);    /* t is borrowed */
void novelty_free(struct novelty *n);

/* -1: the lines hold no piece.  *loss: the mean novelty of a place in the last epoch. */
int novelty_learn(struct novelty *n, const struct strings *known, double *loss, struct error *err);
void novelty_scores(struct novelty *n, float *scores, const struct strings *lines);

/* The probability that one of `above` is larger than one of `below`, ties counting half: the area
 * under the ROC curve.  NAN where one is empty. */
double novelty_auc(const float *below, size_t below_count, const float *above, size_t above_count);

#endif
