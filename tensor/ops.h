#ifndef TENSOR_OPS_H
#define TENSOR_OPS_H

#include <stdint.h>

#include "tensor/tape.h"

/* The operations, forward; see tape.h for how gradients come about.  Every function returns a
 * tensor of the tape's arena.  Dropout rates count only when the tape trains. */

enum linear_activation { LINEAR_NONE, LINEAR_RELU, LINEAR_TANH };

/* y (N,O) = dropout(activation(x (N,I) · wᵀ + bias)), w (O,I); bias (1,O) or NULL */
struct tensor *op_linear(struct tape *t, struct tensor *x, struct tensor *w, struct tensor *bias,
                         enum linear_activation activation, float drop);
struct tensor *op_gelu(struct tape *t, struct tensor *h, float drop);
/* y (N,F) = dropout(silu(h[:, :F]) * h[:, F:]) */
struct tensor *op_swiglu(struct tape *t, struct tensor *h, float drop);
struct tensor *op_layernorm(struct tape *t, struct tensor *x, struct tensor *gain,
                            struct tensor *bias);
/* y = x + dropout(f) */
struct tensor *op_residual(struct tape *t, struct tensor *x, struct tensor *f, float drop);
struct tensor *op_dropout(struct tape *t, struct tensor *x, float drop);
/* y (N,D) = dropout(scale · table[id[n]] + position[place[n]]); position and place or NULL.
 * id and place must outlive the backward pass. */
struct tensor *op_embed(struct tape *t, struct tensor *table, const int32_t *id, int N, float scale,
                        struct tensor *position, const int32_t *place, float drop);
/* y (N, a.cols + b.cols) = [a b] */
struct tensor *op_concat(struct tape *t, struct tensor *a, struct tensor *b);
/* y (N,4D) = [u v |u-v| u∘v]; u and v (N,D) */
struct tensor *op_compare(struct tape *t, struct tensor *u, struct tensor *v);

/* Columns `column` … `column`+D-1 of a tensor. */
struct view {
    struct tensor *tensor;
    int column;
};

/* Multi-head scaled dot-product attention over packed sentences (Vaswani et al. 2017, 3.2):
 * sentence b's queries are rows query_start[b] … query_start[b+1]-1 and see the keys
 * key_start[b] … key_start[b+1]-1; causal: query i sees keys 0 … i of its sentence only.
 * Result (N,D); the starts must outlive the backward pass. */
struct tensor *op_attention(struct tape *t, struct view q, struct view k, struct view v, int D,
                            int heads, int B, const int32_t *query_start, const int32_t *key_start,
                            bool causal, float drop);

/* SSRU (Kim 2019) over packed sentences; fx (N,2D): forget gates before σ, then inputs. */
struct tensor *op_ssru(struct tape *t, struct tensor *fx, int B, const int32_t *start);

#endif
