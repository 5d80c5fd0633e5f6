#include "seq2seq/exchange.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/team.h"
#include "base/thread.h"
#include "tensor/kernels.h"
#include "tensor/params.h"

#define BUCKET ((size_t)1 << 20)        /* floats; a larger parameter has one of its own */

struct bucket {
    size_t first, length;       /* in floats, from the start of a block */
    int params;
    atomic_int missing;         /* parameters × workers that may still be added to */
    atomic_bool complete;       /* added up over the workers */
    struct team_sum *sum;
};

struct exchange {
    struct team *team;
    const struct param_set *set;
    struct pool *pool;
    float **grads;
    int workers, count;
    struct bucket *buckets;
    int *bucket_of;             /* of each parameter */
    unsigned char *told;        /* (workers, parameters): ready */
    uint16_t *rounded;          /* the block as bfloat16, or NULL */
    int32_t *order;             /* in which buckets start */
    bool ordered;               /* that is known */
    atomic_int completed;       /* in the first update: how many are */
    pthread_mutex_t lock;       /* of what follows, and of MPI */
    int started, finished;      /* of the buckets in their order */
};

/* ---- buckets ---- */

static void buckets_cut(struct exchange *x)
{
    const struct param_set *set = x->set;
    size_t room = 0;
    for (size_t p = 0; p < set->count; p++) {
        size_t first = set->items[p].offset;
        size_t end = p + 1 < set->count ? set->items[p + 1].offset : set->total;
        struct bucket *last = x->count ? &x->buckets[x->count - 1] : NULL;
        if (!last || last->length + (end - first) > BUCKET) {
            ARRAY_GROW(x->buckets, room, (size_t)x->count + 1);
            last = &x->buckets[x->count++];
            memset(last, 0, sizeof *last);
            last->first = first;
        }
        last->length += end - first;
        last->params++;
        x->bucket_of[p] = x->count - 1;
    }
}

struct exchange *exchange_new(struct team *team, const struct param_set *set, float **grads, int workers,
                              bool bf16, struct pool *pool)
{
    struct exchange *x = xcalloc(1, sizeof *x);
    x->team = team;
    x->set = set;
    x->grads = grads;
    x->workers = workers;
    x->pool = pool;
    x->bucket_of = xcalloc(set->count, sizeof *x->bucket_of);
    x->told = xcalloc((size_t)workers, set->count);
    buckets_cut(x);
    x->order = xcalloc((size_t)x->count, sizeof *x->order);
    if (bf16)
        x->rounded = xaligned(set->total * sizeof *x->rounded);
    pthread_mutex_init(&x->lock, NULL);
    team_set_bf16_add(kernel->add_bf16);
    return x;
}

void exchange_free(struct exchange *x)
{
    if (!x)
        return;
    pthread_mutex_destroy(&x->lock);
    free(x->rounded);
    free(x->order);
    free(x->told);
    free(x->bucket_of);
    free(x->buckets);
    free(x);
}

/* ---- over the workers of this rank ---- */

static void add_workers(struct exchange *x, const struct bucket *b)
{
    for (int w = 1; w < x->workers; w++) {
        kernel->add(x->grads[0] + b->first, x->grads[w] + b->first, b->length);
        memset(x->grads[w] + b->first, 0, b->length * sizeof(float));
    }
}

static void bucket_complete(struct exchange *x, int number)
{
    struct bucket *b = &x->buckets[number];
    add_workers(x, b);
    if (!x->ordered)
        x->order[atomic_fetch_add(&x->completed, 1)] = number;
    atomic_store(&b->complete, true);
}

/* ---- over the ranks; the lock is held ---- */

static void start_next(struct exchange *x)
{
    struct bucket *b = &x->buckets[x->order[x->started++]];
    float *values = x->grads[0] + b->first;
    if (x->rounded) {
        kernel->to_bf16(x->rounded + b->first, values, b->length);
        b->sum = team_sum_start(x->team, x->rounded + b->first, b->length, true);
    } else {
        b->sum = team_sum_start(x->team, values, b->length, false);
    }
}

static void finish_next(struct exchange *x)
{
    struct bucket *b = &x->buckets[x->order[x->finished++]];
    b->sum = NULL;
    if (x->rounded)
        kernel->from_bf16(x->grads[0] + b->first, x->rounded + b->first, b->length);
}

/* Starts what can be, and lets MPI go on with the rest. */
static void go_on(struct exchange *x)
{
    while (x->started < x->count && atomic_load(&x->buckets[x->order[x->started]].complete))
        start_next(x);
    while (x->finished < x->started && team_sum_test(x->buckets[x->order[x->finished]].sum))
        finish_next(x);
}

static void go_on_if_free(struct exchange *x)
{
    if (!x->ordered || pthread_mutex_trylock(&x->lock))
        return;
    go_on(x);
    pthread_mutex_unlock(&x->lock);
}

/* ---- the steps of an update ---- */

void exchange_begin(struct exchange *x)
{
    for (int i = 0; i < x->count; i++) {
        atomic_store(&x->buckets[i].missing, x->buckets[i].params * x->workers);
        atomic_store(&x->buckets[i].complete, false);
    }
    memset(x->told, 0, (size_t)x->workers * x->set->count);
    atomic_store(&x->completed, 0);
    x->started = x->finished = 0;
}

void exchange_ready(struct exchange *x, int worker, int ref)
{
    unsigned char *told = &x->told[(size_t)worker * x->set->count + (size_t)ref];
    int number = x->bucket_of[ref];
    if (*told)
        return;
    *told = 1;
    if (atomic_fetch_sub(&x->buckets[number].missing, 1) == 1)
        bucket_complete(x, number);
    go_on_if_free(x);
}

void exchange_worker_done(struct exchange *x, int worker)
{
    for (size_t p = 0; p < x->set->count; p++)
        exchange_ready(x, worker, (int)p);
}

static void complete_rest(void *arg, int number)
{
    struct exchange *x = arg;
    if (!atomic_load(&x->buckets[number].complete))
        bucket_complete(x, number);
}

void exchange_finish(struct exchange *x)
{
    pool_run(x->pool, x->count, complete_rest, x);
    if (!x->ordered)
        team_broadcast(x->team, 0, x->order, (size_t)x->count * sizeof *x->order);
    x->ordered = true;
    while (x->started < x->count)
        start_next(x);
    while (x->finished < x->count) {
        team_sum_wait(x->buckets[x->order[x->finished]].sum);
        finish_next(x);
    }
}
