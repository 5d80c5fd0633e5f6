/* Rows of tables: embeddings, and tensors side by side. */
#include <string.h>

#include "tensor/op_rows.h"

struct lookup {
    const int32_t *id, *place;
    float scale;
};

/* The rows of a packed table that are asked for, in that order; *id becomes 0 … N-1. */
static const float *unpacked(struct tape *t, const struct packed *table, const int32_t **id, int N)
{
    float *rows = arena_take(&t->arena, ((size_t)N * (size_t)table->K + 1) * sizeof *rows);
    int32_t *own = arena_take(&t->arena, ((size_t)N + 1) * sizeof *own);
    for (int n = 0; n < N; n++) {
        packed_row(rows + (size_t)n * (size_t)table->K, table, (*id)[n]);
        own[n] = n;
    }
    *id = own;
    return rows;
}

struct tensor *op_embed(struct tape *t, struct tensor *table, const int32_t *id, int N, float scale,
                        struct tensor *position, const int32_t *place, float drop)
{
    int D = table->cols;
    struct tensor *y = tensor_new(t, N, D);
    struct dropout d = tape_dropout(t, drop);
    const float *rows = table->data;
    if (table->packed)
        rows = unpacked(t, table->packed, &id, N);
    kernel->embed_forward(y->data, rows, id, scale, position ? position->data : NULL, place,
                          N, D, d);
    struct node *n = tape_node(t, &ops[OP_EMBED], y, table, position, NULL, NULL);
    if (n) {
        struct lookup *l = arena_take(&t->arena, sizeof *l);
        *l = (struct lookup){ id, place, scale };
        n->drop = d;
        n->more = l;
    }
    return y;
}

static void scatter(float *dtable, const float *dy, const int32_t *row, float scale, int N, int D)
{
    for (int i = 0; i < N; i++)
        kernel->axpy(dtable + (size_t)row[i] * D, dy + (size_t)i * D, scale, (size_t)D);
}

void embed_backward(struct tape *t, struct node *n)
{
    struct tensor *table = n->in[0], *position = n->in[1];
    const struct lookup *l = n->more;
    int N = n->out->rows, D = n->out->cols;
    float *dy = n->out->grad;
    if (n->drop.rate > 0) {
        dy = arena_take(&t->arena, ((size_t)N * D + 1) * sizeof(float));
        kernel->dropout_apply(dy, n->out->grad, (size_t)N * D, n->drop, false);
    }
    if (!table->constant)
        scatter(tensor_grad(t, table), dy, l->id, l->scale, N, D);
    if (position && !position->constant)
        scatter(tensor_grad(t, position), dy, l->place, 1, N, D);
}

struct tensor *embed_sample(struct tape *t, struct sample *s)
{
    static const int32_t id[] = { 2, 0, 2, 4, 1 }, place[] = { 0, 1, 2, 0, 1 };
    struct tensor *table = sample_leaf(s, 5, 6), *position = sample_leaf(s, 3, 6);
    return op_embed(t, table, id, 5, 2.5f, position, place, 0.2f);
}

static void copy_columns(float *dst, int ldd, const float *src, int lds, int rows, int cols)
{
    for (int r = 0; r < rows; r++)
        memcpy(dst + (size_t)r * ldd, src + (size_t)r * lds, (size_t)cols * sizeof(float));
}

struct tensor *op_concat(struct tape *t, struct tensor *a, struct tensor *b)
{
    struct tensor *y = tensor_new(t, a->rows, a->cols + b->cols);
    copy_columns(y->data, y->cols, a->data, a->cols, a->rows, a->cols);
    copy_columns(y->data + a->cols, y->cols, b->data, b->cols, b->rows, b->cols);
    tape_node(t, &ops[OP_CONCAT], y, a, b, NULL, NULL);
    return y;
}

void concat_backward(struct tape *t, struct node *n)
{
    int column = 0;
    for (int i = 0; i < 2; i++) {
        struct tensor *x = n->in[i];
        float *dx = tensor_grad(t, x);
        for (int r = 0; r < x->rows; r++)
            kernel->add(dx + (size_t)r * x->cols,
                        n->out->grad + (size_t)r * n->out->cols + column, (size_t)x->cols);
        column += x->cols;
    }
}

struct tensor *concat_sample(struct tape *t, struct sample *s)
{
    return op_concat(t, sample_leaf(s, 3, 4), sample_leaf(s, 3, 2));
}
