#ifndef SEQ2SEQ_OBJECTIVE_H
#define SEQ2SEQ_OBJECTIVE_H

#include <jansson.h>
#include <stdint.h>

#include "base/course.h"

struct batch;
struct error;

/* Sums over real target tokens (there is no padding), natural logarithms.  `loss` is what is
 * differentiated, its mean being loss / tokens, where `tokens` adds up the rows' weights; `gold`
 * is the plain negative log-likelihood of the gold tokens, for perplexity. */
struct loss_sums {
    double loss, tokens;
    double gold;
    int64_t gold_tokens;
};

static inline void loss_sums_add(struct loss_sums *to, const struct loss_sums *from)
{
    to->loss += from->loss;
    to->tokens += from->tokens;
    to->gold += from->gold;
    to->gold_tokens += from->gold_tokens;
}

/* A loss: the training loop's only view of one.  distill/ fills most rows.
 *
 * The output layer runs over chunks of target rows so that logits never exist for a whole batch.
 * For each batch (a worker's part of it) the loop calls `begin` once, then `chunk` for every
 * chunk in order.  Each worker has a state of its own from worker_new.
 *
 *     turn    is told, once before the batches of an update, where the training stands, on one thread
 *             while no worker runs: what is shared may change.  NULL: nothing does.
 *     kept    what of it checkpoints must hold; *count of them.  NULL: nothing.
 *     begin   prepares a batch: an online teacher runs here, a store is looked up; may be NULL.
 *             `when` is for courses and for random choices.
 *     preview sees every chunk's logits, in order, before the first call of chunk; the output
 *             layer then runs twice for batches of several chunks.  NULL: not wanted.
 *     chunk   rows first … first+rows-1 of the batch's target tokens.  `logits` (rows,V) holds the
 *             student's logits and is overwritten with d(scale · Σ loss)/dlogits;
 *             target[r] is the gold token, weight[r] the factor of row r.
 *     save    what a worker carries from batch to batch, for checkpoints, and back; NULL: nothing. */
struct objective {
    const char *name;
    void *shared;               /* read-only while training: teachers, stores, options */
    void *(*worker_new)(void *shared, int worker);
    void (*worker_free)(void *worker);
    void (*turn)(void *shared, const struct moment *when);
    const struct kept_block *(*kept)(void *shared, int *count);
    int (*begin)(void *worker, const struct batch *b, const struct moment *when, struct error *err);
    void (*preview)(void *worker, int first, int rows, int V, const int32_t *target, const float *logits);
    void (*chunk)(void *worker, int first, int rows, int V, const int32_t *target,
                  const float *weight, float scale, float *logits, struct loss_sums *sums);
    json_t *(*save)(void *worker);
    int (*restore)(void *worker, const json_t *state, struct error *err);
    void (*free)(void *shared);
};

#endif
