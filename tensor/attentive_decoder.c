/* The decoder with attention and input feeding, step by step over a timeline.
 *
 * Each layer keeps what its recurrent product reads at every step side by side in `in` (N,2H):
 *
 *     layer 0      [ a_{t-1}            | h_0 of t-1 ]
 *     layer l      [ dropout(h_{l-1,t}) | h_l of t-1 ]
 *
 * so that a step is one product a layer and the weights' gradient one product over all steps after
 * the walk back.  The right half of step t+1 is written at step t, for the sentences that go on.
 * Attention works on copies that stand sentence by sentence in rows of whole vectors (Hp floats);
 * gradients of keys and values are one small product a sentence, also at the end. */
#include <assert.h>
#include <string.h>

#include "tensor/lstm.h"
#include "tensor/op_rows.h"
#include "tensor/weight.h"

#define VEC 16
#define PADDED(n) (((n) + VEC - 1) / VEC * VEC)

struct cell_run {
    float *in;                  /* (N,2H) */
    float *gates, *c;           /* (N,4H) activated, (N,H) */
    float *c_first;             /* (B,H), by rank */
    struct dropout drop;        /* of the layer below, on its way up */
};

struct run {
    struct attentive_decoder d;
    int H, Hp;
    struct cell_run *cells;
    float *kv;                  /* (source tokens, 2Hp), sentence by sentence */
    float *p;                   /* a sentence after the other, (T,Sp) each */
    size_t *p_at;               /* (B) where each begins */
    float *q, *y;               /* (N,H): top outputs; attentional vectors before dropout */
    struct dropout drop;        /* of y */
};

static float *floats(struct tape *t, int rows, int cols)
{
    return arena_take(&t->arena, ((size_t)rows * cols + VEC) * sizeof(float));
}

static float *zeroed(struct tape *t, int rows, int cols)
{
    return arena_zeroed(&t->arena, ((size_t)rows * cols + VEC) * sizeof(float));
}

static float *at(float *x, int row, int cols)
{
    return x + (size_t)row * cols;
}

static void copy_rows(float *dst, int ldd, const float *src, int lds, int rows, int cols)
{
    for (int r = 0; r < rows; r++)
        memcpy(dst + (size_t)r * ldd, src + (size_t)r * lds, (size_t)cols * sizeof(float));
}

static int length_of(const struct timeline *line, int sentence)
{
    return line->starts[sentence + 1] - line->starts[sentence];
}

/* ---- before the first step ---- */

/* Rows of the timeline to rows sentence by sentence, padded with zeros. */
static void by_sentence(float *dst, const float *src, int lds, const struct timeline *line, int H,
                        int ldd)
{
    for (int n = 0; n < line->N; n++) {
        float *row = dst + (size_t)line->row[n] * ldd;
        memcpy(row, src + (size_t)n * lds, (size_t)H * sizeof(float));
        memset(row + H, 0, (size_t)(PADDED(H) - H) * sizeof(float));
    }
}

static void take_memory(struct tape *t, struct run *r)
{
    const struct timeline *source = r->d.source, *target = r->d.target;
    size_t size = 0;
    r->kv = floats(t, source->N, 2 * r->Hp);
    by_sentence(r->kv, r->d.kv->data, 2 * r->H, source, r->H, 2 * r->Hp);
    by_sentence(r->kv + r->Hp, r->d.kv->data + r->H, 2 * r->H, source, r->H, 2 * r->Hp);
    r->p_at = arena_take(&t->arena, ((size_t)target->B + 1) * sizeof *r->p_at);
    for (int b = 0; b < target->B; b++) {
        r->p_at[b] = size;
        size += (size_t)length_of(target, b) * PADDED(length_of(source, b));
    }
    r->p = arena_take(&t->arena, (size + VEC) * sizeof(float));
}

