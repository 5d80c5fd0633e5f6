/* The likeliest token of each row, screened in eight bits.
 *
 * With x' and w' for what rounding makes of x and w, lengths of vectors between bars,
 *
 *     |x·w - x'·w'|  ≤  |x| |w - w'| + |x - x'| |w'|  =:  E
 *
 * so a token whose screened logit is more than 2E below the largest screened one is not the likeliest.  int8
 * weights are their own screen, with E = 0. */
#include "seq2seq/best_output.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "seq2seq/architecture.h"
#include "seq2seq/model.h"
#include "seq2seq/stepper.h"
#include "tensor/kernels.h"

struct screen {
    pthread_mutex_t lock;
    bool ready;
    struct packed own;          /* of int8, unless the model's weights are */
    const struct packed *weight;
    float off, longest;         /* the largest |w - w'| and |w'| */
};

struct screen *screen_new(void)
{
    struct screen *s = xcalloc(1, sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void screen_free(struct screen *s)
{
    if (!s)
        return;
    pthread_mutex_destroy(&s->lock);
    packed_release(&s->own);
    free(s);
}

static const struct packed *output_weight(const struct model *m, const float **bias)
{
    int weight, ref;
    m->arch->output(m->refs, &weight, &ref);
    *bias = param_data(&m->params, ref);
    return param_packed(&m->params, weight);
}

static float length(const float *x, int K)
{
    return sqrtf(kernel->dot(x, x, K));
}

static void measure(struct screen *s, const float *w, int V, int D)
{
    float *row = xcalloc((size_t)D, sizeof *row);
    for (int v = 0; v < V; v++) {
        packed_row(row, &s->own, v);
        s->longest = fmaxf(s->longest, length(row, D));
        kernel->axpy(row, w + (size_t)v * (size_t)D, -1, (size_t)D);
        s->off = fmaxf(s->off, length(row, D));
    }
    free(row);
}

static void make(struct screen *s, const struct packed *weight)
{
    int V = weight->N, D = weight->K;
    s->weight = weight;
    if (weight->kind != PACKED_INT8) {
        float *w = xaligned((size_t)V * (size_t)D * sizeof *w);
        for (int v = 0; v < V; v++)
            packed_row(w + (size_t)v * (size_t)D, weight, v);
        packed_init(&s->own, PACKED_INT8, w, (size_t)D, 1, V, D);
        measure(s, w, V, D);
        free(w);
        s->weight = &s->own;
    }
    s->ready = true;
}

static const struct screen *screen_of(const struct model *m, const struct packed *weight)
{
    struct screen *s = m->screen;
    pthread_mutex_lock(&s->lock);
    if (!s->ready)
        make(s, weight);
    pthread_mutex_unlock(&s->lock);
    return s;
}

/* E of a row, and a little for what the floats themselves round. */
static float bound(const struct screen *s, const float *x, int D)
{
    float least = 0, most = 0;
    if (s->weight != &s->own)
        return 0;
    for (int k = 0; k < D; k++) {
        least = x[k] < least ? x[k] : least;
        most = x[k] > most ? x[k] : most;
    }
    float off = (most - least) / 254 / 2 * sqrtf((float)D);     /* half a step in every place */
    return (length(x, D) * s->off + off * s->longest) * 1.001f + 1e-5f * length(x, D) * s->longest;
}

struct found {
    float value;
    int32_t token;
};

/* The largest logits of a row's columns from `first` on, in the model's own numbers. */
static void look(struct found *f, const struct packed *weight, const float *bias, const float *x, int first)
{
    enum { WIDTH = 64 };
    float y[WIDTH];
    struct packed part = packed_part(weight, first, WIDTH);
    packed_product(y, WIDTH, x, (size_t)weight->K, 1, &part, (struct after){ .bias = bias + first }, NULL);
    for (int i = 0; i < part.N; i++)
        if (y[i] > f->value)
            *f = (struct found){ y[i], first + i };
}

static struct found best_of_row(const struct packed *weight, const float *bias, const float *x, const float *tops,
                                int count, float two_bounds)
{
    struct found f = { -INFINITY, -1 };
    float top = tops[kernel->argmax(tops, count)];
    if (!(top > -INFINITY))
        return f;
    for (int g = 0; g < count; g++)
        if (tops[g] >= top - two_bounds)
            look(&f, weight, bias, x, 64 * g);
    return f;
}

/* The bias with what is barred at -infinity; </s> has its own turn. */
static void bar(struct best_output *o, const float *bias, const struct barred *barred, int V, int32_t eos)
{
    if (!o->bias)
        o->bias = xcalloc((size_t)V + 1, sizeof *o->bias);
    memcpy(o->bias, bias, (size_t)V * sizeof *bias);
    for (int i = 0; i < barred->count; i++)
        o->bias[barred->ids[i]] = -INFINITY;
    o->bias[eos] = -INFINITY;
}

static float eos_logit(const struct packed *weight, const float *bias, const float *x, int32_t eos)
{
    float y[16];
    int first = eos / 16 * 16;
    struct packed part = packed_part(weight, first, 16);
    packed_product(y, 16, x, (size_t)weight->K, 1, &part, (struct after){ .bias = bias + first }, NULL);
    return y[eos - first];
}

void best_output(struct best_output *o, int32_t *best, const float *hidden, int rows, const struct barred *barred)
{
    const float *bias;
    const struct packed *weight = output_weight(o->m, &bias);
    const struct screen *s = screen_of(o->m, weight);
    int V = weight->N, D = weight->K, count = packed_tops(V);
    int32_t eos = model_eos(o->m);
    bar(o, bias, barred, V, eos);
    ARRAY_GROW(o->tops, o->tops_room, (size_t)rows * (size_t)count);
    packed_find_tops(o->tops, hidden, (size_t)D, rows, s->weight, o->bias);
    for (int r = 0; r < rows; r++) {
        const float *x = hidden + (size_t)r * (size_t)D;
        struct found f = best_of_row(weight, o->bias, x, o->tops + (size_t)r * (size_t)count, count,
                                     2 * bound(s, x, D));
        if (!barred->no_eos[r]) {
            float end = eos_logit(weight, bias, x, eos);
            if (end > f.value || (end == f.value && eos < f.token))
                f.token = eos;
        }
        best[r] = f.token;
    }
}

void best_output_release(struct best_output *o)
{
    free(o->tops);
    free(o->bias);
}
