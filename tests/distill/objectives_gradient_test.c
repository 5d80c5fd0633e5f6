/* The gradient of every row of the table of objectives, through a small model, against finite differences. */
#include "tests/distill/scene.h"

#include "base/thread.h"
#include "seq2seq/workers.h"

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

/* A paper and a year, and where in it: a section, or what the paper calls it. */
static void every_row_says_where_it_is_described(void **state)
{
    (void)state;
    for (const struct objective_kind *k = objective_kinds; k->name; k++) {
        const char *year = k->source ? strstr(k->source, " 20") : NULL;
        if (!year || strspn(year + 1, "0123456789") != 4 || strlen(year) < strlen(" 2000, x"))
            fail_msg("%s: no place in a paper: %s", k->name, k->source ? k->source : "nothing");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_says_where_it_is_described),
        cmocka_unit_test(every_row_has_the_gradient_of_its_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
