#ifndef TENSOR_WEIGHT_H
#define TENSOR_WEIGHT_H

#include "tensor/tape.h"

/* Products of a layer with its weight w (O,I), through its pack (product.h) where it has one, else by
 * OpenBLAS.  Rows are dense; `add` adds to the result. */

/* y (N,O) = x (N,I) · wᵀ */
void weight_forward(float *y, const float *x, const struct tensor *w, int N, bool add);
/* dx (N,I) = dy (N,O) · w */
void weight_backward(float *dx, const float *dy, const struct tensor *w, int N, bool add);
/* w's gradient += dyᵀ x, unless w is constant */
void weight_gradient(struct tape *t, struct tensor *w, const float *dy, const float *x, int N);
/* The last two at once; dx NULL: not wanted. */
void weight_gradients(struct tape *t, float *dx, bool add, struct tensor *w, const float *dy, const float *x, int N);

#endif
