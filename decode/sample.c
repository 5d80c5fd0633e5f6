/* Drawing tokens: one uniform number against the running sum of probabilities. */
#include "decode/sample.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "decode/select.h"
#include "tensor/kernels.h"

void sampler_release(struct sampler *s)
{
    free(s->p);
    free(s->best);
    free(s->choices);
    *s = (struct sampler){ 0 };
}

void sample_stream(struct rng *rng, uint64_t seed, int64_t line, int number)
{
    rng_seed(rng, seed, (uint64_t)line * SAMPLES_MOST + (uint64_t)number);
}

/* The token at which the running sum passes u.  (The kernel's e^-infinity is tiny, not 0.) */
static int32_t draw_of_all(const float *p, const float *logp, int V, double u)
{
    double sum = 0;
    int32_t last = -1;
    for (int v = 0; v < V; v++) {
        if (!(logp[v] > -INFINITY))
            continue;
        sum += p[v];
        last = v;
        if (sum > u)
            break;
    }
    return last;
}

static size_t list_top(struct sampler *s, const float *logp, int V, int k)
{
    const double nothing = 0;
    if (k > V)
        k = V;
    ARRAY_GROW(s->best, s->best_room, k);
    ARRAY_GROW(s->choices, s->choices_room, k);
    size_t count = (size_t)select_top(s->best, k, logp, V, &nothing, 1, V);
    for (size_t i = 0; i < count; i++)
        s->choices[i] = (struct sample_choice){ s->p[s->best[i].token], s->best[i].token };
    return count;
}

static int likelier(const void *a, const void *b)
{
    const struct sample_choice *x = a, *y = b;
    if (x->p != y->p)
        return x->p > y->p ? -1 : 1;
    return x->token < y->token ? -1 : 1;
}

/* What may be in the nucleus, likeliest first.  The tokens of no more than (1 - top_p) / V hold
 * together no more than the nucleus leaves out, so it never needs one of them. */
static size_t list_nucleus(struct sampler *s, const float *logp, int V, float top_p)
{
    float threshold = (1 - top_p) / (float)V * 0.999f;
    size_t count = 0;
    for (int v = 0; (v = select_above(s->p, v, V, threshold)) < V; v++) {
        ARRAY_GROW(s->choices, s->choices_room, count + 1);
        if (logp[v] > -INFINITY)
            s->choices[count++] = (struct sample_choice){ s->p[v], v };
    }
    if (count)
        qsort(s->choices, count, sizeof *s->choices, likelier);
    return count;
}

static double sum_of(const struct sample_choice *choices, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += choices[i].p;
    return sum;
}

/* How many choices, from the first, hold `wanted`. */
static size_t cut_nucleus(const struct sample_choice *choices, size_t count, double wanted)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += choices[i].p;
        if (sum >= wanted)
            return i + 1;
    }
    return count;
}

static int32_t draw_of_best(struct sampler *s, const float *logp, int V, const struct sampling *how,
                            double u)
{
    size_t count = how->top_k ? list_top(s, logp, V, how->top_k)
                              : list_nucleus(s, logp, V, how->top_p);
    double whole = how->top_k ? sum_of(s->choices, count) : 1;
    if (how->top_p < 1)
        count = cut_nucleus(s->choices, count, how->top_p * whole);
    double at = u * sum_of(s->choices, count), sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += s->choices[i].p;
        if (sum > at)
            return s->choices[i].token;
    }
    return count ? s->choices[count - 1].token : -1;
}

/* Temperatures below this are none: the scores would overflow. */
static const float coldest = 1e-4f;

int32_t sample_token(struct sampler *s, const float *logp, int V, const struct sampling *how,
                     struct rng *rng)
{
    double u = rng_unit(rng);
    int32_t best = select_best(logp, V);
    if (best < 0 || how->top_k == 1 || how->top_p <= 0 || how->temperature < coldest)
        return best;
    ARRAY_GROW(s->p, s->p_room, V);
    kernel->softmax(s->p, logp, 1 / how->temperature, V);
    int32_t token = how->top_k || how->top_p < 1 ? draw_of_best(s, logp, V, how, u)
                                                 : draw_of_all(s->p, logp, V, u);
    return token < 0 ? best : token;
}
