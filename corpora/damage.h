#ifndef CORPORA_DAMAGE_H
#define CORPORA_DAMAGE_H

#include "corpora/batch.h"

/* A batch source whose sources are damaged on the way, so that a model learns to do without a word,
 * or to restore it.  Targets stay whole.  Two ways, which may go together:
 *
 *     drop     each token becomes `mask` with this probability (word dropout)
 *     infill   spans of tokens, of lengths drawn from a Poisson distribution, become one `mask`
 *              each, until this share of the sentence is gone (text infilling, Lewis et al. 2020)
 *
 * What is damaged is drawn from the seed, the number of batches before, and the sentence's index, so
 * the position is exact and a share of a batch is damaged as the whole would be. */
struct damage_config {
    float drop, infill;         /* 0: not that way */
    float span;                 /* infill: mean length of spans; such as are drawn empty get 1 */
    int32_t mask;               /* what stands for what is gone */
    int32_t eos;                /* never damaged: between texts and at the end … */
    int keep;                   /* … nor the first so many tokens: a direction's tag */
    int64_t seed;
};

/* Batches whose targets name places in the source (corpora/task.h) may be dropped from but not
 * infilled, since places would move.  `inner` becomes the new source's. */
void damage_open(struct batch_source *out, const struct batch_source *inner, const struct damage_config *config);

#endif
