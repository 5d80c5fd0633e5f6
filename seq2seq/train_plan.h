#ifndef SEQ2SEQ_TRAIN_PLAN_H
#define SEQ2SEQ_TRAIN_PLAN_H

#include <stdint.h>

#include "corpora/batching.h"
#include "seq2seq/train.h"

/* What a training will take of memory, measured on a pass over a few made-up sentences, and, for
 * --memory, the largest pieces and batches that stay within it. */
struct train_plan {
    int threads;
    int micro_tokens;           /* that a worker takes at a time */
    int batch_tokens;
    /* bytes, all workers together */
    int64_t program;            /* code, libraries, vocabularies */
    int64_t weights;
    int64_t optimiser;          /* moments and moving average */
    int64_t gradients;          /* a block a worker */
    int64_t layouts;            /* weights laid out for products */
    int64_t output;             /* logits of a chunk */
    int64_t activations;        /* of the largest piece */
    int64_t total;
};

/* Fills the plan for the model and the options.  With config->memory it chooses what was left
 * open (0): config->micro_tokens and batching->batch_tokens.  Fails when not even the
 * longest pair fits, or what was asked for does not.  The same choice each time, so that a resumed
 * training goes on with the same batches. */
int train_plan_make(struct train_plan *plan, const struct model *m, struct train_config *config,
                    struct batching_config *batching, struct error *err);

/* The validation set is measured in pieces such as workers take, whatever a batch of the training is: no
 * more memory than that takes, and soon left after a signal.  threads and micro_tokens: 0 as in train_config. */
void train_plan_validation(struct batching_config *dev, const struct model *m, int threads, int micro_tokens);

#endif