static void cell_start(struct tape *t, struct run *r, int l)
{
    const struct decoder_cell *cell = &r->d.cells[l];
    const struct timeline *line = r->d.target;
    int H = r->H;
    struct cell_run *x = &r->cells[l];
    *x = (struct cell_run){ floats(t, line->N, 2 * H), floats(t, line->N, 4 * H),
                            floats(t, line->N, H), floats(t, line->B, H),
                            l ? tape_dropout(t, r->d.drop) : (struct dropout){ 0, 0 } };
    for (int rank = 0; rank < line->B; rank++) {
        float *in = at(x->in, rank, 2 * H);
        if (!l)
            memset(in, 0, (size_t)H * sizeof(float));
        memcpy(in + H, at(cell->h->data, line->sentence[rank], H), (size_t)H * sizeof(float));
        memcpy(at(x->c_first, rank, H), at(cell->c->data, line->sentence[rank], H),
               (size_t)H * sizeof(float));
    }
}

/* ---- a step forward ---- */

static float *c_before(const struct run *r, int l, int t)
{
    return t ? at(r->cells[l].c, r->d.target->start[t - 1], r->H) : r->cells[l].c_first;
}

/* h (rows of the step, H) of layer l. */
static void cell_forward(const struct run *r, int l, int t, float *h)
{
    const struct timeline *line = r->d.target;
    int H = r->H, row = line->start[t], A = timeline_alive(line, t);
    struct cell_run *x = &r->cells[l];
    float *gates = at(x->gates, row, 4 * H);
    weight_forward(gates, at(x->in, row, 2 * H), r->d.cells[l].w, A, !l);
    if (l)
        kernel->add_bias(gates, r->d.cells[l].bias->data, A, 4 * H);
    kernel->lstm_forward(h, H, at(x->c, row, H), gates, c_before(r, l, t), A, H);
    if (t + 1 < line->T)
        copy_rows(at(x->in, line->start[t + 1], 2 * H) + H, 2 * H, h, H,
                  timeline_alive(line, t + 1), H);
    if (l + 1 < r->d.layers)
        kernel->dropout_rows(at(x[1].in, row, 2 * H), 2 * H, h, H, A, H, (size_t)row * H, x[1].drop,
                             false);
}

static float *weights_at(const struct run *r, float *p, int sentence, int t)
{
    return p + r->p_at[sentence] + (size_t)t * PADDED(length_of(r->d.source, sentence));
}

static float *keys_at(const struct run *r, int sentence)
{
    return r->kv + (size_t)r->d.source->starts[sentence] * 2 * r->Hp;
}

/* y of step t. */
static void attend(const struct run *r, int t)
{
    const struct timeline *line = r->d.target;
    int H = r->H, row = line->start[t], A = timeline_alive(line, t);
    float *q = at(r->q, row, H), *y = at(r->y, row, H);
    weight_forward(y, q, r->d.out, A, false);
    for (int rank = 0; rank < A; rank++) {
        int b = line->sentence[rank], S = length_of(r->d.source, b);
        float *k = keys_at(r, b);
        kernel->attend_forward(at(y, rank, H), weights_at(r, r->p, b, t), at(q, rank, H), k,
                               k + r->Hp, 2 * r->Hp, S, PADDED(S), H);
    }
    kernel->add_bias(y, r->d.out_bias->data, A, H);
    kernel->tanh_forward(y, y, (size_t)A * H);
}

/* The step's attentional vectors to the result and to the next step. */
static void hand_on(const struct run *r, int t, float *room, float *out)
{
    const struct timeline *line = r->d.target;
    int H = r->H, row = line->start[t], A = timeline_alive(line, t);
    kernel->dropout_rows(room, H, at(r->y, row, H), H, A, H, (size_t)row * H, r->drop, false);
    for (int rank = 0; rank < A; rank++)
        memcpy(at(out, line->row[row + rank], H), at(room, rank, H), (size_t)H * sizeof(float));
    if (t + 1 < line->T)
        copy_rows(at(r->cells[0].in, line->start[t + 1], 2 * H), 2 * H, room, H,
                  timeline_alive(line, t + 1), H);
}

