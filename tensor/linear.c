/* y = activation(x Wᵀ + b), and the activations that are operations of their own. */
#include <assert.h>

#include "tensor/op_rows.h"
#include "tensor/weight.h"

struct tensor *op_linear(struct tape *t, struct tensor *x, struct tensor *w, struct tensor *bias,
                         enum linear_activation activation, float drop)
{
    int N = x->rows, O = w->rows;
    struct tensor *y = tensor_new(t, N, O);
    struct dropout d = tape_dropout(t, drop);
    if (w->packed) {
        assert(!t->grads);
        const struct after after = { .bias = bias ? bias->data : NULL, .relu = activation == LINEAR_RELU };
        packed_product(y->data, (size_t)O, x->data, (size_t)w->cols, N, w->packed, after, NULL);
        if (activation == LINEAR_TANH)
            kernel->tanh_forward(y->data, y->data, (size_t)N * O);
        return y;
    }
    weight_forward(y->data, x->data, w, N, false);
    if (activation == LINEAR_RELU) {
        kernel->relu_forward(y->data, bias ? bias->data : NULL, N, O, d);
    } else {
        if (bias)
            kernel->add_bias(y->data, bias->data, N, O);
        if (activation == LINEAR_TANH)
            kernel->tanh_forward(y->data, y->data, (size_t)N * O);
    }
    struct node *n = tape_node(t, &ops[OP_LINEAR], y, x, w, bias, NULL);
    if (n) {
        n->drop = d;
        n->more = (void *)(intptr_t)activation;
    }
    return y;
}

void linear_backward(struct tape *t, struct node *n)
{
    struct tensor *x = n->in[0], *w = n->in[1], *bias = n->in[2], *y = n->out;
    int N = x->rows, O = w->rows;
    enum linear_activation activation = (enum linear_activation)(intptr_t)n->more;
    bool accumulate = false;
    if (activation == LINEAR_RELU)
        kernel->relu_backward(y->grad, y->data, N, O, n->drop);
    else if (activation == LINEAR_TANH)
        kernel->tanh_backward(y->grad, y->grad, y->data, (size_t)N * O);
    if (bias && !bias->constant)
        kernel->bias_backward(tensor_grad(t, bias), y->grad, N, O);
    float *dx = x->constant ? NULL : tensor_grad_into(t, x, &accumulate);
    weight_gradients(t, dx, accumulate, w, y->grad, x->data, N);
}

struct tensor *linear_sample(struct tape *t, struct sample *s)
{
    struct tensor *x = sample_leaf(s, 5, 7), *w = sample_leaf(s, 6, 7), *b = sample_leaf(s, 1, 6);
    struct tensor *w2 = sample_leaf(s, 3, 6), *b2 = sample_leaf(s, 1, 3);
    return op_linear(t, op_linear(t, x, w, b, LINEAR_RELU, 0.2f), w2, b2, LINEAR_TANH, 0);
}

struct tensor *op_gelu(struct tape *t, struct tensor *h, float drop)
{
    struct tensor *y = tensor_new(t, h->rows, h->cols);
    struct dropout d = tape_dropout(t, drop);
    kernel->gelu_forward(y->data, h->data, (size_t)h->rows * h->cols, d);
    struct node *n = tape_node(t, &ops[OP_GELU], y, h, NULL, NULL, NULL);
    if (n)
        n->drop = d;
    return y;
}

void gelu_backward(struct tape *t, struct node *n)
{
    struct tensor *h = n->in[0];
    size_t N = (size_t)h->rows * h->cols;
    bool accumulate;
    float *dh = tensor_grad_into(t, h, &accumulate);
    float *into = accumulate ? arena_take(&t->arena, N * sizeof(float)) : dh;
    kernel->gelu_backward(into, n->out->grad, h->data, N, n->drop);
    if (accumulate)
        kernel->add(dh, into, N);
}

struct tensor *gelu_sample(struct tape *t, struct sample *s)
{
    struct tensor *h = sample_leaf(s, 4, 6);
    return op_residual(t, op_gelu(t, h, 0.3f), h, 0);
}

struct tensor *op_swiglu(struct tape *t, struct tensor *h, float drop)
{
    int F = h->cols / 2;
    struct tensor *y = tensor_new(t, h->rows, F);
    struct dropout d = tape_dropout(t, drop);
    kernel->swiglu_forward(y->data, h->data, h->rows, F, d);
    struct node *n = tape_node(t, &ops[OP_SWIGLU], y, h, NULL, NULL, NULL);
    if (n)
        n->drop = d;
    return y;
}

void swiglu_backward(struct tape *t, struct node *n)
{
    struct tensor *h = n->in[0];
    size_t N = (size_t)h->rows * h->cols;
    bool accumulate;
    float *dh = tensor_grad_into(t, h, &accumulate);
    float *into = accumulate ? arena_take(&t->arena, N * sizeof(float)) : dh;
    kernel->swiglu_backward(into, n->out->grad, h->data, h->rows, h->cols / 2, n->drop);
    if (accumulate)
        kernel->add(dh, into, N);
}

struct tensor *swiglu_sample(struct tape *t, struct sample *s)
{
    return op_swiglu(t, sample_leaf(s, 4, 10), 0.3f);
}
