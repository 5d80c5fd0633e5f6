/* The plain objective: cross-entropy with label smoothing (Szegedy et al. 2016). */
#include <stdlib.h>

#include "base/memory.h"
#include "corpora/batch.h"
#include "seq2seq/mixture.h"
#include "seq2seq/train.h"

struct shared {
    float smoothing;
};

struct worker {
    const struct shared *shared;
    float smoothing;            /* of the batch at work */
    float *room;
    int V;
};

static void *worker_new(void *shared, int number)
{
    (void)number;
    struct worker *w = xcalloc(1, sizeof *w);
    w->shared = shared;
    return w;
}

static void worker_free(void *worker)
{
    struct worker *w = worker;
    free(w->room);
    free(w);
}

/* What a model drew is learnt, or unlearnt, by its own probability alone. */
static int begin(void *worker, const struct batch *b, const struct moment *when, struct error *err)
{
    struct worker *w = worker;
    (void)when;
    (void)err;
    w->smoothing = b->sampled ? 0 : w->shared->smoothing;
    return 0;
}

static void chunk(void *worker, int first, int rows, int V, const int32_t *target,
                  const float *weight, float scale, float *logits, struct loss_sums *sums)
{
    struct worker *w = worker;
    struct mixture mix = { .gold = 1 - w->smoothing, .floor = w->smoothing, .temperature = 1 };
    (void)first;
    if (w->V < V) {
        w->room = xrealloc(w->room, (size_t)V * sizeof(float));
        w->V = V;
    }
    mixture_chunk(mix, NULL, rows, V, target, weight, scale, logits, sums, w->room);
}

struct objective objective_cross_entropy(float label_smoothing)
{
    struct shared *shared = xmalloc(sizeof *shared);
    shared->smoothing = label_smoothing;
    return (struct objective){
        .name = "cross-entropy", .shared = shared, .worker_new = worker_new,
        .worker_free = worker_free, .begin = begin, .chunk = chunk, .free = free,
    };
}
