/* The simpler simple recurrent unit: c_t = f_t c_{t-1} + (1 - f_t) x_t, y_t = relu(c_t), with
 * f = σ(…) and x linear in the input (Kim et al. 2019, From Research to Production and Back). */
#include <string.h>

#include "tensor/op_rows.h"

struct ssru {
    int B;
    const int32_t *start;
    float *c, *gated;           /* (N,D) states; (N,2D) σ of the gates, and the inputs */
};

struct tensor *op_ssru(struct tape *t, struct tensor *fx, int B, const int32_t *start)
{
    int N = fx->rows, D = fx->cols / 2;
    struct tensor *y = tensor_new(t, N, D);
    struct ssru *s = arena_take(&t->arena, sizeof *s);
    float *first = arena_zeroed(&t->arena, (size_t)D * sizeof(float));
    *s = (struct ssru){ B, start, arena_take(&t->arena, ((size_t)N * D + 1) * sizeof(float)),
                        arena_take(&t->arena, ((size_t)N * 2 * D + 1) * sizeof(float)) };
    memcpy(s->gated, fx->data, (size_t)N * 2 * D * sizeof(float));
    for (int b = 0; b < B; b++) {
        size_t at = (size_t)start[b] * D;
        kernel->ssru_forward(y->data + at, s->c + at, s->gated + 2 * at, first,
                             start[b + 1] - start[b], D);
    }
    struct node *n = tape_node(t, &ops[OP_SSRU], y, fx, NULL, NULL, NULL);
    if (n)
        n->more = s;
    return y;
}

void ssru_backward(struct tape *t, struct node *n)
{
    struct tensor *fx = n->in[0];
    const struct ssru *s = n->more;
    int N = fx->rows, D = fx->cols / 2;
    bool accumulate;
    float *grad = tensor_grad_into(t, fx, &accumulate);
    float *dfx = accumulate ? arena_take(&t->arena, ((size_t)N * 2 * D + 1) * sizeof(float)) : grad;
    float *first = arena_zeroed(&t->arena, (size_t)D * sizeof(float));
    float *carry = arena_take(&t->arena, (size_t)D * sizeof(float));
    for (int b = 0; b < s->B; b++) {
        size_t at = (size_t)s->start[b] * D;
        kernel->ssru_backward(dfx + 2 * at, n->out->grad + at, s->c + at, s->gated + 2 * at, first,
                              carry, s->start[b + 1] - s->start[b], D);
    }
    if (accumulate)
        kernel->add(grad, dfx, (size_t)N * 2 * D);
}

struct tensor *ssru_sample(struct tape *t, struct sample *s)
{
    static const int32_t start[] = { 0, 4, 5, 9 };
    return op_ssru(t, sample_leaf(s, 9, 10), 3, start);
}
