#include "tensor/adam.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/thread.h"
#include "tensor/kernels.h"

#define RANGE 16384     /* floats that one task takes; fixed, so that sums have a fixed order */

void adam_init(struct adam *a, const struct param_set *set, const struct adam_config *c)
{
    a->m = block_new(set);
    a->v = block_new(set);
    a->ema = NULL;
    a->step = 0;
    a->factor = NULL;
    if (c->ema > 0) {
        a->ema = block_new(set);
        memcpy(a->ema, set->block, set->total * sizeof(float));
    }
}

void adam_release(struct adam *a)
{
    free(a->m);
    free(a->v);
    free(a->ema);
    free(a->factor);
    *a = (struct adam){ 0 };
}

static size_t range_length(size_t size, int i)
{
    size_t first = (size_t)i * RANGE;
    return size - first < RANGE ? size - first : RANGE;
}

struct reduction {
    float **grads;
    int workers;
    size_t size;
    double *squares;
};

static void reduce_range(void *arg, int i)
{
    struct reduction *r = arg;
    size_t first = (size_t)i * RANGE, length = range_length(r->size, i);
    for (int w = 1; w < r->workers; w++) {
        kernel->add(r->grads[0] + first, r->grads[w] + first, length);
        memset(r->grads[w] + first, 0, length * sizeof(float));
    }
    r->squares[i] = kernel->sum_squares(r->grads[0] + first, length);
}

double grads_reduce(float **grads, int workers, size_t size, float factor, struct pool *pool)
{
    int ranges = (int)((size + RANGE - 1) / RANGE);
    struct reduction r = { grads, workers, size, xmalloc((size_t)ranges * sizeof(double)) };
    double total = 0;
    pool_run(pool, ranges, reduce_range, &r);
    for (int i = 0; i < ranges; i++)
        total += r.squares[i];
    free(r.squares);
    return sqrt(total) * (double)factor;
}

struct update {
    struct adam *adam;
    const struct param_set *set;
    float *weights, *grads;
    size_t size;
    const struct adam_config *config;
    float factor, rate, correction1, correction2, ema_decay;
};

static void update_floats(const struct update *u, size_t first, size_t count, float rate)
{
    const struct adam_config *c = u->config;
    struct adam *a = u->adam;
    kernel->adam(u->weights + first, a->m + first, a->v + first, u->grads + first,
                 a->ema ? a->ema + first : NULL, count, u->factor, rate, c->beta1,
                 c->beta2, c->epsilon, c->weight_decay, u->correction1, u->correction2, u->ema_decay);
}

/* The last parameter that begins at or before this float. */
static size_t param_at(const struct param_set *set, size_t at)
{
    size_t low = 0, high = set->count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (set->items[middle].offset <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Parameters with factors of their own, one after another. */
static void update_by_parameter(const struct update *u, size_t first, size_t count)
{
    size_t end = first + count;
    for (size_t p = param_at(u->set, first); first < end; p++) {
        size_t next = p + 1 < u->set->count ? u->set->items[p + 1].offset : end;
        size_t stop = next < end ? next : end;
        update_floats(u, first, stop - first, u->rate * u->adam->factor[p]);
        first = stop;
    }
}

static void update_range(void *arg, int i)
{
    const struct update *u = arg;
    size_t first = (size_t)i * RANGE, count = range_length(u->size, i);
    if (u->adam->factor)
        update_by_parameter(u, first, count);
    else
        update_floats(u, first, count, u->rate);
}

void adam_update(struct adam *a, struct param_set *set, float *grads, double norm, float factor,
                 float rate, const struct adam_config *c, struct pool *pool)
{
    double step = (double)++a->step;
    /* the average forgets its first weights quickly: decay min(ema, (1+n)/(10+n)) */
    double early = (1 + step) / (10 + step);
    struct update u = {
        .adam = a, .set = set, .weights = set->block, .grads = grads, .size = set->total, .config = c,
        .factor = factor, .rate = rate,
        .correction1 = (float)(1 - pow((double)c->beta1, step)),
        .correction2 = (float)(1 - pow((double)c->beta2, step)),
        .ema_decay = (double)c->ema < early ? c->ema : (float)early,
    };
    if (c->clip_norm > 0 && norm > (double)c->clip_norm)
        u.factor *= (float)((double)c->clip_norm / norm);
    pool_run(pool, (int)((set->total + RANGE - 1) / RANGE), update_range, &u);
}

double adam_step(struct adam *a, struct param_set *set, float **grads, int workers, float factor, float rate,
                 const struct adam_config *c, struct pool *pool)
{
    double norm = grads_reduce(grads, workers, set->total, factor, pool);
    if (isfinite(norm))
        adam_update(a, set, grads[0], norm, factor, rate, c, pool);
    else
        memset(grads[0], 0, set->total * sizeof(float));
    return norm;
}
