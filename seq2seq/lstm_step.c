/* The LSTM one step at a time.
 *
 * A row's states stand in the same layout as in tensor/attentive_decoder.c: for each layer what
 * its recurrent product reads, (rows,2H), right half h, left half the attentional vector of the
 * step before (layer 0) or room for the output of the layer below.  Rows of one sentence share the
 * sentence's memory, its keys and values.  Reordering moves rows only where their place changes. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "seq2seq/lstm.h"
#include "seq2seq/best_output.h"
#include "seq2seq/step_output.h"
#include "seq2seq/watch.h"
#include "tensor/gemm.h"
#include "tensor/ops.h"

#define VEC 16
#define PADDED(n) (((n) + VEC - 1) / VEC * VEC)

struct memory {
    int rows;                   /* rows that use it */
    int S;
    float kv[];                 /* (S,2H) */
};

/* One layer's states of all rows, twice: c alternates, and both do while reordering. */
struct layer_state {
    float *in, *in_next;        /* (room,2H) */
    float *c, *c_next;          /* (room,H) */
};

struct state {
    const struct model *m;
    const struct lstm_refs *r;
    struct tape tape;
    int H, layers;
    int rows, room;
    struct memory **memory, **memory_next;
    struct layer_state *layer;
    struct step_output output;
    struct best_output best;
    struct watch watch;
};

static float *at(float *x, int row, int cols)
{
    return x + (size_t)row * cols;
}

static void copy_rows(float *dst, int ldd, const float *src, int lds, int rows, int cols)
{
    for (int r = 0; r < rows; r++)
        memcpy(dst + (size_t)r * ldd, src + (size_t)r * lds, (size_t)cols * sizeof(float));
}

static float *weight(const struct state *s, int ref)
{
    return param_data(&s->m->params, ref);
}

static void swap(float **a, float **b)
{
    float *kept = *a;
    *a = *b;
    *b = kept;
}

/* ---- admit ---- */

static void rows_reserve(struct state *s, int rows)
{
    if (rows <= s->room)
        return;
    s->room = rows > 2 * s->room ? rows : 2 * s->room;
    size_t size = (size_t)s->room * (size_t)s->H * sizeof(float);
    s->memory = xrealloc(s->memory, (size_t)s->room * sizeof(struct memory *));
    s->memory_next = xrealloc(s->memory_next, (size_t)s->room * sizeof(struct memory *));
    for (int l = 0; l < s->layers; l++) {
        struct layer_state *x = &s->layer[l];
        x->in = xrealloc(x->in, 2 * size);
        x->in_next = xrealloc(x->in_next, 2 * size);
        x->c = xrealloc(x->c, size);
        x->c_next = xrealloc(x->c_next, size);
    }
}

/* Sentence b's keys and values. */
static struct memory *memory_new(const struct state *s, const struct lstm_encoded *e, int b)
{
    int first = e->line->starts[b], S = e->line->starts[b + 1] - first;
    size_t width = 2 * (size_t)s->H;
    struct memory *m = xmalloc(sizeof *m + (size_t)S * width * sizeof(float));
    m->rows = 1;
    m->S = S;
    for (int i = 0; i < S; i++)
        memcpy(m->kv + (size_t)i * width, e->kv->data + (size_t)e->line->place[first + i] * width,
               width * sizeof(float));
    return m;
}

static void memory_drop(struct memory *m)
{
    if (!--m->rows)
        free(m);
}

static void admit(void *state, const int32_t *source, const int32_t *start, int B, int max_steps)
{
    struct state *s = state;
    int H = s->H;
    struct lstm_encoded e = lstm_encode(s->m, &s->tape, source, start, B);
    (void)max_steps;            /* states do not grow */
    rows_reserve(s, s->rows + B);
    for (int l = 0; l < s->layers; l++) {
        float *in = at(s->layer[l].in, s->rows, 2 * H);
        memset(in, 0, (size_t)B * 2 * (size_t)H * sizeof(float));
        copy_rows(in + H, 2 * H, e.h[l]->data, H, B, H);
        copy_rows(at(s->layer[l].c, s->rows, H), H, e.c[l]->data, H, B, H);
    }
    for (int b = 0; b < B; b++)
        s->memory[s->rows++] = memory_new(s, &e, b);
    tape_reset(&s->tape);
}

