/* The table of objectives: the gradient of every row through a small model, their limits, and the
 * mistakes that others made. */
#include "tests/seq2seq/small_model.h"

#include <sys/stat.h>

#include "base/error.h"
#include "base/rng.h"
#include "base/thread.h"
#include "corpora/batch.h"
#include "corpora/soft_targets.h"
#include "corpora/store.h"
#include "distill/kd.h"
#include "distill/objectives.h"
#include "seq2seq/model.h"
#include "seq2seq/train.h"
#include "seq2seq/workers.h"
#include "tensor/tape.h"
#include "tokenize/tokenizer.h"

static struct error err;

static struct model *model_of_arch(const char *arch, const char *vocabulary, int dim, float dropout, int64_t seed)
{
    struct model_config c = small_config(arch, dim);
    c.dropout = dropout;
    return small_model(&c, vocabulary, seed);
}

static struct model *model_of(const char *vocabulary, int dim, float dropout, int64_t seed)
{
    return model_of_arch("transformer", vocabulary, dim, dropout, seed);
}

static const int32_t sources[4][5] = { { 5, 9 }, { 31, 6, 40 }, { 12, 12, 8, 5 }, { 5, 9, 12, 7, 30 } };
static const int32_t targets[4][4] = { { 6 }, { 18, 33 }, { 50, 6, 15 }, { 6, 8, 15, 21 } };

static void batch_fill(struct batch *b, const struct model *m)
{
    batch_reset(b);
    for (int i = 1; i <= 4; i++)
        batch_add(b, sources[i - 1], i + 1, targets[i - 1], i, model_bos(m), model_eos(m), i - 1, 1);
}

/* The gradient of the logits of the whole batch by an objective, the logits being given; returns
 * the loss. */
