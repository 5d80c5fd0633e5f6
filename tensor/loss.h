#ifndef TENSOR_LOSS_H
#define TENSOR_LOSS_H

#include "tensor/kernels.h"

/* Soft-max cross-entropy against a mixture, a row at a time: every loss that is a cross-entropy
 * goes through it.
 *
 *   loss = − Σ_k t_k log p_k  −  m Σ_k q_k log p^T_k,     t = g·onehot(gold) + f/V
 *
 * with p = soft-max(x), p^T = soft-max(x/T), q the teacher's distribution (already at its
 * temperature) and m its mass (with T² in it where that is wanted).  kernel->mixture_loss
 * overwrites the logits x with scale · dloss/dx and returns scale · loss.
 *
 * Plain cross-entropy is { .gold = 1 }; label smoothing { 1-ε, ε }; word-level distillation
 * { (1-α), 0, q, α T², T }. */

#endif
