#ifndef SEQ2SEQ_WORKERS_H
#define SEQ2SEQ_WORKERS_H

#include <stdbool.h>

#include "seq2seq/model.h"
#include "seq2seq/objective.h"

struct exchange;
struct pool;

/* Gradients of batches by several threads: each worker owns a tape, an arena and a block of
 * gradients, takes its share of a batch's sentences, and works through it in pieces small enough
 * to stay in the caches. */
struct workers;

struct workers *workers_new(const struct model *m, const struct objective *objective,
                            struct pool *pool, int64_t seed, int micro_tokens, int precision);
void workers_free(struct workers *w);

/* Adds the gradient of the batch's summed loss into the workers' blocks.  The update of `when` and
 * `part` (which batch of the update) number the dropout masks; its seed is set here.  Returns 1
 * when a signal stopped it half-way, which happens only after workers_may_stop. */
int workers_run(struct workers *w, const struct batch *b, const struct moment *when, int part,
                struct loss_sums *sums, struct error *err);

/* They are the workers first, first+1, … of a team of processes. */
void workers_place(struct workers *w, int first);
/* The next batch is the last of the update, and its gradients go to the exchange as they are
 * complete; NULL: it is not. */
void workers_overlap(struct workers *w, struct exchange *exchange);
void workers_may_stop(struct workers *w, bool may);

/* What the objective carries from batch to batch, for checkpoints. */
json_t *workers_save(struct workers *w);
int workers_restore(struct workers *w, const json_t *state, struct error *err);

float **workers_grads(struct workers *w);       /* a block a worker */

#endif