static void step_forward(const struct run *r, int t, float *room, float *out)
{
    int top = r->d.layers - 1;
    for (int l = 0; l < top; l++)
        cell_forward(r, l, t, room);
    cell_forward(r, top, t, at(r->q, r->d.target->start[t], r->H));
    attend(r, t);
    hand_on(r, t, room, out);
}

struct tensor *op_attentive_decoder(struct tape *t, const struct attentive_decoder *d)
{
    const struct timeline *line = d->target;
    int N = line->N, H = d->out->rows;
    assert(d->x->rows == N && d->wx->rows == 4 * H && d->kv->cols == 2 * H && d->layers > 0);
    assert(line->B == d->source->B && d->kv->rows == d->source->N);
    struct run *r = arena_take(&t->arena, sizeof *r);
    struct tensor *out = tensor_new(t, N, H);
    struct decoder_cell *cells = arena_take(&t->arena, (size_t)d->layers * sizeof *cells);
    memcpy(cells, d->cells, (size_t)d->layers * sizeof *cells);
    *r = (struct run){ *d, H, PADDED(H), NULL };
    r->d.cells = cells;
    r->cells = arena_take(&t->arena, (size_t)d->layers * sizeof *r->cells);
    for (int l = 0; l < d->layers; l++)
        cell_start(t, r, l);
    take_memory(t, r);
    r->q = floats(t, N, H);
    r->y = floats(t, N, H);
    r->drop = tape_dropout(t, d->drop);

    weight_forward(r->cells[0].gates, d->x->data, d->wx, N, false);
    kernel->add_bias(r->cells[0].gates, cells[0].bias->data, N, 4 * H);
    struct arena_mark mark = arena_mark(&t->arena);
    float *room = floats(t, line->B, H);
    for (int step = 0; step < line->T; step++)
        step_forward(r, step, room, out->data);
    arena_return(&t->arena, mark);

    struct node *n = tape_node(t, &ops[OP_ATTENTIVE_DECODER], out, d->x, NULL, NULL, NULL);
    if (n)
        n->more = r;
    return out;
}

/* ---- a step back ---- */

/* Gradients that travel from step to step and what is gathered for the products at the end. */
struct back {
    float **din;                /* a layer's gradient of `in`, (B,2H), by rank */
    float **dc;                 /* (B,H), by rank */
    float *da;                  /* (N,H): gradient before the tanh */
    float *ds;                  /* gradient of the scores, laid out as p */
    float *room;                /* (B,H) */
};

static void hand_on_backward(const struct run *r, const struct back *g, int t, const float *dout)
{
    const struct timeline *line = r->d.target;
    int H = r->H, row = line->start[t], A = timeline_alive(line, t);
    float *da = at(g->da, row, H), *dfed = g->din[0];
    for (int rank = 0; rank < A; rank++)
        kernel->add(at(dfed, rank, 2 * H), dout + (size_t)line->row[row + rank] * H, (size_t)H);
    kernel->dropout_rows(da, H, dfed, 2 * H, A, H, (size_t)row * H, r->drop, false);
    kernel->tanh_backward(da, da, at(r->y, row, H), (size_t)A * H);
}

/* Adds to the gradient of the top layer's output. */
static void attend_backward(const struct run *r, const struct back *g, int t)
{
    const struct timeline *line = r->d.target;
    int H = r->H, row = line->start[t], A = timeline_alive(line, t);
    float *da = at(g->da, row, H), *dq = g->din[r->d.layers - 1] + H;
    weight_backward(g->room, da, r->d.out, A, false);
    for (int rank = 0; rank < A; rank++)
        kernel->add(at(dq, rank, 2 * H), at(g->room, rank, H), (size_t)H);
    for (int rank = 0; rank < A; rank++) {
        int b = line->sentence[rank], S = length_of(r->d.source, b);
        float *k = keys_at(r, b);
        kernel->attend_backward(at(dq, rank, 2 * H), weights_at(r, g->ds, b, t), at(da, rank, H),
                                weights_at(r, r->p, b, t), k, k + r->Hp, 2 * r->Hp, S, PADDED(S), H);
    }
}

