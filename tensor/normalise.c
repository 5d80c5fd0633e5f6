/* Layer normalisation, residual connections, dropout. */
#include <string.h>

#include "tensor/op_rows.h"

/* y[n,:] = gain * (x[n,:] - mean[n]) * rstd[n] + bias (Ba et al. 2016). */
struct tensor *op_layernorm(struct tape *t, struct tensor *x, struct tensor *gain,
                            struct tensor *bias)
{
    int N = x->rows, D = x->cols;
    struct tensor *y = tensor_new(t, N, D);
    float *stats = arena_take(&t->arena, ((size_t)N * 2 + 1) * sizeof(float));
    kernel->layernorm_forward(y->data, stats, stats + N, x->data, gain->data, bias->data, N, D);
    struct node *n = tape_node(t, &ops[OP_LAYERNORM], y, x, gain, bias, NULL);
    if (n)
        n->more = stats;
    return y;
}

void layernorm_backward(struct tape *t, struct node *n)
{
    struct tensor *x = n->in[0], *gain = n->in[1], *bias = n->in[2];
    const float *stats = n->more;
    bool accumulate;
    float *dx = tensor_grad_into(t, x, &accumulate);
    kernel->layernorm_backward(dx, tensor_grad(t, gain), tensor_grad(t, bias), n->out->grad, x->data,
                               stats, stats + x->rows, gain->data, x->rows, x->cols, accumulate);
}

struct tensor *layernorm_sample(struct tape *t, struct sample *s)
{
    struct tensor *x = sample_leaf(s, 4, 9), *gain = sample_leaf(s, 1, 9), *bias = sample_leaf(s, 1, 9);
    return op_residual(t, x, op_layernorm(t, x, gain, bias), 0);
}

struct tensor *op_residual(struct tape *t, struct tensor *x, struct tensor *f, float drop)
{
    struct tensor *y = tensor_new(t, x->rows, x->cols);
    struct dropout d = tape_dropout(t, drop);
    kernel->residual_forward(y->data, x->data, f->data, (size_t)x->rows * x->cols, d);
    struct node *n = tape_node(t, &ops[OP_RESIDUAL], y, x, f, NULL, NULL);
    if (n)
        n->drop = d;
    return y;
}

/* The gradient of y is not needed after this, so x takes its memory over where x has none yet. */
void residual_backward(struct tape *t, struct node *n)
{
    struct tensor *x = n->in[0], *f = n->in[1], *y = n->out;
    size_t N = (size_t)x->rows * x->cols;
    bool accumulate;
    if (!f->constant) {
        float *df = tensor_grad_into(t, f, &accumulate);
        kernel->dropout_apply(df, y->grad, N, n->drop, accumulate);
    }
    if (x->constant)
        return;
    if (x->grad) {
        kernel->add(x->grad, y->grad, N);
    } else {
        x->grad = y->grad;
        y->grad = NULL;
    }
}

struct tensor *residual_sample(struct tape *t, struct sample *s)
{
    struct tensor *x = sample_leaf(s, 3, 8), *f = sample_leaf(s, 3, 8);
    struct tensor *y = op_residual(t, x, f, 0.4f);
    return op_residual(t, y, op_gelu(t, y, 0), 0);
}

struct tensor *op_dropout(struct tape *t, struct tensor *x, float drop)
{
    struct dropout d = tape_dropout(t, drop);
    if (!(d.rate > 0))
        return x;
    struct tensor *y = tensor_new(t, x->rows, x->cols);
    kernel->dropout_apply(y->data, x->data, (size_t)x->rows * x->cols, d, false);
    struct node *n = tape_node(t, &ops[OP_DROPOUT], y, x, NULL, NULL, NULL);
    if (n)
        n->drop = d;
    return y;
}

void dropout_backward(struct tape *t, struct node *n)
{
    struct tensor *x = n->in[0];
    bool accumulate;
    float *dx = tensor_grad_into(t, x, &accumulate);
    kernel->dropout_apply(dx, n->out->grad, (size_t)x->rows * x->cols, n->drop, accumulate);
}

struct tensor *dropout_sample(struct tape *t, struct sample *s)
{
    struct tensor *x = sample_leaf(s, 6, 5);
    return op_residual(t, op_dropout(t, x, 0.5f), x, 0);
}
