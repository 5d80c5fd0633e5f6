#ifndef TENSOR_ADAM_H
#define TENSOR_ADAM_H

#include <stdint.h>

#include "tensor/params.h"

struct pool;

/* Adam with decoupled weight decay (Kingma & Ba 2015; Loshchilov & Hutter 2019) and an optional
 * exponential moving average of the weights, over whole blocks at once. */
struct adam_config {
    float beta1, beta2, epsilon, weight_decay, clip_norm, ema;
};

struct adam {
    float *m, *v, *ema;         /* blocks; ema NULL without one */
    int64_t step;               /* updates made */
    float *factor;              /* of the learning rate, one a parameter; NULL: 1 for all */
};

void adam_init(struct adam *a, const struct param_set *set, const struct adam_config *c);
void adam_release(struct adam *a);

/* Adds up the workers' gradients into grads[0], clearing the others, and returns the norm of the
 * sum times `factor`.  The same bits for the same number of workers, whatever the pool. */
double grads_reduce(float **grads, int workers, size_t size, float factor, struct pool *pool);

/* One update of the weights from grads (cleared), scaled by factor and clipped to clip_norm given
 * the norm that grads_reduce returned. */
void adam_update(struct adam *a, struct param_set *set, float *grads, double norm, float factor,
                 float rate, const struct adam_config *c, struct pool *pool);

/* Both: reduces the workers' gradients and updates with them, or, where their norm is not finite, drops
 * them.  Returns the norm. */
double adam_step(struct adam *a, struct param_set *set, float **grads, int workers, float factor, float rate,
                 const struct adam_config *c, struct pool *pool);

#endif
