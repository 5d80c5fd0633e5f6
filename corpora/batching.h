#ifndef CORPORA_BATCHING_H
#define CORPORA_BATCHING_H

#include "base/option.h"
#include "corpora/batch.h"

struct store;

/* How a store becomes batches: sentences of like length together, as many as the budget of
 * tokens allows, in an order shuffled anew each epoch from the seed. */
struct batching_config {
    int batch_tokens;           /* budget: target tokens a batch, </s> included … */
    int batch_source_tokens;    /* … and source tokens; 0: as many as batch_tokens × 1.5 */
    int batch_sentences;        /* at most so many sentences; 0: any */
    int max_length;             /* pairs with a longer side are skipped and counted */
    int64_t seed;
    bool shuffle;               /* false: corpus order, no bucketing */
};
extern const struct option batching_options[];

/* The store must outlive the source.  Longer pairs are left out and counted in *skipped. */
int batching_open(struct batch_source *out, const struct store *store, int32_t bos, int32_t eos,
                  const struct batching_config *config, int64_t *skipped, struct error *err);

#endif
