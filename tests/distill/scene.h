#ifndef TESTS_DISTILL_SCENE_H
#define TESTS_DISTILL_SCENE_H

/* Two untrained teachers, a batch of four short sentences and logits that a student may have given for it: what the
 * tests of objectives look at.  An objective is made by its name and its options' texts, and asked for the gradient
 * of those logits, without any model in between. */
#include "tests/seq2seq/small_model.h"

#include "base/error.h"
#include "base/rng.h"
#include "corpora/batch.h"
#include "distill/kd.h"
#include "distill/objectives.h"

static struct error err;

static inline struct model *model_of_arch(const char *arch, const char *vocabulary, int dim, float dropout, int64_t seed)
{
    struct model_config c = small_config(arch, dim);
    c.dropout = dropout;
    return small_model(&c, vocabulary, seed);
}

static inline struct model *model_of(const char *vocabulary, int dim, float dropout, int64_t seed)
{
    return model_of_arch("transformer", vocabulary, dim, dropout, seed);
}

static const int32_t sources[4][5] = { { 5, 9 }, { 31, 6, 40 }, { 12, 12, 8, 5 }, { 5, 9, 12, 7, 30 } };
static const int32_t targets[4][4] = { { 6 }, { 18, 33 }, { 50, 6, 15 }, { 6, 8, 15, 21 } };

static inline void batch_fill(struct batch *b, const struct model *m)
{
    batch_reset(b);
    for (int i = 1; i <= 4; i++)
        batch_add(b, sources[i - 1], i + 1, targets[i - 1], i, model_bos(m), model_eos(m), i - 1, 1);
}

/* The gradient of the logits of the whole batch by an objective, the logits being given; returns
 * the loss. */
static inline double gradient_at(const struct objective *o, const struct batch *b, const float *logits, float *out, int V,
                          struct moment when)
{
    struct loss_sums sums = { 0 };
    void *worker = o->worker_new(o->shared, 0);
    float *weight = malloc(sizeof(float) * (size_t)b->target_tokens);
    for (int i = 0; i < b->target_tokens; i++)
        weight[i] = 1;
    memcpy(out, logits, sizeof(float) * (size_t)b->target_tokens * (size_t)V);
    if (o->begin)
        assert_int_equal(o->begin(worker, b, &when, &err), 0);
    if (o->preview)
        o->preview(worker, 0, b->target_tokens, V, b->output, logits);
    /* in two chunks, as the output layer would */
    int first = b->target_tokens < 5 ? b->target_tokens : 5;
    o->chunk(worker, 0, first, V, b->output, weight, 1, out, &sums);
    if (b->target_tokens > first)
        o->chunk(worker, first, b->target_tokens - first, V, b->output + first, weight, 1, out + (size_t)first * (size_t)V, &sums);
    assert_int_equal(sums.gold_tokens, b->target_tokens);
    o->worker_free(worker);
    free(weight);
    return sums.loss;
}

static inline double gradient(const struct objective *o, const struct batch *b, const float *logits, float *out, int V)
{
    return gradient_at(o, b, logits, out, V, (struct moment){ 0 });
}

struct scene {
    struct model *teacher, *second;
    struct batch batch;
    int V;
    size_t size;
    float *logits, *a, *b;
};

static inline void scene_open(struct scene *s)
{
    struct rng rng;
    *s = (struct scene){ .teacher = model_of("bpe", 24, 0.4f, 1), .second = model_of("bpe", 16, 0.1f, 2) };
    batch_fill(&s->batch, s->teacher);
    s->V = s->teacher->config.target_vocab;
    s->size = (size_t)s->batch.target_tokens * (size_t)s->V;
    s->logits = malloc(s->size * sizeof(float));
    s->a = malloc(s->size * sizeof(float));
    s->b = malloc(s->size * sizeof(float));
    rng_seed(&rng, 8, 0);
    for (size_t i = 0; i < s->size; i++)
        s->logits[i] = (float)rng_normal(&rng);
}

static inline void scene_close(struct scene *s)
{
    free(s->logits);
    free(s->a);
    free(s->b);
    batch_release(&s->batch);
    model_free(s->second);
    model_free(s->teacher);
}

/* An objective by its name, its options as "name=value" texts, NULL at the end. */
static inline struct objective make(const struct model *student, const struct model *const *teachers, int count,
                             const struct soft_targets *soft, const char *name, const char *const *set)
{
    const struct objective_kind *kind = objective_find(name, &err);
    struct kd_config config = { 0 };
    struct objective o;
    assert_non_null(kind);
    const struct option_group groups[] = { { NULL, kind->options, &config }, { NULL } };
    options_default(groups);
    for (; set && *set; set++) {
        char option[64];
        size_t length = strcspn(*set, "=");
        snprintf(option, sizeof option, "%.*s", (int)length, *set);
        if (options_set(groups, option, *set + length + 1, &err) < 0)
            fail_msg("%s", err.text);
    }
    struct objective_needs needs = { student, teachers, count, NULL, AVERAGE_PROBABILITY, soft };
    if (objective_make(&o, kind, &needs, &config, &err) < 0)
        fail_msg("%s", err.text);
    options_release(groups);
    return o;
}

#define WITH(...) (const char *const[]){ __VA_ARGS__, NULL }
static inline struct objective taught(const struct scene *s, const char *name, const char *const *set)
{
    const struct model *teachers[] = { s->teacher };
    return make(s->teacher, teachers, 1, NULL, name, set);
}

static inline void done(struct objective *o)
{
    o->free(o->shared);
}

static inline double largest(const float *x, size_t size)
{
    double most = 0;
    for (size_t i = 0; i < size; i++)
        most = fmax(most, fabs((double)x[i]));
    return most;
}

static inline double difference(const float *a, const float *b, size_t size)
{
    double most = 0;
    for (size_t i = 0; i < size; i++)
        most = fmax(most, fabs((double)a[i] - (double)b[i]));
    return most;
}

/* The gradients by two objectives, side by side. */
static inline double compare(struct scene *s, struct objective x, struct objective y)
{
    gradient(&x, &s->batch, s->logits, s->a, s->V);
    gradient(&y, &s->batch, s->logits, s->b, s->V);
    done(&x);
    done(&y);
    return difference(s->a, s->b, s->size);
}

/* With the student's logits all 0, p is even, and the target is 1/V less the gradient. */
static inline void targets_of(struct scene *s, const char *name, const char *const *set, float *out)
{
    float *even = calloc(s->size, sizeof *even);
    struct objective o = taught(s, name, set);
    gradient(&o, &s->batch, even, out, s->V);
    for (size_t i = 0; i < s->size; i++)
        out[i] = 1 / (float)s->V - out[i];
    done(&o);
    free(even);
}

#endif