/* ---- step ---- */

/* y = or += x wᵀ, rows of x at ldx */
static void product(struct state *s, float *y, const float *x, int ldx, int ref, bool add)
{
    const struct param *w = &s->m->params.items[ref];
    const struct packed *packed = param_packed(&s->m->params, ref);
    if (packed)
        packed_product(y, (size_t)w->rows, x, (size_t)ldx, s->rows, packed, (struct after){ .accumulate = add }, NULL);
    else
        gemm_nt_ld(y, w->rows, x, ldx, weight(s, ref), w->cols, s->rows, w->rows, w->cols, add ? 1 : 0);
}

/* x (rows,H) is the layer's input where it is not part of `in`. */
static void step_cell(struct state *s, int l, const float *x, float *gates)
{
    const struct cell_refs *cell = &s->r->decoder[l];
    struct layer_state *state = &s->layer[l];
    int H = s->H, rows = s->rows;
    int K = s->m->params.items[cell->recurrent].cols;
    if (cell->input >= 0)
        product(s, gates, x, H, cell->input, false);
    product(s, gates, state->in + 2 * H - K, 2 * H, cell->recurrent, cell->input >= 0);
    kernel->add_bias(gates, weight(s, cell->bias), rows, 4 * H);
    kernel->lstm_forward(state->in + H, 2 * H, state->c_next, gates, state->c, rows, H);
    swap(&state->c, &state->c_next);
}

/* The output of layer l to where the layer above reads it. */
static void pass_up(struct state *s, int l, float *x)
{
    int H = s->H;
    const float *h = s->layer[l].in + H;
    if (s->r->decoder[l + 1].input >= 0)
        copy_rows(x, H, h, 2 * H, s->rows, H);
    else
        copy_rows(s->layer[l + 1].in, 2 * H, h, 2 * H, s->rows, H);
}

static int longest_memory(const struct state *s)
{
    int S = 0;
    for (int r = 0; r < s->rows; r++)
        S = s->memory[r]->S > S ? s->memory[r]->S : S;
    return S;
}

/* The attentional vectors (rows,H). */
static float *step_attend(struct state *s)
{
    int H = s->H, rows = s->rows;
    struct tensor *raw = tensor_new(&s->tape, rows, H), *y = tensor_new(&s->tape, rows, H);
    float *p = tensor_new(&s->tape, 1, PADDED(longest_memory(s)))->data;
    float *q = s->layer[s->layers - 1].in + H;
    product(s, raw->data, q, 2 * H, s->r->attend, false);
    if (s->watch.on)
        watch_begin(&s->watch, rows, longest_memory(s));
    for (int r = 0; r < rows; r++) {
        const struct memory *m = s->memory[r];
        kernel->attend_forward(at(raw->data, r, H), p, at(q, r, 2 * H), m->kv, m->kv + H, 2 * H,
                               m->S, PADDED(m->S), H);
        if (s->watch.on)
            watch_add(&s->watch, r, p, m->S, 1);
    }
    kernel->add_bias(raw->data, weight(s, s->r->attend_bias), rows, H);
    kernel->tanh_forward(y->data, raw->data, (size_t)rows * (size_t)H);
    return y->data;
}

/* The attentional vectors (rows,H) before the output layer. */
static const float *step_hidden(struct state *s, const int32_t *token, int rows)
{
    int H = s->H;
    assert(rows == s->rows);
    float *x = lstm_embed(s->m, &s->tape, s->r->target_embed, token, rows)->data;
    float *gates = tensor_new(&s->tape, rows, 4 * H)->data;
    for (int l = 0; l < s->layers; l++) {
        step_cell(s, l, x, gates);
        if (l + 1 < s->layers)
            pass_up(s, l, x);
    }
    float *y = step_attend(s);
    copy_rows(s->layer[0].in, 2 * H, y, H, rows, H);
    return y;
}

static void step(void *state, const int32_t *token, int rows, float *logit, float *lse)
{
    struct state *s = state;
    step_output(&s->output, logit, lse, step_hidden(s, token, rows), rows);
    tape_reset(&s->tape);
}