static void cell_backward(const struct run *r, const struct back *g, int l, int t)
{
    const struct timeline *line = r->d.target;
    int H = r->H, row = line->start[t], A = timeline_alive(line, t);
    struct cell_run *x = &r->cells[l];
    float *gates = at(x->gates, row, 4 * H), *din = g->din[l];
    kernel->lstm_backward(gates, g->dc[l], din + H, 2 * H, c_before(r, l, t), at(x->c, row, H), A, H);
    weight_backward(din, gates, r->d.cells[l].w, A, false);
    if (l)
        kernel->dropout_rows(g->din[l - 1] + H, 2 * H, din, 2 * H, A, H, (size_t)row * H, x->drop,
                             true);
}

static void step_backward(const struct run *r, const struct back *g, int t, const float *dout)
{
    hand_on_backward(r, g, t, dout);
    attend_backward(r, g, t);
    for (int l = r->d.layers - 1; l >= 0; l--)
        cell_backward(r, g, l, t);
}

/* ---- after the last step back ---- */

static void first_states_backward(struct tape *t, const struct run *r, const struct back *g, int l)
{
    const struct decoder_cell *cell = &r->d.cells[l];
    const struct timeline *line = r->d.target;
    int H = r->H;
    float *dh = cell->h->constant ? NULL : tensor_grad(t, cell->h);
    float *dc = cell->c->constant ? NULL : tensor_grad(t, cell->c);
    for (int rank = 0; rank < line->B; rank++) {
        int b = line->sentence[rank];
        if (dh)
            kernel->add(at(dh, b, H), at(g->din[l], rank, 2 * H) + H, (size_t)H);
        if (dc)
            kernel->add(at(dc, b, H), at(g->dc[l], rank, H), (size_t)H);
    }
}

static void weights_backward(struct tape *t, const struct run *r, const struct back *g)
{
    int N = r->d.target->N, H = r->H;
    for (int l = 0; l < r->d.layers; l++) {
        const struct decoder_cell *cell = &r->d.cells[l];
        const struct cell_run *x = &r->cells[l];
        weight_gradient(t, cell->w, x->gates, x->in, N);
        if (!cell->bias->constant)
            kernel->bias_backward(tensor_grad(t, cell->bias), x->gates, N, 4 * H);
    }
    weight_gradient(t, r->d.out, g->da, r->q, N);
    if (!r->d.out_bias->constant)
        kernel->bias_backward(tensor_grad(t, r->d.out_bias), g->da, N, H);
}

static void input_backward(struct tape *t, const struct run *r)
{
    struct tensor *x = r->d.x, *wx = r->d.wx;
    bool accumulate = false;
    float *dx = x->constant ? NULL : tensor_grad_into(t, x, &accumulate);
    weight_gradients(t, dx, accumulate, wx, r->cells[0].gates, x->data, x->rows);
}

/* dK = dSᵀ Q and dV = Pᵀ dA, sentence by sentence, then back to the source's timeline. */
static void memory_backward(struct tape *t, const struct run *r, const struct back *g)
{
    const struct timeline *source = r->d.source, *target = r->d.target;
    int H = r->H, Hp = r->Hp;
    float *q = floats(t, target->N, Hp), *da = floats(t, target->N, Hp);
    float *dkv = floats(t, source->N, 2 * Hp), *grad = tensor_grad(t, r->d.kv);
    by_sentence(q, r->q, H, target, H, Hp);
    by_sentence(da, g->da, H, target, H, Hp);
    for (int b = 0; b < target->B; b++) {
        int S = length_of(source, b), Sp = PADDED(S), T = length_of(target, b);
        float *dk = at(dkv, source->starts[b], 2 * Hp);
        kernel->small_gemm(dk, 2 * Hp, g->ds + r->p_at[b], 1, Sp, at(q, target->starts[b], Hp), Hp,
                           S, Hp, T, false);
        kernel->small_gemm(dk + Hp, 2 * Hp, r->p + r->p_at[b], 1, Sp, at(da, target->starts[b], Hp), Hp,
                           S, Hp, T, false);
    }
    for (int n = 0; n < source->N; n++) {
        kernel->add(at(grad, n, 2 * H), at(dkv, source->row[n], 2 * Hp), (size_t)H);
        kernel->add(at(grad, n, 2 * H) + H, at(dkv, source->row[n], 2 * Hp) + Hp, (size_t)H);
    }
}

