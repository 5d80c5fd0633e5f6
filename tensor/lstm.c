/* An LSTM layer over a timeline.  The input's product runs over all steps at once; each step then
 * adds the recurrent product of the sentences still alive and runs the cells.  Going back, gates
 * become their gradients in place, step by step; the weights' gradients are one product each over
 * all steps at the end. */
#include "tensor/lstm.h"

#include <assert.h>
#include <string.h>

#include "tensor/op_rows.h"
#include "tensor/weight.h"

struct layer {
    struct tensor *wx, *wh, *bias, *h, *c;
    struct lstm out;
    const struct timeline *line;
    bool reverse;
    int H;
    float *gates;               /* (N,4H), activated */
    float *h_first, *c_first;   /* (B,H), by rank */
    float *zeros;               /* (B,H) */
};

static float *floats(struct tape *t, int rows, int cols)
{
    return arena_take(&t->arena, ((size_t)rows * cols + 1) * sizeof(float));
}

static float *zeroed(struct tape *t, int rows, int cols)
{
    return arena_zeroed(&t->arena, ((size_t)rows * cols + 1) * sizeof(float));
}

static float *at(float *x, int row, int cols)
{
    return x + (size_t)row * cols;
}

/* A step's rows, and the states before it: of its first `before` rows; the others start here. */
struct step {
    int row, rows, before;
    int row_before;             /* -1: the first states */
};

static struct step step_at(const struct layer *l, int k)
{
    const struct timeline *line = l->line;
    int t = l->reverse ? line->T - 1 - k : k;
    struct step s = { line->start[t], timeline_alive(line, t), 0, -1 };
    if (!k) {
        s.before = l->h_first ? s.rows : 0;
    } else if (l->reverse) {
        s.before = timeline_alive(line, t + 1);
        s.row_before = line->start[t + 1];
    } else {
        s.before = s.rows;
        s.row_before = line->start[t - 1];
    }
    return s;
}

static float *h_before(const struct layer *l, struct step s)
{
    return s.row_before < 0 ? l->h_first : at(l->out.y->data, s.row_before, l->H);
}

static float *c_before(const struct layer *l, struct step s)
{
    return s.row_before < 0 ? l->c_first : at(l->out.c->data, s.row_before, l->H);
}

static void step_forward(const struct layer *l, struct step s)
{
    int H = l->H, fresh = s.row + s.before;
    float *y = l->out.y->data, *c = l->out.c->data;
    if (s.before) {
        weight_forward(at(l->gates, s.row, 4 * H), h_before(l, s), l->wh, s.before, true);
        kernel->lstm_forward(at(y, s.row, H), H, at(c, s.row, H), at(l->gates, s.row, 4 * H),
                             c_before(l, s), s.before, H);
    }
    kernel->lstm_forward(at(y, fresh, H), H, at(c, fresh, H), at(l->gates, fresh, 4 * H), l->zeros,
                         s.rows - s.before, H);
}

/* Rows of one a sentence, by rank. */
static float *by_rank(struct tape *t, const struct tensor *x, const struct timeline *line)
{
    float *ranked = floats(t, line->B, x->cols);
    for (int r = 0; r < line->B; r++)
        memcpy(at(ranked, r, x->cols), at(x->data, line->sentence[r], x->cols),
               (size_t)x->cols * sizeof(float));
    return ranked;
}

struct lstm op_lstm(struct tape *t, struct tensor *x, struct tensor *wx, struct tensor *wh,
                    struct tensor *bias, struct tensor *h, struct tensor *c,
                    const struct timeline *line, bool reverse)
{
    int N = line->N, H = wh->cols;
    assert(x->rows == N && wx->rows == 4 * H && wh->rows == 4 * H && !(reverse && h));
    struct layer *l = arena_take(&t->arena, sizeof *l);
    *l = (struct layer){ wx, wh, bias, h, c, { tensor_new(t, N, H), tensor_new(t, N, H) },
                         line, reverse, H, floats(t, N, 4 * H), h ? by_rank(t, h, line) : NULL,
                         c ? by_rank(t, c, line) : NULL, zeroed(t, line->B, H) };
    weight_forward(l->gates, x->data, wx, N, false);
    kernel->add_bias(l->gates, bias->data, N, 4 * H);
    for (int k = 0; k < line->T; k++)
        step_forward(l, step_at(l, k));
    struct node *n = tape_node(t, &ops[OP_LSTM], l->out.y, x, NULL, NULL, NULL);
    if (n)
        n->more = l;
    return l->out;
}

