#include "seq2seq/workers.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/thread.h"
#include "seq2seq/exchange.h"
#include "seq2seq/output.h"
#include "seq2seq/architecture.h"
#include "tensor/product.h"
#include "tensor/tape.h"

struct worker {
    struct tape tape;
    struct output output;
    struct batch share, *micro;
    int micro_room;
    void *objective;            /* its state for this worker */
    struct loss_sums sums;
    struct error err;
    int failed;
    bool stopped;
    struct workers *all;
};

struct workers {
    const struct model *m;
    const struct objective *objective;
    struct pool *pool;
    int count, micro_tokens;
    uint64_t seed;
    struct worker *items;
    struct batch *shares;
    float **grads;
    struct packs *packs;
    bool may_stop;
    int first;                  /* the number of our first worker in the team */
    struct exchange *exchange;  /* NULL: this is not the last batch of the update, or there is no team */
    /* the batch being worked on */
    struct moment when;
    int part;
};

struct workers *workers_new(const struct model *m, const struct objective *objective,
                            struct pool *pool, int64_t seed, int micro_tokens, int precision)
{
    struct workers *w = xcalloc(1, sizeof *w);
    w->m = m;
    w->objective = objective;
    w->pool = pool;
    w->count = pool_threads(pool);
    w->seed = (uint64_t)seed;
    w->micro_tokens = micro_tokens;
    w->items = xcalloc((size_t)w->count, sizeof *w->items);
    w->shares = xcalloc((size_t)w->count, sizeof *w->shares);
    w->grads = xcalloc((size_t)w->count, sizeof *w->grads);
    int output, bias;
    m->arch->output(m->refs, &output, &bias);
    w->packs = packs_new(&m->params, m->config.decoder_layers ? output : -1, (enum precision)precision);
    for (int i = 0; i < w->count; i++) {
        w->grads[i] = block_new(&m->params);
        w->items[i].tape = (struct tape){ .params = &m->params, .packs = w->packs, .grads = w->grads[i],
                                          .train = true };
        w->items[i].all = w;
        w->items[i].objective = objective->worker_new(objective->shared, i);
    }
    return w;
}

void workers_free(struct workers *w)
{
    if (!w)
        return;
    for (int i = 0; i < w->count; i++) {
        struct worker *x = &w->items[i];
        for (int j = 0; j < x->micro_room; j++)
            batch_release(&x->micro[j]);
        free(x->micro);
        tape_release(&x->tape);
        output_release(&x->output);
        w->objective->worker_free(x->objective);
        batch_release(&w->shares[i]);
        free(w->grads[i]);
    }
    packs_free(w->packs);
    free(w->items);
    free(w->shares);
    free(w->grads);
    free(w);
}

float **workers_grads(struct workers *w)
{
    return w->grads;
}

static void micro_reserve(struct worker *x, int count)
{
    if (count <= x->micro_room)
        return;
    x->micro = xrealloc(x->micro, (size_t)count * sizeof *x->micro);
    memset(x->micro + x->micro_room, 0, (size_t)(count - x->micro_room) * sizeof *x->micro);
    x->micro_room = count;
}

/* `worker`: in the whole team. */
static uint64_t piece_seed(const struct workers *w, int worker, int piece)
{
    uint64_t h = rng_stream(w->seed, "dropout");
    h = rng_mix(h ^ (uint64_t)w->when.update);
    return rng_mix(h ^ ((uint64_t)w->part << 40 | (uint64_t)worker << 20 | (uint64_t)piece));
}

static void on_ready(void *arg, int ref)
{
    struct worker *x = arg;
    exchange_ready(x->all->exchange, (int)(x - x->all->items), ref);
}

/* The output layer is not on the tape, unless it is the embeddings as well. */
static void output_ready(struct workers *w, struct worker *x, const struct batch *b)
{
    const struct output_layer layer = model_output(w->m, b->task);
    if (!tape_uses(&x->tape, layer.weight))
        on_ready(x, layer.weight);
    if (!tape_uses(&x->tape, layer.bias))
        on_ready(x, layer.bias);
}