static void best(void *state, const int32_t *token, int rows, const struct barred *barred, int32_t *out)
{
    struct state *s = state;
    best_output(&s->best, out, step_hidden(s, token, rows), rows, barred);
    tape_reset(&s->tape);
}

/* ---- reorder ---- */

static void move_states(struct state *s, const int *parent, int rows)
{
    int H = s->H;
    for (int l = 0; l < s->layers; l++) {
        struct layer_state *x = &s->layer[l];
        for (int r = 0; r < rows; r++) {
            memcpy(at(x->in_next, r, 2 * H), at(x->in, parent[r], 2 * H), 2 * (size_t)H * sizeof(float));
            memcpy(at(x->c_next, r, H), at(x->c, parent[r], H), (size_t)H * sizeof(float));
        }
        swap(&x->in, &x->in_next);
        swap(&x->c, &x->c_next);
    }
}

static bool all_stay(const int *parent, int rows)
{
    for (int r = 0; r < rows; r++)
        if (parent[r] != r)
            return false;
    return true;
}

static void reorder(void *state, const int *parent, int rows)
{
    struct state *s = state;
    int before = s->rows;
    rows_reserve(s, rows);
    for (int r = 0; r < rows; r++) {
        assert(parent[r] >= 0 && parent[r] < before);
        s->memory_next[r] = s->memory[parent[r]];
        s->memory_next[r]->rows++;
    }
    for (int r = 0; r < before; r++)
        memory_drop(s->memory[r]);
    struct memory **kept = s->memory;
    s->memory = s->memory_next;
    s->memory_next = kept;
    if (!all_stay(parent, rows))
        move_states(s, parent, rows);
    s->rows = rows;
}

static void clear(void *state)
{
    reorder(state, NULL, 0);
}

static void limit(void *state, const struct candidates *c)
{
    struct state *s = state;
    step_output_limit(&s->output, c);
}

static void watch(void *state, bool on)
{
    struct state *s = state;
    s->watch.on = on;
}

static const float *attention(void *state, int row, int count)
{
    const struct state *s = state;
    (void)count;
    assert(count <= s->watch.width);
    return watch_row(&s->watch, row);
}

static void state_free(void *state)
{
    struct state *s = state;
    clear(s);
    step_output_release(&s->output);
    best_output_release(&s->best);
    free(s->watch.weight);
    for (int l = 0; l < s->layers; l++) {
        free(s->layer[l].in);
        free(s->layer[l].in_next);
        free(s->layer[l].c);
        free(s->layer[l].c_next);
    }
    free(s->layer);
    free(s->memory);
    free(s->memory_next);
    tape_release(&s->tape);
    free(s);
}

/* The encoder keeps gates, states and outputs of every token for a while. */
static int64_t bytes(void *state, int source, int rows, int steps)
{
    const struct state *s = state;
    int64_t H = s->H;
    (void)steps;                /* states do not grow */
    int64_t floats = (2 * H + 16 * H * (s->layers + 1)) * (int64_t)source
                     + rows * (s->m->config.target_vocab + (6 * s->layers + 16) * H);
    return floats * (int64_t)sizeof(float);
}

int lstm_stepper(struct stepper *out, const struct model *m)
{
    struct state *s = xcalloc(1, sizeof *s);
    s->m = m;
    s->r = m->refs;
    s->tape.params = &m->params;
    s->output.m = s->best.m = m;
    s->H = m->config.dim;
    s->layers = m->config.decoder_layers;
    s->layer = xcalloc((size_t)s->layers, sizeof *s->layer);
    *out = (struct stepper){
        .special = m->special, .special_count = m->special_count,
        .vocab = m->config.target_vocab, .bos = model_bos(m), .eos = model_eos(m), .state = s,
        .admit = admit, .step = step, .reorder = reorder, .clear = clear, .free = state_free,
        .limit = limit, .watch = watch, .attention = attention, .best = m->screen ? best : NULL,
        .rows = model_rows(m), .bytes = bytes, .shared_bytes = model_bytes(m),
    };
    return 0;
}