/* dc (B,H), by rank: gradient of the step's cells beyond c->grad; becomes that of those before. */
static void step_backward(const struct layer *l, struct step s, float *dc, float *dh_first)
{
    int H = l->H, fresh = s.row + s.before;
    float *dy = l->out.y->grad, *c = l->out.c->data, *dgates = at(l->gates, s.row, 4 * H);
    if (l->out.c->grad)
        kernel->add(dc, at(l->out.c->grad, s.row, H), (size_t)s.rows * H);
    if (s.before)
        kernel->lstm_backward(dgates, dc, at(dy, s.row, H), H, c_before(l, s), at(c, s.row, H),
                              s.before, H);
    kernel->lstm_backward(at(l->gates, fresh, 4 * H), at(dc, s.before, H), at(dy, fresh, H), H,
                          l->zeros, at(c, fresh, H), s.rows - s.before, H);
    if (s.before) {
        float *before = s.row_before < 0 ? dh_first : at(dy, s.row_before, H);
        weight_backward(before, dgates, l->wh, s.before, true);
    }
}

/* The states that each row's recurrent product read, (N,H). */
static float *recurrent_inputs(struct tape *t, const struct layer *l)
{
    float *in = zeroed(t, l->line->N, l->H);
    for (int k = 0; k < l->line->T; k++) {
        struct step s = step_at(l, k);
        if (s.before)
            memcpy(at(in, s.row, l->H), h_before(l, s), (size_t)s.before * l->H * sizeof(float));
    }
    return in;
}

static void first_state_backward(struct tape *t, struct tensor *state, const float *d,
                                 const struct timeline *line)
{
    float *grad;
    if (!state || state->constant)
        return;
    grad = tensor_grad(t, state);
    for (int r = 0; r < line->B; r++)
        kernel->add(at(grad, line->sentence[r], state->cols), d + (size_t)r * state->cols,
                    (size_t)state->cols);
}

void lstm_backward(struct tape *t, struct node *n)
{
    const struct layer *l = n->more;
    struct tensor *x = n->in[0];
    int N = l->line->N, H = l->H;
    float *dc = zeroed(t, l->line->B, H), *dh = zeroed(t, l->line->B, H);
    for (int k = l->line->T - 1; k >= 0; k--)
        step_backward(l, step_at(l, k), dc, dh);
    first_state_backward(t, l->h, dh, l->line);
    first_state_backward(t, l->c, dc, l->line);
    if (!l->bias->constant)
        kernel->bias_backward(tensor_grad(t, l->bias), l->gates, N, 4 * H);
    if (!l->wh->constant)
        weight_gradient(t, l->wh, l->gates, recurrent_inputs(t, l), N);
    bool accumulate = false;
    float *dx = x->constant ? NULL : tensor_grad_into(t, x, &accumulate);
    weight_gradients(t, dx, accumulate, l->wx, l->gates, x->data, N);
}

/* Three sentences, one of a single token, both ways round, a first state, and a use of the cells. */
struct tensor *lstm_sample(struct tape *t, struct sample *s)
{
    static const int32_t starts[] = { 0, 1, 5, 7 };
    const struct timeline *line = timeline_new(&t->arena, starts, 3);
    struct tensor *x = sample_leaf(s, 7, 3), *wx = sample_leaf(s, 8, 3), *wh = sample_leaf(s, 8, 2);
    struct tensor *bias = sample_leaf(s, 1, 8), *h = sample_leaf(s, 3, 2), *c = sample_leaf(s, 3, 2);
    struct lstm forward = op_lstm(t, x, wx, wh, bias, h, c, line, false);
    struct lstm back = op_lstm(t, x, wx, wh, bias, NULL, NULL, line, true);
    struct tensor *cells = op_concat(t, op_embed(t, forward.c, line->row, 7, 1, NULL, NULL, 0), back.c);
    return op_concat(t, op_concat(t, forward.y, back.y), cells);
}

/* ---- tanh ---- */

struct tensor *op_tanh(struct tape *t, struct tensor *x, float drop)
{
    struct tensor *y = tensor_new(t, x->rows, x->cols);
    kernel->tanh_forward(y->data, x->data, (size_t)x->rows * x->cols);
    tape_node(t, &ops[OP_TANH], y, x, NULL, NULL, NULL);
    return op_dropout(t, y, drop);
}

void tanh_backward(struct tape *t, struct node *n)
{
    (void)t;
    struct tensor *x = n->in[0], *y = n->out;
    size_t N = (size_t)x->rows * x->cols;
    kernel->tanh_backward(y->grad, y->grad, y->data, N);
    if (x->grad) {
        kernel->add(x->grad, y->grad, N);
    } else {
        x->grad = y->grad;
        y->grad = NULL;
    }
}

struct tensor *tanh_sample(struct tape *t, struct sample *s)
{
    struct tensor *x = sample_leaf(s, 3, 5);
    return op_residual(t, op_tanh(t, x, 0.3f), x, 0);
}
