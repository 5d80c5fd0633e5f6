/* Multi-head attention, sentence by sentence and head by head: no padding, no mask, products in
 * cache.  Rows of scores are padded to whole vectors; the padding holds zeros. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "tensor/op_rows.h"

#define VEC 16
#define PADDED(n) (((n) + VEC - 1) / VEC * VEC)

struct attention {
    struct view q, k, v;
    int D, heads, B;
    const int32_t *query_start, *key_start;
    bool causal;
    float *p;           /* soft-max before dropout, head after head of sentence after sentence */
};

/* One head of one sentence. */
struct head {
    int Tq, Tk, Tp, d, dp;              /* p: padded */
    const float *q, *k, *v;
    int ldq, ldk, ldv;
    float *p;                           /* (Tq,Tp) */
    size_t first;                       /* where p starts, for dropout */
    float *scratch;
};

static size_t scores_size(const struct attention *a)
{
    size_t size = 0;
    for (int b = 0; b < a->B; b++)
        size += (size_t)(a->query_start[b + 1] - a->query_start[b]) *
                PADDED(a->key_start[b + 1] - a->key_start[b]) * a->heads;
    return size;
}

static int longest(const int32_t *start, int B)
{
    int longest = 0;
    for (int b = 0; b < B; b++)
        if (start[b + 1] - start[b] > longest)
            longest = start[b + 1] - start[b];
    return longest;
}

static const float *view_at(struct view v, int row, int column)
{
    return v.tensor->data + (size_t)row * v.tensor->cols + v.column + column;
}

static struct head head_at(const struct attention *a, int b, int h, size_t first)
{
    struct head x = { 0 };
    x.Tq = a->query_start[b + 1] - a->query_start[b];
    x.Tk = a->key_start[b + 1] - a->key_start[b];
    x.Tp = PADDED(x.Tk);
    x.d = a->D / a->heads;
    x.dp = PADDED(x.d);
    x.q = view_at(a->q, a->query_start[b], h * x.d);
    x.k = view_at(a->k, a->key_start[b], h * x.d);
    x.v = view_at(a->v, a->key_start[b], h * x.d);
    x.ldq = a->q.tensor->cols;
    x.ldk = a->k.tensor->cols;
    x.ldv = a->v.tensor->cols;
    x.first = first;
    return x;
}

/* Rows of d floats as small_gemm wants them: as they are when d fills whole vectors, else copied
 * to `room` and padded. */
static const float *whole_vectors(const struct head *x, const float *src, int *ld, int rows, float *room)
{
    if (x->d == x->dp)
        return src;
    for (int r = 0; r < rows; r++) {
        memcpy(room + (size_t)r * x->dp, src + (size_t)r * *ld, (size_t)x->d * sizeof(float));
        memset(room + (size_t)r * x->dp + x->d, 0, (size_t)(x->dp - x->d) * sizeof(float));
    }
    *ld = x->dp;
    return room;
}

/* out (M,d) = or += A·B, A by strides, B (K,d) with rows at ldb. */
static void head_product(const struct head *x, float *out, int ldo, const float *a, int row, int col,
                         const float *b, int ldb, int M, int K, bool accumulate, float *room)
{
    b = whole_vectors(x, b, &ldb, K, room);
    if (x->d == x->dp) {
        kernel->small_gemm(out, ldo, a, row, col, b, ldb, M, x->dp, K, accumulate);
        return;
    }
    float *c = room + (size_t)K * x->dp;
    kernel->small_gemm(c, x->dp, a, row, col, b, ldb, M, x->dp, K, false);
    for (int m = 0; m < M; m++)
        for (int j = 0; j < x->d; j++)
            out[(size_t)m * ldo + j] = c[(size_t)m * x->dp + j] + (accumulate ? out[(size_t)m * ldo + j] : 0);
}

/* Dropout of the scores: a copy in `room`, or the scores themselves. */
static const float *dropped(const struct head *x, float *room, struct dropout drop)
{
    if (!(drop.rate > 0))
        return x->p;
    struct dropout d = { drop.rate, drop.seed + (uint32_t)x->first };
    kernel->dropout_apply(room, x->p, (size_t)x->Tq * x->Tp, d, false);
    return room;
}

static void head_forward(const struct head *x, float *out, int ldo, bool causal, struct dropout drop,
                         float *room)
{
    float *kt = room, *pd = kt + (size_t)x->d * x->Tp, *rest = pd + (size_t)x->Tq * x->Tp;
    kernel->transpose(kt, x->Tp, x->k, x->ldk, x->Tk, x->d);
    kernel->small_gemm(x->p, x->Tp, x->q, x->ldq, 1, kt, x->Tp, x->Tq, x->Tp, x->d, false);
    kernel->attention_softmax(x->p, x->Tp, x->Tq, x->Tk, 1 / sqrtf((float)x->d), causal);
    head_product(x, out, ldo, dropped(x, pd, drop), x->Tp, 1, x->v, x->ldv, x->Tq, x->Tk, false, rest);
}

/* Scratch of one head, forward or backward, for the longest sentences. */
static float *head_room(struct tape *t, const struct attention *a)
{
    size_t Tq = (size_t)longest(a->query_start, a->B), Tk = (size_t)longest(a->key_start, a->B);
    size_t Tp = PADDED(Tk), dp = PADDED(a->D / a->heads);
    return arena_take(&t->arena, (dp * Tp + 2 * Tq * Tp + 2 * (Tq + Tk) * dp + 16) * sizeof(float));
}

