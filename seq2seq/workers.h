#ifndef SEQ2SEQ_WORKERS_H
#define SEQ2SEQ_WORKERS_H

#include "seq2seq/model.h"
#include "seq2seq/objective.h"

struct pool;

/* Gradients of batches by several threads: each worker owns a tape, an arena and a block of
 * gradients, takes its share of a batch's sentences, and works through it in pieces small enough
 * to stay in the caches. */
struct workers;

struct workers *workers_new(const struct model *m, const struct objective *objective,
                            struct pool *pool, int64_t seed, int micro_tokens);
void workers_free(struct workers *w);

/* Adds the gradient of the batch's summed loss into the workers' blocks.  `update` and `part`
 * (which batch of the update) number the dropout masks; progress is the share of training done. */
int workers_run(struct workers *w, const struct batch *b, int64_t update, int part, double progress,
                struct loss_sums *sums, struct error *err);

float **workers_grads(struct workers *w);       /* a block a worker */

#endif
