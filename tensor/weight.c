#include "tensor/weight.h"

#include "tensor/gemm.h"
#include "tensor/product.h"

void weight_forward(float *y, const float *x, const struct tensor *w, int N, bool add)
{
    if (w->packed)
        packed_product(y, (size_t)w->rows, x, (size_t)w->cols, N, w->packed, (struct after){ .accumulate = add }, NULL);
    else if (w->pack)
        product_forward(y, x, w->pack, N, add);
    else
        gemm_nt(y, x, w->data, N, w->rows, w->cols, add ? 1 : 0);
}

void weight_backward(float *dx, const float *dy, const struct tensor *w, int N, bool add)
{
    if (w->pack)
        product_backward(dx, dy, w->pack, N, add);
    else
        gemm_nn(dx, dy, w->data, N, w->cols, w->rows, add ? 1 : 0);
}

void weight_gradient(struct tape *t, struct tensor *w, const float *dy, const float *x, int N)
{
    if (!w->constant)
        product_weights(tensor_grad(t, w), dy, x, w->pack ? w->pack->precision : PRECISION_FP32, w->rows, w->cols,
                        N);
}

void weight_gradients(struct tape *t, float *dx, bool add, struct tensor *w, const float *dy, const float *x, int N)
{
    if (dx && w->pack && !w->constant) {
        product_gradients(dx, add, tensor_grad(t, w), dy, x, w->pack, N);
        return;
    }
    weight_gradient(t, w, dy, x, N);
    if (dx)
        weight_backward(dx, dy, w, N, add);
}
