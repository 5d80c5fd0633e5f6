#ifndef DECODE_LEXICON_H
#define DECODE_LEXICON_H

#include <stdint.h>

#include "base/option.h"

struct error;
struct pool;
struct store;

/* p(target piece | source piece), learnt from a corpus by expectation maximisation: IBM model 1
 * (Brown 1993), then model 2 with the diagonal of Dyer 2013 in place of its table of positions,
 *
 *     p(i | j, S, T) ∝ exp(-tension · |i/S - j/T|),
 *
 * beside a NULL word that takes what nothing in the source explains.
 *
 *     struct lexicon x = { 0 };
 *     if (lexicon_train(&x, store, source_vocab, target_vocab, &config, pool, err) < 0) …
 *     lexicon_release(&x);
 *
 * The result does not depend on the number of threads. */
struct lexicon_config {
    int iterations;             /* of model 1 */
    int diagonal_iterations;    /* of model 2, afterwards */
    float tension;
    float null_weight;          /* NULL's share beside a source piece's in model 1; 0: no NULL */
    float null_share;           /* NULL's probability in model 2 */
    int longest;                /* pairs with more pieces on a side are passed over */
    int64_t pairs;              /* at most so many, spread evenly over the corpus; 0: all */
};
extern const struct option lexicon_options[];

/* One source piece's translations, in the order of their ids; they sum to one. */
struct lexicon_row {
    int count;
    int32_t *target;
    float *p;
};

struct lexicon {
    int source_vocab, target_vocab;
    struct lexicon_row *rows;   /* one a source piece; empty for what the corpus does not hold */
    int64_t *target_count;      /* how often each target piece was seen */
    int64_t pairs, passed_over;
    double *bits;               /* after each iteration's E-step: bits a target piece before it */
    int iterations;
};

/* Fails on ids outside the vocabularies, on a corpus without usable pairs, and when interrupted. */
int lexicon_train(struct lexicon *out, const struct store *corpus, int source_vocab,
                  int target_vocab, const struct lexicon_config *config, struct pool *pool,
                  struct error *err);
void lexicon_release(struct lexicon *x);

#endif
