/* Multi-head attention, sentence by sentence, head by head and, in long sentences, a block of queries at
 * a time: no padding, no mask, products in cache.  Rows of scores are padded to whole vectors; the
 * padding holds zeros.
 *
 * The soft-max of short sentences is kept for the backward pass; that of long ones, which would
 * take memory with the square of the length, is computed again. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "tensor/op_rows.h"

#define VEC 16
#define PADDED(n) (((n) + VEC - 1) / VEC * VEC)
#define BLOCK 64        /* queries worked on at a time */
#define KEPT 64         /* keys of a sentence whose soft-max is kept */

struct attention {
    struct view q, k, v;
    int D, heads, B;
    const int32_t *query_start, *key_start;
    bool causal;
    float *p;           /* soft-max before dropout, head after head of short sentence after short sentence */
};

/* One head of one sentence, or a block of its queries. */
struct head {
    int Tq, Tk, Tp, d, dp;              /* queries, keys that they see; p: padded */
    int row;                            /* the first query's place in the sentence */
    const float *q, *k, *v;
    int ldq, ldk, ldv;
    float *p;                           /* (Tq,Tp), or NULL: not kept */
    size_t first;                       /* its number among all scores, for dropout */
};

static bool is_kept(const struct attention *a, int b)
{
    return a->key_start[b + 1] - a->key_start[b] <= KEPT;
}

