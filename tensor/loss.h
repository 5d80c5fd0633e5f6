#ifndef TENSOR_LOSS_H
#define TENSOR_LOSS_H

#include "tensor/kernels.h"

/* The loss of a soft-max row against a mixture: every objective goes through it, a row at a time.
 *
 *   loss = − Σ_k t_k log p_k  +  m D(q, p^T),     t = g·onehot(gold) + f/V
 *
 * with p = soft-max(x), p^T = soft-max(x/T), q the teacher's distribution (already at its
 * temperature) and m its mass (with T² in it where that is wanted).  kernel->mixture_loss
 * overwrites the logits x with scale · dloss/dx and returns scale · loss.
 *
 * Plain cross-entropy is { .gold = 1 }; label smoothing { 1-ε, ε }; word-level distillation
 * { (1-α), 0, q, α T², T }.
 *
 *   D                      with r = p^T
 *   KL                     − Σ q log r, the Kullback-Leibler divergence but for q's own entropy
 *   reverse KL             Σ r log r/q
 *   JSD                    β Σ q log q/h + (1-β) Σ r log r/h,  h = β q + (1-β) r,  0 < β < 1
 *   skew KL                Σ q log q/h,  h = λ q + (1-λ) r
 *   skew reverse KL        Σ r log r/h,  h = (1-λ) q + λ r
 *   TVD                    ½ Σ |q - r|
 *   double                 Σ q φ(x/T) + (1-q)² φ(-x/T),  φ(z) = log(1 + e^-z)  (Menon 2020)
 *
 * With `top` entries in place of q, the rest of the mass spread evenly over the other tokens,
 * D is the KL to that distribution; with a bucket, it is the KL of distributions over
 * the entries and one class more, that of all others. */

#endif