static size_t weights_size(const struct run *r)
{
    int B = r->d.target->B;
    return B ? r->p_at[B - 1] + (size_t)length_of(r->d.target, B - 1) *
                                    PADDED(length_of(r->d.source, B - 1)) : 0;
}

static void back_start(struct tape *t, const struct run *r, struct back *g)
{
    int B = r->d.target->B;
    g->din = arena_take(&t->arena, (size_t)r->d.layers * sizeof *g->din);
    g->dc = arena_take(&t->arena, (size_t)r->d.layers * sizeof *g->dc);
    for (int l = 0; l < r->d.layers; l++) {
        g->din[l] = zeroed(t, B, 2 * r->H);
        g->dc[l] = zeroed(t, B, r->H);
    }
    g->da = floats(t, r->d.target->N, r->H);
    g->room = floats(t, B, r->H);
    g->ds = arena_take(&t->arena, (weights_size(r) + VEC) * sizeof(float));
}

void attentive_decoder_backward(struct tape *t, struct node *n)
{
    const struct run *r = n->more;
    struct back g;
    back_start(t, r, &g);
    for (int step = r->d.target->T - 1; step >= 0; step--)
        step_backward(r, &g, step, n->out->grad);
    for (int l = 0; l < r->d.layers; l++)
        first_states_backward(t, r, &g, l);
    weights_backward(t, r, &g);
    input_backward(t, r);
    if (!r->d.kv->constant)
        memory_backward(t, r, &g);
}

/* Two layers, three sentences whose orders by source and by target length differ, one of them a
 * single token. */
struct tensor *attentive_decoder_sample(struct tape *t, struct sample *s)
{
    enum { H = 2, I = 3, B = 3 };
    static const int32_t target_starts[] = { 0, 2, 6, 7 }, source_starts[] = { 0, 4, 5, 8 };
    /* Leaves are few, so weights and states are slices of some. */
    struct tensor *x = sample_leaf(s, 7, I), *wx = sample_leaf(s, 4 * H, I);
    struct tensor *w0 = sample_leaf(s, 4 * H, 2 * H), *w1 = sample_leaf(s, 4 * H, 2 * H);
    struct tensor *bias = sample_leaf(s, 1, 4 * H), *state = sample_leaf(s, 2 * B, H);
    struct tensor *kv = sample_leaf(s, 8, 2 * H), *out = sample_leaf(s, H + 1, H);
    static const int32_t rows[][B] = { { 0, 1, 2 }, { 3, 4, 5 }, { 2, 3, 0 }, { 5, 1, 4 } };
    static const int32_t out_rows[] = { 0, 1 }, bias_row[] = { 2 };
    struct tensor *first[4];
    for (int i = 0; i < 4; i++)
        first[i] = op_embed(t, state, rows[i], B, 1, NULL, NULL, 0);
    struct decoder_cell cells[] = { { w0, bias, first[0], first[1] }, { w1, bias, first[2], first[3] } };
    return op_attentive_decoder(t, &(struct attentive_decoder){
        .x = x, .wx = wx, .cells = cells, .layers = 2, .kv = kv,
        .out = op_embed(t, out, out_rows, H, 1, NULL, NULL, 0),
        .out_bias = op_embed(t, out, bias_row, 1, 1, NULL, NULL, 0),
        .target = timeline_new(&t->arena, target_starts, B),
        .source = timeline_new(&t->arena, source_starts, B), .drop = 0.2f });
}