static size_t kept_size(const struct attention *a)
{
    size_t size = 0;
    for (int b = 0; b < a->B; b++)
        if (is_kept(a, b))
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

/* Where a walk over all heads of all sentences is: in the kept soft-maxes, and in all. */
struct walk {
    float *p;
    size_t first;
};

static struct head head_next(const struct attention *a, int b, int h, struct walk *w)
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
    x.first = w->first;
    w->first += (size_t)x.Tq * x.Tp;
    if (is_kept(a, b)) {
        x.p = w->p;
        w->p += (size_t)x.Tq * x.Tp;
    }
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

/* Block i of a head's queries; keys that no query of a causal block sees are left out. */
static struct head block_at(const struct attention *a, const struct head *x, int i)
{
    struct head y = *x;
    y.row = i * BLOCK;
    y.Tq = x->Tq - y.row < BLOCK ? x->Tq - y.row : BLOCK;
    y.q = x->q + (size_t)y.row * x->ldq;
    if (a->causal) {
        y.Tk = y.row + y.Tq;
        y.Tp = PADDED(y.Tk);
    }
    y.first = x->first + (size_t)y.row * x->Tp;
    if (x->p)
        y.p = x->p + (size_t)y.row * x->Tp;
    return y;
}

static int blocks_of(const struct head *x)
{
    return (x->Tq + BLOCK - 1) / BLOCK;
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

/* Scratch of one head, forward or backward, for the longest sentences. */
struct room {
    float *kt, *vt;             /* (d,Tp) */
    float *p, *dropped, *dp;    /* (BLOCK,Tp) */
    float *rest;
};

static struct room room_take(struct tape *t, const struct attention *a)
{
    size_t Tq = (size_t)longest(a->query_start, a->B), Tk = (size_t)longest(a->key_start, a->B);
    size_t Tp = PADDED(Tk), dp = PADDED(a->D / a->heads), rows = Tq < BLOCK ? Tq : BLOCK;
    size_t side = dp * Tp, scores = rows * Tp, rest = 2 * (Tk + BLOCK) * dp + VEC;
    float *memory = arena_take(&t->arena, (2 * side + 3 * scores + rest) * sizeof(float));
    return (struct room){ memory, memory + side, memory + 2 * side, memory + 2 * side + scores,
                          memory + 2 * side + 2 * scores, memory + 2 * side + 3 * scores };
}

/* P of a block; kt has rows of ldk floats. */
static void scores(const struct attention *a, const struct head *x, const float *kt, int ldk)
{
    kernel->small_gemm(x->p, x->Tp, x->q, x->ldq, 1, kt, ldk, x->Tq, x->Tp, x->d, false);
    kernel->attention_softmax(x->p, x->Tp, x->Tq, x->Tk, 1 / sqrtf((float)x->d), a->causal ? x->row : -1);
}

static void head_forward(const struct attention *a, const struct head *x, float *out, struct dropout drop,
                         const struct room *room)
{
    kernel->transpose(room->kt, x->Tp, x->k, x->ldk, x->Tk, x->d);
    for (int i = 0; i < blocks_of(x); i++) {
        struct head y = block_at(a, x, i);
        if (!y.p)
            y.p = room->p;
        scores(a, &y, room->kt, x->Tp);
        head_product(&y, out + (size_t)y.row * a->D, a->D, dropped(&y, room->dropped, drop), y.Tp, 1, y.v, y.ldv,
                     y.Tq, y.Tk, false, room->rest);
    }
}

struct tensor *op_attention(struct tape *t, struct view q, struct view k, struct view v, int D,
                            int heads, int B, const int32_t *query_start, const int32_t *key_start,
                            bool causal, float drop)
{
    assert(D % heads == 0);
    struct attention *a = arena_take(&t->arena, sizeof *a);
    *a = (struct attention){ q, k, v, D, heads, B, query_start, key_start, causal, NULL };
    struct tensor *y = tensor_new(t, q.tensor->rows, D);
    a->p = arena_take(&t->arena, (kept_size(a) + VEC) * sizeof(float));
    struct dropout d = tape_dropout(t, drop);

    struct arena_mark mark = arena_mark(&t->arena);
    struct room room = room_take(t, a);
    struct walk w = { .p = a->p };
    for (int b = 0; b < B; b++)
        for (int h = 0; h < heads; h++) {
            struct head x = head_next(a, b, h, &w);
            head_forward(a, &x, y->data + (size_t)query_start[b] * D + h * x.d, d, &room);
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

/* dV = Pᵀ dY;  dP = dY Vᵀ;  dS = soft-max'(dP);  dQ = dS K;  dK = dSᵀ Q.  The first block to see a key
 * writes its gradients where they are not added to others. */
static void block_backward(const struct head *x, const struct head_grads *g, const float *dy, int ldy, int seen,
                           int ldt, struct dropout drop, const struct room *room)
{
    struct dropout d = { drop.rate, drop.seed + (uint32_t)x->first };
    const float *p = dropped(x, room->dropped, drop);
    float *dp = room->dp;
    int fresh = x->Tk - seen;
    size_t dk = (size_t)seen * x->ldk, dv = (size_t)seen * x->ldv;
    if (seen)
        head_product(x, g->dv, x->ldv, p, 1, x->Tp, dy, ldy, seen, x->Tq, true, room->rest);
    if (fresh)
        head_product(x, g->dv + dv, x->ldv, p + seen, 1, x->Tp, dy, ldy, fresh, x->Tq, g->add_v, room->rest);
    kernel->small_gemm(dp, x->Tp, dy, ldy, 1, room->vt, ldt, x->Tq, x->Tp, x->d, false);
    if (drop.rate > 0) {
        kernel->dropout_apply(room->dropped, dp, (size_t)x->Tq * x->Tp, d, false);
        dp = room->dropped;
    }
    kernel->attention_softmax_backward(dp, x->p, x->Tp, x->Tq, x->Tk, 1 / sqrtf((float)x->d));
    head_product(x, g->dq + (size_t)x->row * x->ldq, x->ldq, dp, x->Tp, 1, x->k, x->ldk, x->Tq, x->Tk, g->add_q,
                 room->rest);
    if (seen)
        head_product(x, g->dk, x->ldk, dp, 1, x->Tp, x->q, x->ldq, seen, x->Tq, true, room->rest);
    if (fresh)
        head_product(x, g->dk + dk, x->ldk, dp + seen, 1, x->Tp, x->q, x->ldq, fresh, x->Tq, g->add_k, room->rest);
}

static void head_backward(const struct attention *a, const struct head *x, const struct head_grads *g,
                          const float *dy, struct dropout drop, const struct room *room)
{
    int seen = 0;
    kernel->transpose(room->vt, x->Tp, x->v, x->ldv, x->Tk, x->d);
    if (!x->p)
        kernel->transpose(room->kt, x->Tp, x->k, x->ldk, x->Tk, x->d);
    for (int i = 0; i < blocks_of(x); i++) {
        struct head y = block_at(a, x, i);
        if (!y.p) {
            y.p = room->p;
            scores(a, &y, room->kt, x->Tp);
        }
        block_backward(&y, g, dy + (size_t)y.row * a->D, a->D, seen, x->Tp, drop, room);
        seen = y.Tk;
    }
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
    float *grad[3];
    bool add[3];
    grads_of_views(t, a, grad, add);
    struct arena_mark mark = arena_mark(&t->arena);
    struct room room = room_take(t, a);
    struct walk w = { .p = a->p };
    for (int b = 0; b < a->B; b++)
        for (int h = 0; h < a->heads; h++) {
            struct head x = head_next(a, b, h, &w);
            struct head_grads g = {
                grad[0] + (x.q - a->q.tensor->data), grad[1] + (x.k - a->k.tensor->data),
                grad[2] + (x.v - a->v.tensor->data), add[0], add[1], add[2]
            };
            head_backward(a, &x, &g, n->out->grad + (size_t)a->query_start[b] * a->D + h * x.d, n->drop, &room);
        }
    arena_return(&t->arena, mark);
}

/* Sentences longer than a block and than what is kept, causal; some of the rows. */
static struct tensor *long_sample(struct tape *t, struct sample *s)
{
    static const int32_t start[] = { 0, 2, 72 }, rows[] = { 1, 2, 10, 40, 65, 66, 67, 70, 71 };
    struct tensor *qkv = sample_leaf(s, 72, 6);
    struct tensor *causal = op_attention(t, (struct view){ qkv, 0 }, (struct view){ qkv, 2 },
                                         (struct view){ qkv, 4 }, 2, 1, 2, start, start, true, 0.2f);
    struct tensor *all = op_attention(t, (struct view){ qkv, 0 }, (struct view){ qkv, 2 },
                                      (struct view){ qkv, 4 }, 2, 1, 2, start, start, false, 0);
    return op_concat(t, op_embed(t, causal, rows, 9, 1, NULL, NULL, 0), op_embed(t, all, rows, 9, 1, NULL, NULL, 0));
}

/* Self-attention over one tensor, causal, then cross-attention, heads that are no whole vector, and
 * long sentences. */
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
    return op_concat(t, op_concat(t, cross, odd), long_sample(t, s));
}