struct tensor *op_attention(struct tape *t, struct view q, struct view k, struct view v, int D,
                            int heads, int B, const int32_t *query_start, const int32_t *key_start,
                            bool causal, float drop)
{
    assert(D % heads == 0);
    struct attention *a = arena_take(&t->arena, sizeof *a);
    *a = (struct attention){ q, k, v, D, heads, B, query_start, key_start, causal, NULL };
    struct tensor *y = tensor_new(t, q.tensor->rows, D);
    a->p = arena_take(&t->arena, (scores_size(a) + VEC) * sizeof(float));
    struct dropout d = tape_dropout(t, drop);

    struct arena_mark mark = arena_mark(&t->arena);
    float *room = head_room(t, a);
    size_t first = 0;
    for (int b = 0; b < B; b++)
        for (int h = 0; h < heads; h++) {
            struct head x = head_at(a, b, h, first);
            x.p = a->p + first;
            head_forward(&x, y->data + (size_t)query_start[b] * D + h * x.d, D, causal, d, room);
            first += (size_t)x.Tq * x.Tp;
        }
    arena_return(&t->arena, mark);

    struct node *n = tape_node(t, &ops[OP_ATTENTION], y, q.tensor, k.tensor, v.tensor, NULL);
    if (n) {
        n->drop = d;
        n->more = a;
    }
    return y;
}

struct head_grads {
    float *dq, *dk, *dv;
    bool add_q, add_k, add_v;
};

/* dV = Pᵀ dY;  dP = dY Vᵀ;  dS = soft-max'(dP);  dQ = dS K;  dK = dSᵀ Q */
static void head_backward(const struct head *x, const struct head_grads *g, const float *dy, int ldy,
                          struct dropout drop, float *room)
{
    float *vt = room, *pd = vt + (size_t)x->d * x->Tp, *dp = pd + (size_t)x->Tq * x->Tp;
    float *rest = dp + (size_t)x->Tq * x->Tp;
    struct dropout d = { drop.rate, drop.seed + (uint32_t)x->first };

    head_product(x, g->dv, x->ldv, dropped(x, pd, drop), 1, x->Tp, dy, ldy, x->Tk, x->Tq, g->add_v, rest);
    kernel->transpose(vt, x->Tp, x->v, x->ldv, x->Tk, x->d);
    kernel->small_gemm(dp, x->Tp, dy, ldy, 1, vt, x->Tp, x->Tq, x->Tp, x->d, false);
    if (drop.rate > 0) {
        kernel->dropout_apply(pd, dp, (size_t)x->Tq * x->Tp, d, false);
        dp = pd;
    }
    kernel->attention_softmax_backward(dp, x->p, x->Tp, x->Tq, x->Tk, 1 / sqrtf((float)x->d));
    head_product(x, g->dq, x->ldq, dp, x->Tp, 1, x->k, x->ldk, x->Tq, x->Tk, g->add_q, rest);
    head_product(x, g->dk, x->ldk, dp, 1, x->Tp, x->q, x->ldq, x->Tk, x->Tq, g->add_k, rest);
}

/* Each view covers its columns once, so a fresh gradient that several views share is overwritten
 * whole: q, k and v of one tensor tile it. */
static void grads_of_views(struct tape *t, const struct attention *a, float *grad[3], bool add[3])
{
    const struct view *views[3] = { &a->q, &a->k, &a->v };
    for (int i = 0; i < 3; i++) {
        int same = -1;
        for (int j = 0; j < i; j++)
            if (views[j]->tensor == views[i]->tensor)
                same = j;
        if (same >= 0) {
            grad[i] = grad[same];
            add[i] = add[same];
        } else {
            grad[i] = tensor_grad_into(t, views[i]->tensor, &add[i]);
        }
    }
}

void attention_backward(struct tape *t, struct node *n)
{
    const struct attention *a = n->more;
    float *grad[3], *room;
    bool add[3];
    size_t first = 0;
    grads_of_views(t, a, grad, add);
    room = head_room(t, a);
    for (int b = 0; b < a->B; b++)
        for (int h = 0; h < a->heads; h++) {
            struct head x = head_at(a, b, h, first);
            x.p = a->p + first;
            struct head_grads g = {
                grad[0] + (x.q - a->q.tensor->data), grad[1] + (x.k - a->k.tensor->data),
                grad[2] + (x.v - a->v.tensor->data), add[0], add[1], add[2]
            };
            head_backward(&x, &g, n->out->grad + (size_t)a->query_start[b] * a->D + h * x.d, a->D,
                          n->drop, room);
            first += (size_t)x.Tq * x.Tp;
        }
}

/* Self-attention over one tensor, causal, then cross-attention with a head that is no whole vector. */
struct tensor *attention_sample(struct tape *t, struct sample *s)
{
    static const int32_t target[] = { 0, 3, 4, 9 }, source[] = { 0, 2, 7, 8 };
    struct tensor *qkv = sample_leaf(s, 9, 96), *kv = sample_leaf(s, 8, 64);
    struct tensor *small = sample_leaf(s, 9, 18);
    struct tensor *self = op_attention(t, (struct view){ qkv, 0 }, (struct view){ qkv, 32 },
                                       (struct view){ qkv, 64 }, 32, 2, 3, target, target, true, 0.2f);
    struct tensor *cross = op_attention(t, (struct view){ self, 0 }, (struct view){ kv, 0 },
                                        (struct view){ kv, 32 }, 32, 1, 3, target, source, false, 0.1f);
    struct tensor *odd = op_attention(t, (struct view){ small, 0 }, (struct view){ small, 6 },
                                      (struct view){ small, 12 }, 6, 2, 3, target, target, false, 0);
    return op_concat(t, cross, odd);
}
