#ifndef TENSOR_PARAMS_H
#define TENSOR_PARAMS_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "tensor/packed.h"

/* Every weight of a model, declared once.  All weights sit in one block, so that the optimiser,
 * clipping, averaging and saving are each a single loop; gradients, moments and averages are
 * blocks of the same layout.
 *
 *     param_add(set, &p->wx, "encoder.0.wx", 4 * H, H, INIT_XAVIER);
 *     …
 *     params_allocate(set);           // once all are declared
 *     params_init(set, &rng);
 */
enum init {
    INIT_ZERO,
    INIT_ONE,
    INIT_XAVIER,        /* uniform ± sqrt(6 / (rows + cols)) (Glorot & Bengio 2010) */
    INIT_EMBED,         /* normal, deviation cols^-½ */
    INIT_UNIFORM,       /* uniform ± 0.1 (Kim & Rush 2016 for their LSTMs) */
    INIT_LSTM_BIAS      /* 0, and 1 for the forget gate: the second quarter */
};

struct param {
    char *name;
    int rows, cols;             /* a vector has one row */
    size_t offset;              /* in floats, from the start of a block */
    enum init init;
};

struct param_set {
    struct param *items;
    size_t count, room;
    size_t total;               /* floats in a block, padding included */
    size_t weights;             /* floats that are weights: the model's parameter count */
    float *block;               /* the weights; NULL before params_allocate */
    /* Where a model only decodes: of each parameter (count).  One that has panels has no numbers in
     * the block.  NULL: all are in the block. */
    struct packed *packed;
};

/* *ref becomes the parameter's number in the set. */
void param_add(struct param_set *set, int *ref, enum init init, int rows, int cols,
               const char *name_fmt, ...) __attribute__((format(printf, 6, 7)));
int param_find(const struct param_set *set, const char *name);  /* -1: absent */
/* NULL: it is in the block. */
static inline const struct packed *param_packed(const struct param_set *set, int ref)
{
    return set->packed && set->packed[ref].panels ? &set->packed[ref] : NULL;
}
static inline float *param_data(const struct param_set *set, int ref)
{
    assert(!param_packed(set, ref));
    return set->block + set->items[ref].offset;
}

void params_allocate(struct param_set *set);
void params_reserve(struct param_set *set);             /* not cleared: what is never written takes no memory */
void params_init(struct param_set *set, struct rng *rng);
void params_release(struct param_set *set);

float *block_new(const struct param_set *set);          /* zeroed, aligned; free() it */

#endif
