#ifndef TENSOR_PRODUCT_H
#define TENSOR_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct param_set;
struct pool;

/* The products of layers with weights (O,I), through oneDNN where it is faster than OpenBLAS:
 *
 *     y (N,O) = x (N,I) · wᵀ       dx (N,I) = dy (N,O) · w       dw (O,I) += dyᵀ · x
 *
 * on the calling thread.  Before a pass the weights are laid out once for the first two, which
 * lets products of a few rows run as fast as large ones:
 *
 *     struct packs *packs = packs_new(&model->params, output, PRECISION_BF16);
 *     packs_update(packs, pool);                  // after every change of the weights
 *     const struct pack *w = packs_find(packs, ref);
 *     product_forward(y, x, w, N, false);
 *
 * At PRECISION_BF16 the factors are rounded to bfloat16 (8 bits of mantissa), products and sums
 * are float32.  Results depend on the shapes alone, not on threads. */
enum precision { PRECISION_FP32, PRECISION_BF16 };
extern const char *const precision_names[];

/* Refuses what this processor has no instructions for. */
int precision_check(int precision, struct error *err);

struct pack {
    enum precision precision;
    int O, I;
    void *forward, *backward;   /* wᵀ (I,O) and w (O,I) in oneDNN's blocks */
};

struct packs;
/* For every matrix of the set but tables of embeddings; `output` is the one that is an output layer as
 * well, or -1.  NULL when raw weights do as well: float32 on a processor without AVX-512. */
struct packs *packs_new(const struct param_set *set, int output, enum precision precision);
void packs_free(struct packs *packs);
void packs_update(struct packs *packs, struct pool *pool);
/* Of a weight by its number in the set; NULL where there is none: a vector, or no packs. */
const struct pack *packs_find(const struct packs *packs, int ref);
/* Bytes that the packs of such a set will take. */
size_t packs_size(const struct param_set *set, int output, enum precision precision);

/* All rows are dense; `add` adds to the result. */
void product_forward(float *y, const float *x, const struct pack *w, int N, bool add);
void product_backward(float *dx, const float *dy, const struct pack *w, int N, bool add);
/* dw (O,I) += dyᵀ x */
void product_weights(float *dw, const float *dy, const float *x, enum precision precision, int O, int I, int N);
/* Both gradients of a layer, each factor being rounded once. */
void product_gradients(float *dx, bool add, float *dw, const float *dy, const float *x, const struct pack *w,
                       int N);

#endif
