#ifndef SEQ2SEQ_MIXTURE_H
#define SEQ2SEQ_MIXTURE_H

#include <stdint.h>

#include "seq2seq/objective.h"
#include "tensor/loss.h"

/* A chunk of rows through the mixture loss (tensor/loss.h): what every objective that is a
 * cross-entropy does in its `chunk`.  teacher (rows,V) holds distributions, or is NULL; room is
 * V floats of scratch. */
void mixture_chunk(struct mixture mix, const float *teacher, int rows, int V, const int32_t *target,
                   const float *weight, float scale, float *logits, struct loss_sums *sums,
                   float *room);

#endif