static double gradient_at(const struct objective *o, const struct batch *b, const float *logits, float *out, int V,
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

static double gradient(const struct objective *o, const struct batch *b, const float *logits, float *out, int V)
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

static void scene_open(struct scene *s)
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

static void scene_close(struct scene *s)
{
    free(s->logits);
    free(s->a);
    free(s->b);
    batch_release(&s->batch);
    model_free(s->second);
    model_free(s->teacher);
}

/* An objective by its name, its options as "name=value" texts, NULL at the end. */
static struct objective make(const struct model *student, const struct model *const *teachers, int count,
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
static struct objective taught(const struct scene *s, const char *name, const char *const *set)
{
    const struct model *teachers[] = { s->teacher };
    return make(s->teacher, teachers, 1, NULL, name, set);
}

static void done(struct objective *o)
{
    o->free(o->shared);
}

static double largest(const float *x, size_t size)
{
    double most = 0;
    for (size_t i = 0; i < size; i++)
        most = fmax(most, fabs((double)x[i]));
    return most;
}

static double difference(const float *a, const float *b, size_t size)
{
    double most = 0;
    for (size_t i = 0; i < size; i++)
        most = fmax(most, fabs((double)a[i] - (double)b[i]));
    return most;
}

/* The gradients by two objectives, side by side. */
static double compare(struct scene *s, struct objective x, struct objective y)
{
    gradient(&x, &s->batch, s->logits, s->a, s->V);
    gradient(&y, &s->batch, s->logits, s->b, s->V);
    done(&x);
    done(&y);
    return difference(s->a, s->b, s->size);
}

/* With the student's logits all 0, p is even, and the target is 1/V less the gradient. */
static void targets_of(struct scene *s, const char *name, const char *const *set, float *out)
{
    float *even = calloc(s->size, sizeof *even);
    struct objective o = taught(s, name, set);
    gradient(&o, &s->batch, even, out, s->V);
    for (size_t i = 0; i < s->size; i++)
        out[i] = 1 / (float)s->V - out[i];
    done(&o);
    free(even);
}

/* ---- the gradient of every row, through a model ---- */

struct slope {
    struct model *student;
    struct workers *workers;
    struct batch *batch;
    float *start;               /* weights */
    json_t *state;              /* what the objective carried into the batch */
};

static double loss_at(struct slope *s, const float *direction, double step)
{
    struct loss_sums sums = { 0 };
    struct moment when = { .progress = 0.5, .update = 3 };
    size_t total = s->student->params.total;
    for (size_t i = 0; i < total; i++)
        s->student->params.block[i] = (float)((double)s->start[i] + (direction ? step * (double)direction[i] : 0));
    if (s->state)
        assert_int_equal(workers_restore(s->workers, s->state, &err), 0);
    memset(workers_grads(s->workers)[0], 0, total * sizeof(float));
    assert_int_equal(workers_run(s->workers, s->batch, &when, 0, &sums, &err), 0);
    return sums.loss;
}

/* Along the gradient itself and along a random direction, the loss rises as the gradient says. */
static void check_slope(struct slope *s, const char *name)
{
    size_t total = s->student->params.total;
    float *gradient = malloc(total * sizeof(float)), *direction = malloc(total * sizeof(float)), *grads;
    struct rng rng;
    rng_seed(&rng, 4, 0);
    loss_at(s, NULL, 0);
    grads = workers_grads(s->workers)[0];
    memcpy(gradient, grads, total * sizeof(float));
    for (int way = 0; way < 2; way++) {
        double length = 0, expected = 0;
        for (size_t i = 0; i < total; i++) {
            direction[i] = way ? (float)rng_normal(&rng) : gradient[i];
            length += (double)direction[i] * (double)direction[i];
        }
        for (size_t i = 0; i < total; i++) {
            direction[i] = (float)((double)direction[i] / sqrt(length));
            expected += (double)direction[i] * (double)gradient[i];
        }
        double h = way ? 5e-3 : 1e-4, found = (loss_at(s, direction, h) - loss_at(s, direction, -h)) / (2 * h);
        if (fabs(found - expected) > 0.01 * fabs(expected) + 1e-4 * (1 + fabs(loss_at(s, NULL, 0))))
            fail_msg("%s: the loss rises by %g, the gradient says %g", name, found, expected);
        assert_true(way || expected > 0.01);
    }
    free(gradient);
    free(direction);
}

static const struct { const char *name; const char *set[4]; int teachers; } variants[] = {
    { "word-kd", { "alpha=1", "temperature=2" }, 1 },
    { "word-kd", { "alpha=0.7", "label-smoothing=0.1" }, 2 },
    { "word-kd", { "alpha=linear 0 1" }, 1 },
    { "kd-topk", { "tail=renormalise" }, 1 },
    { "kd-topk", { "tail=bucket", "temperature=2" }, 1 },
    { "selective-kd", { "hard-among=queue", "queue=20" }, 1 },
    { "selective-kd", { "share=0.3" }, 1 },
    { "jsd", { "beta=0.1", "temperature=2", "alpha=1" }, 1 },
    { "jsd", { "beta=1" }, 1 },
    { "tvd", { "alpha=1" }, 1 },
};
#define VARIANTS (sizeof variants / sizeof *variants)

static void check_objective(const struct scene *s, const char *name, const char *const *set, int teachers)
{
    const struct model *both[] = { s->teacher, s->second };
    struct model *student = model_of("bpe", 16, 0, 9);
    struct objective o = make(student, both, teachers, NULL, name, set);
    struct pool *pool = pool_new(1);
    struct slope slope = { student, workers_new(student, &o, pool, 1, 0, 0), (struct batch *)&s->batch, NULL, NULL };
    struct loss_sums sums = { 0 };      /* a queue holds losses of other weights */
    assert_int_equal(workers_run(slope.workers, slope.batch, &(struct moment){ 0 }, 0, &sums, &err), 0);
    slope.state = workers_save(slope.workers);
    for (size_t i = 0; i < student->params.total; i++)
        student->params.block[i] *= 2;          /* tokens of losses that are clearly apart */
    slope.start = malloc(student->params.total * sizeof(float));
    memcpy(slope.start, student->params.block, student->params.total * sizeof(float));
    check_slope(&slope, name);
    json_decref(slope.state);
    workers_free(slope.workers);
    free(slope.start);
    pool_free(pool);
    done(&o);
    model_free(student);
}

static void every_row_has_the_gradient_of_its_loss(void **state)
{
    struct scene s;
    scene_open(&s);
    for (const struct objective_kind *k = objective_kinds; k->name; k++)
        check_objective(&s, k->name, NULL, k->wants_teacher);
    for (size_t i = 0; i < VARIANTS; i++)
        check_objective(&s, variants[i].name, variants[i].set, variants[i].teachers);
    scene_close(&s);
}

/* ---- limits ---- */

static void without_the_teachers_share_it_is_cross_entropy_bit_for_bit(void **state)
{
    struct scene s;
    scene_open(&s);
    struct objective plain = objective_cross_entropy(0.1f);
    double a = gradient(&plain, &s.batch, s.logits, s.a, s.V);
    for (const struct objective_kind *k = objective_kinds; k->name; k++) {
        if (k->method == &kd_confidence)
            continue;
        struct objective o = taught(&s, k->name, k->method != &kd_none ? WITH("alpha=0", "label-smoothing=0.1") : NULL);
        double b = gradient(&o, &s.batch, s.logits, s.b, s.V);
        assert_true(a == b);
        assert_memory_equal(s.a, s.b, s.size * sizeof(float));
        done(&o);
    }
    done(&plain);
    scene_close(&s);
}

/* The teacher's own logits leave nothing to learn, at any temperature; so its dropout is off. */
static void a_student_that_gives_the_teachers_logits_has_no_gradient(void **state)
{
    static const char *const names[] = { "word-kd", "reverse-kl", "jsd", "skew-kl", "skew-reverse-kl" };
    static const char *const temperatures[] = { "temperature=1", "temperature=2", "temperature=0.5" };
    struct scene s;
    scene_open(&s);
    struct tape tape = { .params = &s.teacher->params };
    struct tensor *hidden = model_hidden(s.teacher, &tape, &s.batch);
    model_logits(s.teacher, s.logits, hidden->data, hidden->rows);
    for (int n = 0; n < 5; n++)
        for (int i = 0; i < 3; i++) {
            struct objective o = taught(&s, names[n], WITH("alpha=1", temperatures[i]));
            gradient(&o, &s.batch, s.logits, s.a, s.V);
            assert_true(largest(s.a, s.size) < 2e-5);
            done(&o);
        }
    tape_release(&tape);
    scene_close(&s);
}

static void the_square_of_the_temperature_multiplies_the_teachers_share_once(void **state)
{
    struct scene s;
    scene_open(&s);
    for (const struct objective_kind *k = objective_kinds; k->name; k++) {
        const char *const with[] = { "alpha=1", "temperature=2", NULL };
        const char *const without[] = { "alpha=1", "temperature=2", "t-squared=false", NULL };
        struct kd_config config;
        const struct option_group groups[] = { { NULL, k->options, &config }, { NULL } };
        if (!options_find(groups, "t-squared", NULL))
            continue;
        struct objective x = taught(&s, k->name, with), y = taught(&s, k->name, without);
        double a = gradient(&x, &s.batch, s.logits, s.a, s.V), b = gradient(&y, &s.batch, s.logits, s.b, s.V);
        if (k->method == &kd_selective) {       /* gold on the others */
            done(&x);
            done(&y);
            continue;
        }
        assert_true(fabs(a - 4 * b) < 1e-4 * fabs(a));
        for (size_t i = 0; i < s.size; i++)
            assert_true(fabsf(s.a[i] - 4 * s.b[i]) < 1e-5f * (1 + fabsf(s.a[i])));
        done(&x);
        done(&y);
    }
    scene_close(&s);
}

/* What is summed is −q log p of every class, not a mean over classes, which would be smaller by the
 * size of the vocabulary. */
static void the_loss_is_a_sum_over_classes(void **state)
{
    struct scene s;
    double expected = 0;
    scene_open(&s);
    targets_of(&s, "word-kd", WITH("alpha=1"), s.a);
    for (int r = 0; r < s.batch.target_tokens; r++) {
        const float *q = s.a + (size_t)r * (size_t)s.V, *x = s.logits + (size_t)r * (size_t)s.V;
        double sum = 0;
        for (int v = 0; v < s.V; v++)
            sum += exp((double)x[v]);
        for (int v = 0; v < s.V; v++)
            expected -= (double)q[v] * ((double)x[v] - log(sum));
    }
    struct objective kd = taught(&s, "word-kd", WITH("alpha=1"));
    double loss = gradient(&kd, &s.batch, s.logits, s.b, s.V);
    assert_true(fabs(loss - expected) < 1e-3 * expected);
    done(&kd);
    scene_close(&s);
}

/* Nothing is padded and nothing averaged over places that are none: the tokens of a sentence have the
 * same gradient alone and beside longer ones, and losses add up. */
static void a_sentence_counts_the_same_whatever_stands_beside_it(void **state)
{
    struct scene s;
    scene_open(&s);
    for (const struct objective_kind *k = objective_kinds; k->name; k++) {
        if (k->method->selective || k->method == &kd_permuted)         /* these look at all tokens, or at their number */
            continue;
        struct objective o = taught(&s, k->name, NULL);
        double together = gradient(&o, &s.batch, s.logits, s.a, s.V), alone = 0;
        for (int i = 0; i < s.batch.B; i++) {
            struct batch one = { 0 };
            size_t at = (size_t)s.batch.target_start[i] * (size_t)s.V;
            batch_add(&one, sources[i], i + 2, targets[i], i + 1, model_bos(s.teacher), model_eos(s.teacher), i, 1);
            alone += gradient(&o, &one, s.logits + at, s.b + at, s.V);
            batch_release(&one);
        }
        if (difference(s.a, s.b, s.size) > 1e-5 || fabs(together - alone) > 1e-4 * together)
            fail_msg("%s: a batch's gradient is another one than its sentences'", k->name);
        done(&o);
    }
    scene_close(&s);
}

static void a_temperature_near_one_is_nearly_none(void **state)
{
    struct scene s;
    scene_open(&s);
    for (const struct objective_kind *k = objective_kinds; k->name; k++) {
        struct kd_config config;
        const struct option_group groups[] = { { NULL, k->options, &config }, { NULL } };
        if (options_find(groups, "temperature", NULL))
            assert_true(compare(&s, taught(&s, k->name, NULL), taught(&s, k->name, WITH("temperature=1.00001"))) < 2e-4);
    }
    scene_close(&s);
}

static void the_rows_meet_where_their_options_end(void **state)
{
    static const struct { const char *a, *with_a, *b, *with_b; double margin; } meetings[] = {
        { "jsd", "beta=0", "word-kd", "alpha=0.5", 0 },
        { "jsd", "beta=1", "reverse-kl", "alpha=0.5", 0 },
        { "skew-kl", "skew=0", "word-kd", "alpha=0.5", 1e-6 },
        { "skew-reverse-kl", "skew=0", "reverse-kl", "alpha=0.5", 1e-6 },
        { "selective-kd", "share=1", "word-kd", "alpha=0.5", 0 },
        { "kd-sim", "similarity-temperature=0.001", "cross-entropy", "label-smoothing=0", 1e-5 },
        { "kd-topk", "k=1024", "word-kd", "alpha=0.5", 1e-5 },
        { "word-kd", "alpha=cut-off 0.5 100%", "word-kd", "alpha=0.5", 0 },
    };
    struct scene s;
    scene_open(&s);
    for (size_t i = 0; i < sizeof meetings / sizeof *meetings; i++) {
        double apart = compare(&s, taught(&s, meetings[i].a, WITH(meetings[i].with_a)),
                               taught(&s, meetings[i].b, WITH(meetings[i].with_b)));
        if (apart > meetings[i].margin)
            fail_msg("%s with %s is %g from %s", meetings[i].a, meetings[i].with_a, apart, meetings[i].b);
    }
    scene_close(&s);
}

static void nothing_selected_is_cross_entropy_bit_for_bit(void **state)
{
    struct scene s;
    scene_open(&s);
    assert_true(compare(&s, taught(&s, "selective-kd", WITH("share=0", "label-smoothing=0.1")),
                        objective_cross_entropy(0.1f)) == 0);
    scene_close(&s);
}

/* Half of the tokens have the gradient of word-level distillation, half that of cross-entropy, and
 * no token of the second half is harder than one of the first. */
static void the_hardest_tokens_are_selected(void **state)
{
    struct scene s;
    scene_open(&s);
    struct objective some = taught(&s, "selective-kd", NULL), all = taught(&s, "word-kd", NULL);
    struct objective none = objective_cross_entropy(0);
    float *c = malloc(s.size * sizeof(float)), hard = -1e9f, easy = 1e9f;
    int n = s.batch.target_tokens, taught_on = 0;
    gradient(&some, &s.batch, s.logits, s.a, s.V);
    gradient(&all, &s.batch, s.logits, s.b, s.V);
    gradient(&none, &s.batch, s.logits, c, s.V);
    for (int r = 0; r < n; r++) {
        size_t at = (size_t)r * (size_t)s.V;
        float nll = -logf(1 + c[at + (size_t)s.batch.output[r]]);       /* its gradient is p - 1 */
        bool chosen = !memcmp(s.a + at, s.b + at, (size_t)s.V * sizeof(float));
        assert_true(chosen || !memcmp(s.a + at, c + at, (size_t)s.V * sizeof(float)));
        taught_on += chosen;
        if (chosen)
            easy = fminf(easy, nll);
        else
            hard = fmaxf(hard, nll);
    }
    assert_int_equal(taught_on, n / 2);
    assert_true(easy > hard);
    free(c);
    done(&some);
    done(&all);
    done(&none);
    scene_close(&s);
}

/* A worker that goes on from what was saved selects what the first one would have. */
static void a_queue_of_losses_is_saved_and_restored(void **state)
{
    struct scene s;
    struct moment when = { 0 };
    struct loss_sums sums = { 0 };
    scene_open(&s);
    struct objective o = taught(&s, "selective-kd", WITH("hard-among=queue", "queue=11"));
    void *first = o.worker_new(o.shared, 0), *second = o.worker_new(o.shared, 0);
    float weight[64];
    for (int i = 0; i < 64; i++)
        weight[i] = 1;
    int n = s.batch.target_tokens;
    memcpy(s.a, s.logits, s.size * sizeof(float));
    assert_int_equal(o.begin(first, &s.batch, &when, &err), 0);
    o.chunk(first, 0, n, s.V, s.batch.output, weight, 1, s.a, &sums);
    json_t *saved = o.save(first);
    assert_int_equal(o.restore(second, saved, &err), 0);
    json_t *again = o.save(second);
    assert_true(json_equal(saved, again));
    for (int i = 0; i < 2; i++) {
        void *worker = i ? second : first;
        float *out = i ? s.b : s.a;
        memcpy(out, s.logits, s.size * sizeof(float));
        assert_int_equal(o.begin(worker, &s.batch, &when, &err), 0);
        o.chunk(worker, 0, n, s.V, s.batch.output, weight, 1, out, &sums);
    }
    assert_memory_equal(s.a, s.b, s.size * sizeof(float));
    json_t *damaged = json_string("0123xyz8");
    assert_int_equal(o.restore(second, damaged, &err), -1);
    json_decref(damaged);
    json_decref(saved);
    json_decref(again);
    o.worker_free(first);
    o.worker_free(second);
    done(&o);
    scene_close(&s);
}

/* ---- what becomes of the teacher's distribution ---- */

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

/* The end of few: the likeliest alone, as if it were gold. */
static void one_piece_renormalised_is_cross_entropy_to_the_teachers_best(void **state)
{
    struct scene s;
    scene_open(&s);
    float *q = malloc(s.size * sizeof(float));
    targets_of(&s, "word-kd", WITH("alpha=1"), q);
    struct objective one = taught(&s, "kd-topk", WITH("alpha=1", "k=1", "tail=renormalise"));
    struct objective plain = objective_cross_entropy(0);
    gradient(&one, &s.batch, s.logits, s.a, s.V);
    gradient(&plain, &s.batch, s.logits, s.b, s.V);
    for (int r = 0; r < s.batch.target_tokens; r++) {
        size_t at = (size_t)r * (size_t)s.V;
        int best = kernel->argmax(q + at, s.V), gold = s.batch.output[r];
        for (int v = 0; v < s.V; v++)
            assert_true(fabsf(s.a[at + (size_t)v] - s.b[at + (size_t)v] + (float)((v == best) - (v == gold))) < 1e-6f);
    }
    done(&one);
    done(&plain);
    free(q);
    scene_close(&s);
}

static void permutation_keeps_the_best_and_the_others_as_a_set(void **state)
{
    struct scene s;
    scene_open(&s);
    int moved = 0;
    targets_of(&s, "word-kd", WITH("alpha=1"), s.a);
    targets_of(&s, "dkpp", WITH("alpha=1"), s.b);
    for (int r = 0; r < s.batch.target_tokens; r++) {
        float *q = s.a + (size_t)r * (size_t)s.V, *p = s.b + (size_t)r * (size_t)s.V;
        int best = kernel->argmax(q, s.V);
        assert_int_equal(kernel->argmax(p, s.V), best);
        for (int i = 0; i < s.V; i++)
            moved += fabsf(p[i] - q[i]) > 1e-6f;
        qsort(p, (size_t)s.V, sizeof *p, compare_floats);
        qsort(q, (size_t)s.V, sizeof *q, compare_floats);
        for (int i = 0; i < s.V; i++)
            assert_true(fabsf(p[i] - q[i]) < 1e-6f);
    }
    assert_true(moved > s.V);
    scene_close(&s);
}

static void kd_pt_keeps_golds_probability_and_kd_topk_the_likeliest(void **state)
{
    struct scene s;
    scene_open(&s);
    float *c = malloc(s.size * sizeof(float));
    targets_of(&s, "word-kd", WITH("alpha=1"), s.a);
    targets_of(&s, "kd-pt", WITH("alpha=1"), s.b);
    targets_of(&s, "kd-topk", WITH("alpha=1", "k=3"), c);
    for (int r = 0; r < s.batch.target_tokens; r++) {
        const float *q = s.a + (size_t)r * (size_t)s.V, *pt = s.b + (size_t)r * (size_t)s.V;
        const float *top = c + (size_t)r * (size_t)s.V;
        int gold = s.batch.output[r], kept = 0;
        assert_true(fabsf(pt[gold] - q[gold]) < 1e-6f);
        for (int i = 0; i < s.V; i++) {
            assert_true(i == gold || fabsf(pt[i] - (1 - q[gold]) / (float)(s.V - 1)) < 1e-6f);
            kept += fabsf(top[i] - q[i]) < 1e-7f;
        }
        assert_true(kept >= 3);
        assert_true(fabsf(top[kernel->argmax(q, s.V)] - q[kernel->argmax(q, s.V)]) < 1e-6f);
    }
    free(c);
    scene_close(&s);
}

static void similarity_prefers_gold_and_knows_no_sentence(void **state)
{
    struct scene s;
    scene_open(&s);
    targets_of(&s, "kd-sim", WITH("alpha=1"), s.a);
    for (int r = 0; r < s.batch.target_tokens; r++) {
        const float *q = s.a + (size_t)r * (size_t)s.V;
        assert_int_equal(kernel->argmax(q, s.V), s.batch.output[r]);
        for (int other = 0; other < r; other++)
            if (s.batch.output[other] == s.batch.output[r])
                assert_memory_equal(q, s.a + (size_t)other * (size_t)s.V, (size_t)s.V * sizeof(float));
    }
    scene_close(&s);
}

/* Σ w CE / Σ w: weights count in the sum that divides. */
static void cwtm_weighs_tokens_by_the_teachers_confidence(void **state)
{
    struct scene s;
    scene_open(&s);
    struct objective o = taught(&s, "cwtm", NULL), plain = objective_cross_entropy(0);
    struct loss_sums sums = { 0 };
    float weight[64];
    void *worker = o.worker_new(o.shared, 0);
    targets_of(&s, "word-kd", WITH("alpha=1"), s.a);
    for (int i = 0; i < 64; i++)
        weight[i] = 1;
    double expected = 0;
    for (int r = 0; r < s.batch.target_tokens; r++) {
        const float *q = s.a + (size_t)r * (size_t)s.V;
        expected += (double)q[kernel->argmax(q, s.V)];
    }
    memcpy(s.b, s.logits, s.size * sizeof(float));
    assert_int_equal(o.begin(worker, &s.batch, &(struct moment){ 0 }, &err), 0);
    o.chunk(worker, 0, s.batch.target_tokens, s.V, s.batch.output, weight, 1, s.b, &sums);
    assert_true(fabs(sums.tokens - expected) < 1e-4);
    assert_true(sums.loss < gradient(&plain, &s.batch, s.logits, s.b, s.V));
    o.worker_free(worker);
    done(&o);
    done(&plain);
    scene_close(&s);
}

static void several_teachers_teach_their_mean(void **state)
{
    struct scene s;
    scene_open(&s);
    const struct model *both[] = { s.teacher, s.second }, *one[] = { s.second };
    float *c = malloc(s.size * sizeof(float));
    struct objective mean = make(s.teacher, both, 2, NULL, "word-kd", WITH("alpha=1"));
    struct objective first = taught(&s, "word-kd", WITH("alpha=1"));
    struct objective second = make(s.teacher, one, 1, NULL, "word-kd", WITH("alpha=1"));
    gradient(&mean, &s.batch, s.logits, c, s.V);
    gradient(&first, &s.batch, s.logits, s.a, s.V);
    gradient(&second, &s.batch, s.logits, s.b, s.V);
    for (size_t i = 0; i < s.size; i++)
        assert_true(fabsf(c[i] - (s.a[i] + s.b[i]) / 2) < 1e-6f);
    done(&mean);
    done(&first);
    done(&second);
    free(c);
    scene_close(&s);
}

/* Σ w q, and Π q^w made to sum to one, of a transformer and an LSTM that share a vocabulary. */
static void teachers_of_other_architectures_teach_their_weighted_mean(void **state)
{
    static const float weights[] = { 3, 1 };
    struct scene s;
    scene_open(&s);
    struct model *lstm = model_of_arch("lstm", "bpe", 20, 0.2f, 4);
    const struct model *both[] = { s.teacher, lstm }, *one[] = { lstm };
    struct kd_config config = { .temperature = 1 };
    assert_int_equal(course_parse(&config.alpha, "1", 0, 1, &err), 0);
    float *even = calloc(s.size, sizeof *even), *other = malloc(s.size * sizeof *other);
    targets_of(&s, "word-kd", WITH("alpha=1"), s.a);
    struct objective second = make(s.teacher, one, 1, NULL, "word-kd", WITH("alpha=1"));
    gradient(&second, &s.batch, even, other, s.V);
    for (int geometric = 0; geometric < 2; geometric++) {
        struct objective_needs needs = { s.teacher, both, 2, weights, geometric ? AVERAGE_LOG : AVERAGE_PROBABILITY };
        struct objective o;
        assert_int_equal(objective_kd(&o, &kd_words, &needs, &config, &err), 0);
        gradient(&o, &s.batch, even, s.b, s.V);
        for (int r = 0; r < s.batch.target_tokens; r++) {
            double mean[4096], sum = 0;
            size_t at = (size_t)r * (size_t)s.V;
            for (int v = 0; v < s.V; v++) {
                double x = (double)s.a[at + (size_t)v], y = 1.0 / s.V - (double)other[at + (size_t)v];
                sum += mean[v] = geometric ? pow(x, 0.75) * pow(y, 0.25) : 0.75 * x + 0.25 * y;
            }
            for (int v = 0; v < s.V; v++)
                assert_true(fabs(1.0 / s.V - (double)s.b[at + (size_t)v] - mean[v] / sum) < 1e-5);
        }
        done(&o);
    }
    done(&second);
    free(even);
    free(other);
    model_free(lstm);
    scene_close(&s);
}

/* The teacher's temperature makes its distribution q^(1/T), whatever the temperature of both is. */
static void a_temperature_of_the_teachers_alone_leaves_the_student_s_as_it_is(void **state)
{
    struct scene s;
    scene_open(&s);
    const struct model *one[] = { s.teacher };
    struct kd_config config = { .temperature = 1 };
    struct objective_needs needs = { s.teacher, one, 1, .teacher_temperature = 2 };
    struct objective o;
    float *even = calloc(s.size, sizeof *even);
    assert_int_equal(course_parse(&config.alpha, "1", 0, 1, &err), 0);
    targets_of(&s, "word-kd", WITH("alpha=1"), s.a);
    assert_int_equal(objective_kd(&o, &kd_words, &needs, &config, &err), 0);
    gradient(&o, &s.batch, even, s.b, s.V);
    for (int r = 0; r < s.batch.target_tokens; r++) {
        const float *q = s.a + (size_t)r * (size_t)s.V, *d = s.b + (size_t)r * (size_t)s.V;
        double sum = 0;
        for (int v = 0; v < s.V; v++)
            sum += sqrt((double)q[v]);
        for (int v = 0; v < s.V; v++)
            assert_float_equal(1.0 / s.V - (double)d[v], sqrt((double)q[v]) / sum, 1e-5);
    }
    free(even);
    done(&o);
    scene_close(&s);
}

/* ---- courses, and batches of the student's own ---- */

static void courses_move_the_shares(void **state)
{
    struct scene s;
    scene_open(&s);
    struct objective moving = taught(&s, "word-kd", WITH("alpha=cut-off 0.5 60%")), still = taught(&s, "word-kd", NULL);
    struct objective plain = objective_cross_entropy(0);
    gradient_at(&moving, &s.batch, s.logits, s.a, s.V, (struct moment){ .progress = 0.5 });
    gradient(&still, &s.batch, s.logits, s.b, s.V);
    assert_memory_equal(s.a, s.b, s.size * sizeof(float));
    gradient_at(&moving, &s.batch, s.logits, s.a, s.V, (struct moment){ .progress = 0.7 });
    gradient(&plain, &s.batch, s.logits, s.b, s.V);
    assert_memory_equal(s.a, s.b, s.size * sizeof(float));
    done(&moving);
    done(&still);
    done(&plain);
    scene_close(&s);
}

static void on_the_students_own_outputs_there_is_no_gold(void **state)
{
    struct scene s;
    scene_open(&s);
    struct objective half = taught(&s, "jsd", WITH("alpha=0.3", "label-smoothing=0.1")), whole = taught(&s, "jsd", WITH("alpha=1"));
    struct objective plain = taught(&s, "cross-entropy", NULL);
    void *worker = plain.worker_new(plain.shared, 0);
    gradient(&whole, &s.batch, s.logits, s.b, s.V);
    s.batch.sampled = true;
    gradient(&half, &s.batch, s.logits, s.a, s.V);
    assert_memory_equal(s.a, s.b, s.size * sizeof(float));
    done(&half);
    done(&whole);
    scene_close(&s);
    plain.worker_free(worker);
    done(&plain);
}

/* ---- stored teachers ---- */

static const char *fresh_folder(void)
{
    static char path[4096];
    static int number;
    char name[16];
    snprintf(name, sizeof name, "soft%d", number++);
    snprintf(path, sizeof path, "%s", scratch_path(name));
    assert_int_equal(mkdir(path, 0700), 0);
    return path;
}

/* A store of the corpus of batch_fill with the k likeliest of the teacher's. */
static struct soft_targets *stored_teacher(struct scene *s, const char *folder, int k, float temperature,
                                           struct store **corpus)
{
    char path[4096];
    const struct tokenizer *t = s->teacher->target_tokenizer;
    struct soft_shape shape = { .vocab = s->V, .k = k, .mass = 1, .temperature = temperature,
                                .source_vocab = tokenizer_fingerprint(t), .target_vocab = tokenizer_fingerprint(t),
                                .teacher = 1 };
    const struct model *models[] = { s->teacher };
    struct teacher *teacher = teacher_new(models, 1, &(struct teacher_config){ .temperature = temperature }, &err);
    struct teacher_worker *worker = teacher_worker_new(teacher);
    snprintf(path, sizeof path, "%s/0.soft", folder);
    json_t *about = json_object();
    shape.about = about;
    struct soft_writer *out = soft_writer_new(path, &shape, &err);
    assert_non_null(out);
    snprintf(path, sizeof path, "%s/corpus.ids", folder);
    struct store_writer *ids = store_writer_new(path, shape.source_vocab, shape.target_vocab, &err);
    teacher_begin(worker, &s->batch);
    teacher_rows(worker, s->a, 0, s->batch.target_tokens);
    for (int b = 0; b < s->batch.B; b++) {
        for (int r = s->batch.target_start[b]; r < s->batch.target_start[b + 1]; r++) {
            struct soft_entry entries[4096];
            float *q = s->a + (size_t)r * (size_t)s->V, gold = logf(q[s->batch.output[r]]);
            double rest = 1;
            for (int i = 0; i < k; i++) {
                int best = kernel->argmax(q, s->V);
                entries[i] = (struct soft_entry){ best, logf(q[best]) };
                rest -= (double)q[best];
                q[best] = -1;
            }
            soft_writer_row(out, entries, k, k == s->V || rest < 0 ? 0 : rest, gold);
        }
        assert_int_equal(soft_writer_sentence(out, sources[b], b + 2, targets[b], b + 1, &err), 0);
        assert_int_equal(store_writer_add(ids, sources[b], b + 2, targets[b], b + 1, &err), 0);
    }
    assert_int_equal(soft_writer_commit(out, &err), 0);
    assert_int_equal(store_writer_commit(ids, &err), 0);
    *corpus = store_open(path, true, &err);
    assert_non_null(*corpus);
    struct soft_targets *soft = soft_targets_open(folder, true, &err);
    assert_non_null(soft);
    assert_int_equal(soft_targets_bind(soft, *corpus, &err), 0);
    teacher_worker_free(worker);
    teacher_free(teacher);
    json_decref(about);
    return soft;
}

static void all_pieces_stored_equal_the_teacher_online(void **state)
{
    static const struct { const char *name, *set; float temperature; } cases[] = {
        { "word-kd", "alpha=1", 1 }, { "word-kd", "alpha=0.5", 1 }, { "word-kd", "temperature=2", 2 },
        { "word-kd", "temperature=2", 1 }, { "word-kd", "tail=bucket", 1 }, { "jsd", "beta=0.3", 1 },
        { "selective-kd", "share=0.4", 1 }, { "dkpp", "alpha=1", 1 }, { "cwtm", "temperature=1", 1 },
        { "kd-topk", "k=1", 1 }, { "tvd", "alpha=0.5", 1 }, { "double-distillation", "temperature=2", 2 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *folder = fresh_folder();
        struct store *corpus;
        struct scene s;
        scene_open(&s);
        struct soft_targets *soft = stored_teacher(&s, folder, s.V, cases[i].temperature, &corpus);
        double apart = compare(&s, make(s.teacher, NULL, 0, soft, cases[i].name, WITH(cases[i].set)),
                               taught(&s, cases[i].name, WITH(cases[i].set)));
        /* half precision of the stored logarithms; T² multiplies it */
        if (apart > 2e-3 * largest(s.b, s.size))
            fail_msg("%s %s: %g apart", cases[i].name, cases[i].set, apart);
        soft_targets_close(soft);
        store_close(corpus);
        scene_close(&s);
    }
}

static void few_pieces_stored_equal_the_same_few_of_the_teacher_online(void **state)
{
    static const char *const tails[] = { "tail=spread", "tail=renormalise", "tail=bucket" };
    for (int i = 0; i < 3; i++) {
        const char *folder = fresh_folder();
        struct store *corpus;
        struct scene s;
        scene_open(&s);
        struct soft_targets *soft = stored_teacher(&s, folder, 6, 1, &corpus);
        double apart = compare(&s, make(s.teacher, NULL, 0, soft, "word-kd", WITH(tails[i])),
                               taught(&s, "kd-topk", WITH(tails[i], "k=6")));
        if (apart > 1e-3)
            fail_msg("%s: %g apart", tails[i], apart);
        soft_targets_close(soft);
        store_close(corpus);
        scene_close(&s);
    }
}

static void what_a_store_cannot_do_is_refused(void **state)
{
    const char *folder = fresh_folder();
    struct store *corpus;
    struct scene s;
    scene_open(&s);
    struct soft_targets *soft = stored_teacher(&s, folder, 6, 1, &corpus);
    struct objective_needs needs = { .student = s.teacher, .soft = soft };
    struct objective o;
    struct kd_config config = { .temperature = 1, .tail = TAIL_BUCKET, .similarity = 1 };
    assert_int_equal(objective_kd(&o, &kd_similarity, &needs, &config, &err), -1);
    assert_non_null(strstr(err.text, "embeddings"));
    assert_int_equal(objective_kd(&o, &kd_jsd, &needs, &config, &err), -1);
    assert_non_null(strstr(err.text, "bucket"));
    o = make(s.teacher, NULL, 0, soft, "word-kd", NULL);
    void *worker = o.worker_new(o.shared, 0);
    s.batch.sampled = true;
    assert_int_equal(o.begin(worker, &s.batch, &(struct moment){ 0 }, &err), -1);
    assert_non_null(strstr(err.text, "own outputs"));
    o.worker_free(worker);
    done(&o);
    soft_targets_close(soft);
    store_close(corpus);
    scene_close(&s);
}

static void other_vocabularies_are_refused_and_seq_kd_is_suggested(void **state)
{
    struct model *student = model_of("char", 24, 0, 1), *teacher = model_of("bpe", 24, 0, 1);
    const struct model *teachers[] = { teacher };
    const struct objective_needs needs = { .student = student, .teachers = teachers, .teacher_count = 1 };
    struct kd_config config = { .temperature = 1 };
    struct objective o;
    assert_int_equal(objective_kd(&o, &kd_words, &needs, &config, &err), -1);
    assert_non_null(strstr(err.text, "vocabulary"));
    assert_non_null(strstr(err.text, "seq-kd"));
    model_free(student);
    model_free(teacher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_has_the_gradient_of_its_loss),
        cmocka_unit_test(without_the_teachers_share_it_is_cross_entropy_bit_for_bit),
        cmocka_unit_test(a_student_that_gives_the_teachers_logits_has_no_gradient),
        cmocka_unit_test(the_square_of_the_temperature_multiplies_the_teachers_share_once),
        cmocka_unit_test(the_loss_is_a_sum_over_classes),
        cmocka_unit_test(a_sentence_counts_the_same_whatever_stands_beside_it),
        cmocka_unit_test(a_temperature_near_one_is_nearly_none),
        cmocka_unit_test(the_rows_meet_where_their_options_end),
        cmocka_unit_test(nothing_selected_is_cross_entropy_bit_for_bit),
        cmocka_unit_test(the_hardest_tokens_are_selected),
        cmocka_unit_test(a_queue_of_losses_is_saved_and_restored),
        cmocka_unit_test(one_piece_renormalised_is_cross_entropy_to_the_teachers_best),
        cmocka_unit_test(permutation_keeps_the_best_and_the_others_as_a_set),
        cmocka_unit_test(kd_pt_keeps_golds_probability_and_kd_topk_the_likeliest),
        cmocka_unit_test(similarity_prefers_gold_and_knows_no_sentence),
        cmocka_unit_test(cwtm_weighs_tokens_by_the_teachers_confidence),
        cmocka_unit_test(several_teachers_teach_their_mean),
        cmocka_unit_test(teachers_of_other_architectures_teach_their_weighted_mean),
        cmocka_unit_test(a_temperature_of_the_teachers_alone_leaves_the_student_s_as_it_is),
        cmocka_unit_test(courses_move_the_shares),
        cmocka_unit_test(on_the_students_own_outputs_there_is_no_gold),
        cmocka_unit_test(all_pieces_stored_equal_the_teacher_online),
        cmocka_unit_test(few_pieces_stored_equal_the_same_few_of_the_teacher_online),
        cmocka_unit_test(what_a_store_cannot_do_is_refused),
        cmocka_unit_test(other_vocabularies_are_refused_and_seq_kd_is_suggested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
