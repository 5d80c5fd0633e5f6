#ifndef CORPORA_BATCHING_H
#define CORPORA_BATCHING_H

#include "base/option.h"
#include "corpora/batch.h"

struct store;

#define BATCH_TOKENS 4000

/* How a store becomes batches: sentences of like length together, as many as the budget of
 * tokens allows, in an order shuffled anew each epoch from the seed.  The sentences within a
 * batch come sorted by target length, longest first; ties by source length, longest first, then
 * by index.  A pair that alone exceeds the budget is a batch of its own. */
struct batching_config {
    int batch_tokens;           /* budget: target tokens a batch, </s> included; 0: BATCH_TOKENS … */
    int batch_source_tokens;    /* … and source tokens; 0: as many as batch_tokens × 1.5 */
    int batch_sentences;        /* at most so many sentences; 0: any */
    int max_length;             /* pairs with a longer side, </s> not counted, are skipped */
    int64_t seed;               /* of the training: the order is drawn from it; no option of its own */
    bool labels;                /* targets are labels and their places (corpora/task.h) */
    const float *weights;       /* of each pair of the store, borrowed, for its loss; NULL: all 1 */
    int64_t shuffle_window;     /* pairs that are shuffled together; 0: all */
    bool shuffle;               /* false: corpus order, no bucketing, no sorting */
};
extern const struct option batching_options[];

/* The store must outlive the source.  Pairs with a side that is longer than max_length or empty
 * are left out and counted in *skipped (which may be NULL); that none is left is an error.
 *
 * An epoch's plan takes 8 bytes a sentence, and reads the store in any order.  With a shuffle_window
 * it goes by parts of so many pairs, each made of blocks of neighbours from all over the store in an
 * order that is new each epoch: memory, and the pages of the store that are in use at a time,
 * stay bounded however large the corpus.  The position names the epoch, the next batch, the
 * corpus and the options; restore refuses a position of another corpus or other options. */
int batching_open(struct batch_source *out, const struct store *store, int32_t bos, int32_t eos,
                  const struct batching_config *config, int64_t *skipped, struct error *err);

#endif
