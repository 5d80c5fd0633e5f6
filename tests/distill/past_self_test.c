/* A model that is its own teacher an epoch later (AIR, Dong 2019): what it is taught, and that a
 * training which is stopped and gone on with knows its past. */
#include "tests/seq2seq/toy_training.h"

#include "distill/kd.h"
#include "distill/objectives.h"
#include "tensor/kernels.h"

static const int32_t words[] = { 5, 9, 12, 7 };

static struct objective air(const struct model *m, const char *const (*set)[2], const char *name,
                            const struct model *const *teacher)
{
    const struct objective_kind *kind = objective_find(name, &err);
    struct kd_config config = { 0 };
    struct objective o;
    const struct option_group groups[] = { { NULL, kind->options, &config }, { NULL } };
    options_default(groups);
    for (int i = 0; set[i][0]; i++)
        expect_ok(options_set(groups, set[i][0], set[i][1], &err));
    const struct objective_needs needs = { .student = m, .teachers = teacher, .teacher_count = teacher ? 1 : 0 };
    expect_ok(objective_make(&o, kind, &needs, &config, &err));
    options_release(groups);
    return o;
}

/* The gradient of logits that are all 0, at a moment. */
static void gradient(const struct objective *o, const struct model *m, struct moment when, float *logits, int *rows)
{
    struct batch b = { 0 };
    struct loss_sums sums = { 0 };
    const float weight[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
    batch_add(&b, words, 4, words + 1, 3, model_bos(m), model_eos(m), 0, 1);
    void *worker = o->worker_new(o->shared, 0);
    *rows = b.target_tokens;
    memset(logits, 0, (size_t)*rows * (size_t)m->config.target_vocab * sizeof *logits);
    if (o->turn)
        o->turn(o->shared, &when);
    if (o->begin)
        expect_ok(o->begin(worker, &b, &when, &err));
    o->chunk(worker, 0, *rows, m->config.target_vocab, b.output, weight, 1, logits, &sums);
    o->worker_free(worker);
    batch_release(&b);
}

struct scene {
    struct model *m;
    size_t V;
    float *a, *b;
    int rows;
};

static struct scene scene_open(void)
{
    struct scene s = { .m = model_make("transformer") };
    s.V = (size_t)s.m->config.target_vocab;
    s.a = calloc(8 * s.V, sizeof(float));
    s.b = calloc(8 * s.V, sizeof(float));
    for (size_t i = 0; i < s.m->params.total; i++)
        s.m->params.block[i] *= 3;              /* distributions that are not even */
    return s;
}

static void scene_close(struct scene *s)
{
    free(s->a);
    free(s->b);
    model_free(s->m);
}

static void assert_near(const struct scene *s, float margin)
{
    for (size_t i = 0; i < (size_t)s->rows * s->V; i++)
        assert_true(fabsf(s->a[i] - s->b[i]) <= margin);
}

static void in_the_first_epoch_gold_alone_teaches(void **state)
{
    static const char *const all[][2] = { { "alpha", "1" }, { NULL } };
    struct scene s = scene_open();
    struct objective o = air(s.m, all, "air", NULL), plain = objective_cross_entropy(0);
    gradient(&o, s.m, (struct moment){ .update = 5 }, s.a, &s.rows);
    gradient(&plain, s.m, (struct moment){ 0 }, s.b, &s.rows);
    assert_near(&s, 0);
    o.free(o.shared);
    plain.free(plain.shared);
    scene_close(&s);
}

/* Without sharpening it is word-level distillation by a model with the weights of then. */
static void afterwards_the_weights_of_the_epochs_beginning_teach(void **state)
{
    static const char *const flat[][2] = { { "alpha", "0.4" }, { "sharpen", "1" }, { NULL } };
    static const char *const share[][2] = { { "alpha", "0.4" }, { NULL } };
    struct scene s = scene_open();
    const struct moment second = { .update = 9, .epoch = 1 };
    struct model *then = model_make("transformer");
    memcpy(then->params.block, s.m->params.block, s.m->params.total * sizeof(float));
    struct objective o = air(s.m, flat, "air", NULL);
    struct objective kd = air(s.m, share, "word-kd", &(const struct model *){ then });
    o.turn(o.shared, &second);
    for (size_t i = 0; i < s.m->params.total; i++)
        s.m->params.block[i] *= 0.5f;           /* training goes on within the epoch */
    gradient(&o, s.m, second, s.a, &s.rows);
    gradient(&kd, s.m, second, s.b, &s.rows);
    assert_near(&s, 0);
    gradient(&o, s.m, (struct moment){ .update = 20, .epoch = 2 }, s.a, &s.rows);
    memcpy(then->params.block, s.m->params.block, s.m->params.total * sizeof(float));
    gradient(&kd, s.m, second, s.b, &s.rows);
    assert_near(&s, 0);
    o.free(o.shared);
    kd.free(kd.shared);
    model_free(then);
    scene_close(&s);
}

/* sharpen 0.5: the square of the probabilities, made to sum to one. */
static void the_past_is_sharpened(void **state)
{
    static const char *const flat[][2] = { { "alpha", "1" }, { "sharpen", "1" }, { NULL } };
    static const char *const sharp[][2] = { { "alpha", "1" }, { "sharpen", "0.5" }, { NULL } };
    struct scene s = scene_open();
    const struct moment second = { .epoch = 1 };
    struct objective x = air(s.m, flat, "air", NULL), y = air(s.m, sharp, "air", NULL);
    gradient(&x, s.m, second, s.a, &s.rows);
    gradient(&y, s.m, second, s.b, &s.rows);
    for (size_t r = 0; r < (size_t)s.rows; r++) {
        double sum = 0, even = 1 / (double)s.V;
        for (size_t i = r * s.V; i < (r + 1) * s.V; i++)
            sum += pow(even - (double)s.a[i], 2);
        for (size_t i = r * s.V; i < (r + 1) * s.V; i++)
            s.a[i] = (float)(even - pow(even - (double)s.a[i], 2) / sum);
    }
    assert_near(&s, 1e-5f);
    x.free(x.shared);
    y.free(y.shared);
    scene_close(&s);
}

static void copies_may_come_every_so_many_updates(void **state)
{
    static const char *const every[][2] = { { "alpha", "1" }, { "copy-every", "10" }, { NULL } };
    struct scene s = scene_open();
    struct objective o = air(s.m, every, "air", NULL), plain = objective_cross_entropy(0);
    gradient(&o, s.m, (struct moment){ .update = 9, .epoch = 4 }, s.a, &s.rows);
    gradient(&plain, s.m, (struct moment){ 0 }, s.b, &s.rows);
    assert_near(&s, 0);
    gradient(&o, s.m, (struct moment){ .update = 10 }, s.a, &s.rows);
    float moved = 0;
    for (size_t i = 0; i < (size_t)s.rows * s.V; i++)
        moved += fabsf(s.a[i] - s.b[i]);
    assert_true(moved > 0.5f);
    o.free(o.shared);
    plain.free(plain.shared);
    scene_close(&s);
}

/* ---- through a training ---- */

static struct run run_air(const char *folder, struct train_config c, int pairs)
{
    static const char *const options[][2] = { { "alpha", "linear 0.5 1" }, { NULL } };
    struct run r = { .m = model_make("transformer") };
    struct store *store = corpus_make(r.m, pairs), *dev_store = corpus_make(r.m, 20);
    struct batch_source train = batches_make(r.m, store, true), dev = batches_make(r.m, dev_store, false);
    struct objective o = air(r.m, options, "air", NULL);
    const struct train_data data = { .train = &train, .dev = &dev };
    if (!c.resume)
        expect_ok(dir_remove(folder, &err));
    r.ret = train_model(r.m, &o, &data, &c, folder, &r.report, &err);
    o.free(o.shared);
    train.free(train.state);
    dev.free(dev.state);
    store_close(store);
    store_close(dev_store);
    return r;
}

static void a_resumed_run_has_the_past_of_an_undisturbed_one(void **state)
{
    struct train_config c = config_make(30);
    struct run whole = run_air(scratch_path("whole"), c, 60);
    expect_ok(whole.ret);
    assert_true(whole.report.epochs > 2);
    c.save_every = 1;
    for (int end = 7; end <= 19; end += 6) {    /* in the middle of epochs */
        struct train_config part = c;
        part.keep_checkpoints = 1000;
        struct run first = run_air(scratch_path("halves"), part, 60);
        expect_ok(first.ret);
        for (int later = end + 1; later <= 30; later++) {
            char name[64];
            snprintf(name, sizeof name, "halves/checkpoints/update-%d.safetensors", later);
            remove(scratch_path(name));
        }
        part.resume = true;
        struct run second = run_air(scratch_path("halves"), part, 60);
        expect_ok(second.ret);
        assert_same_weights(whole.m, second.m);
        model_free(first.m);
        model_free(second.m);
    }
    model_free(whole.m);
}

static void a_checkpoint_without_a_past_is_refused(void **state)
{
    struct train_config c = config_make(4);
    struct run plain = run_training("transformer", scratch_path("plain"), c);
    expect_ok(plain.ret);
    c.resume = true;
    c.max_updates = 8;
    struct run other = run_air(scratch_path("plain"), c, 300);
    assert_int_equal(other.ret, -1);
    assert_non_null(strstr(err.text, "without 'past-self'"));
    model_free(plain.m);
    model_free(other.m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_the_first_epoch_gold_alone_teaches),
        cmocka_unit_test(afterwards_the_weights_of_the_epochs_beginning_teach),
        cmocka_unit_test(the_past_is_sharpened),
        cmocka_unit_test(copies_may_come_every_so_many_updates),
        cmocka_unit_test(a_resumed_run_has_the_past_of_an_undisturbed_one),
        cmocka_unit_test(a_checkpoint_without_a_past_is_refused),
    };
    log_quiet(true);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