/* After a signal, where the update may be left in its middle. */
static bool stop(void *arg)
{
    struct worker *x = arg;
    x->stopped = x->stopped || (x->all->may_stop && interrupt_requested());
    return x->stopped;
}

/* Forward, loss and backward of one piece, of a large model some seconds each. */
static int piece_run(struct workers *w, struct worker *x, const struct batch *b, uint64_t seed)
{
    const struct objective *o = w->objective;
    struct moment when = w->when;
    when.seed = seed;
    if (o->begin && o->begin(x->objective, b, &when, &x->err) < 0)
        return -1;
    x->tape.seed = (uint32_t)seed;
    x->tape.drops = 0;
    struct tensor *hidden = model_hidden(w->m, &x->tape, b);
    if (!stop(x)) {
        output_loss(&x->output, w->m, &x->tape, hidden, b, o, x->objective, &x->sums);
        if (x->tape.ready)
            output_ready(w, x, b);
        tape_backward(&x->tape);
    }
    tape_reset(&x->tape);
    return 0;
}

static int pieces_of(const struct workers *w, const struct batch *share)
{
    int tokens = share->target_tokens > share->source_tokens ? share->target_tokens : share->source_tokens;
    int pieces = w->micro_tokens > 0 ? (tokens + w->micro_tokens - 1) / w->micro_tokens : 1;
    return pieces < share->B ? pieces : share->B;
}

static void worker_run(void *arg, int i)
{
    struct workers *w = arg;
    struct worker *x = &w->items[i];
    int pieces = pieces_of(w, &w->shares[i]);
    micro_reserve(x, pieces);
    if (pieces > 1)
        batch_split(&w->shares[i], x->micro, pieces);
    for (int p = 0; p < pieces && !x->failed && !stop(x); p++) {
        const struct batch *b = pieces > 1 ? &x->micro[p] : &w->shares[i];
        x->tape.ready = w->exchange && p == pieces - 1 ? on_ready : NULL;
        x->tape.stop = stop;
        x->tape.arg = x;
        if (b->B)
            x->failed = piece_run(w, x, b, piece_seed(w, w->first + i, p)) < 0;
    }
    if (w->exchange)
        exchange_worker_done(w->exchange, i);
}

int workers_run(struct workers *w, const struct batch *b, const struct moment *when, int part,
                struct loss_sums *sums, struct error *err)
{
    bool stopped = false;
    w->when = *when;
    w->part = part;
    if (!part)                          /* the weights have changed */
        packs_update(w->packs, w->pool);
    batch_split(b, w->shares, w->count);
    for (int i = 0; i < w->count; i++) {
        w->items[i].sums = (struct loss_sums){ 0 };
        w->items[i].failed = 0;
        w->items[i].stopped = false;
    }
    pool_run(w->pool, w->count, worker_run, w);
    for (int i = 0; i < w->count; i++) {
        const struct loss_sums *s = &w->items[i].sums;
        if (w->items[i].failed) {
            *err = w->items[i].err;
            return -1;
        }
        stopped = stopped || w->items[i].stopped;
        loss_sums_add(sums, s);
    }
    return stopped;
}

void workers_place(struct workers *w, int first)
{
    w->first = first;
}

void workers_overlap(struct workers *w, struct exchange *exchange)
{
    w->exchange = exchange;
}

void workers_may_stop(struct workers *w, bool may)
{
    w->may_stop = may;
}

json_t *workers_save(struct workers *w)
{
    json_t *all = json_array();
    for (int i = 0; w->objective->save && i < w->count; i++)
        json_array_append_new(all, w->objective->save(w->items[i].objective));
    return all;
}

/* With another number of threads, a worker that is new begins with nothing. */
int workers_restore(struct workers *w, const json_t *state, struct error *err)
{
    for (int i = 0; w->objective->restore && i < w->count && (size_t)i < json_array_size(state); i++)
        if (w->objective->restore(w->items[i].objective, json_array_get(state, (size_t)i), err) < 0)
            return -1;
    return 0;
}
