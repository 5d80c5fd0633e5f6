/* Two texts beside each other, as sentence-pair classifiers see them (Conneau et al. 2017). */
#include <math.h>

#include "tensor/op_rows.h"

struct tensor *op_compare(struct tape *t, struct tensor *u, struct tensor *v)
{
    int D = u->cols;
    struct tensor *y = tensor_new(t, u->rows, 4 * D);
    for (int n = 0; n < u->rows; n++) {
        const float *u_n = u->data + (size_t)n * (size_t)D, *v_n = v->data + (size_t)n * (size_t)D;
        float *y_n = y->data + 4 * (size_t)n * (size_t)D;
        for (int d = 0; d < D; d++) {
            y_n[d] = u_n[d];
            y_n[D + d] = v_n[d];
            y_n[2 * D + d] = fabsf(u_n[d] - v_n[d]);
            y_n[3 * D + d] = u_n[d] * v_n[d];
        }
    }
    tape_node(t, &ops[OP_COMPARE], y, u, v, NULL, NULL);
    return y;
}

void compare_backward(struct tape *t, struct node *node)
{
    struct tensor *u = node->in[0], *v = node->in[1];
    int D = u->cols;
    float *du = tensor_grad(t, u), *dv = tensor_grad(t, v);
    for (int n = 0; n < u->rows; n++) {
        size_t at = (size_t)n * (size_t)D;
        const float *dy = node->out->grad + 4 * at;
        for (int d = 0; d < D; d++) {
            float u_d = u->data[at + (size_t)d], v_d = v->data[at + (size_t)d];
            float apart = u_d > v_d ? dy[2 * D + d] : u_d < v_d ? -dy[2 * D + d] : 0;
            du[at + (size_t)d] += dy[d] + apart + v_d * dy[3 * D + d];
            dv[at + (size_t)d] += dy[D + d] - apart + u_d * dy[3 * D + d];
        }
    }
}

struct tensor *compare_sample(struct tape *t, struct sample *s)
{
    return op_compare(t, sample_leaf(s, 3, 5), sample_leaf(s, 3, 5));
}
