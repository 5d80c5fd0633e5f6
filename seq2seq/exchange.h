#ifndef SEQ2SEQ_EXCHANGE_H
#define SEQ2SEQ_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

struct param_set;
struct pool;
struct team;

/* Adds up gradients over the ranks of a team, while the backward pass goes on.
 *
 * A block of gradients is cut into buckets of some megabytes, whole parameters each.  As soon as
 * no worker of this rank will add to a bucket any more, the worker that came last adds up those of
 * all workers and the sum over the ranks is started; buckets start in one order on all ranks, that
 * in which they became complete in rank 0's first update.
 *
 *     exchange_begin(x);
 *     … exchange_ready(x, worker, ref), exchange_worker_done(x, worker) from the workers …
 *     exchange_finish(x);         // grads[0] is the sum over workers and ranks, the others are zero
 *
 * Same ranks and workers: same bits. */
struct exchange;

struct exchange *exchange_new(struct team *team, const struct param_set *set, float **grads, int workers,
                              bool bf16, struct pool *pool);
void exchange_free(struct exchange *x);

void exchange_begin(struct exchange *x);
/* The worker's gradient of this parameter is complete; its last pass of the update. */
void exchange_ready(struct exchange *x, int worker, int ref);
/* All of its gradients are. */
void exchange_worker_done(struct exchange *x, int worker);
/* For what was not told before, too. */
void exchange_finish(struct exchange *x);

#endif
