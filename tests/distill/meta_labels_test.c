/* A teacher that learns from what its labels do to the student (Pham 2020). */
#include "tests/seq2seq/toy_training.h"

#include <math.h>

#include "distill/meta_labels.h"

struct scene {
    struct model *student, *teacher;
    struct store *unlabelled, *labelled;
    struct batch_source source;
};

static struct meta_config config_of(const char *const (*set)[2])
{
    struct meta_config c = { 0 };
    const struct option_group groups[] = { { NULL, meta_options, &c }, { NULL } };
    options_default(groups);
    for (int i = 0; set && set[i][0]; i++)
        expect_ok(options_set(groups, set[i][0], set[i][1], &err));
    return c;
}

static struct scene scene_open(const char *const (*set)[2])
{
    struct scene s = { .student = model_make("transformer"), .teacher = model_make("transformer") };
    const struct meta_config c = config_of(set);
    const struct meta_needs needs = { .student = s.student, .teacher = s.teacher, .clip_norm = 1, .max_length = 12,
                                      .seed = 5, .threads = 2 };
    s.unlabelled = corpus_make(s.student, 60);
    s.labelled = corpus_make(s.student, 30);
    struct batch_source unlabelled = batches_make(s.student, s.unlabelled, true);
    struct batch_source labelled = batches_make(s.student, s.labelled, true);
    expect_ok(meta_labels_open(&s.source, &unlabelled, &labelled, &needs, &c, &err));
    return s;
}

static void scene_close(struct scene *s)
{
    s->source.free(s->source.state);
    store_close(s->unlabelled);
    store_close(s->labelled);
    model_free(s->student);
    model_free(s->teacher);
}

static double teacher_logp(const struct scene *s, const struct batch *b)
{
    struct scorer *scorer = scorer_new(s->teacher);
    float *logp = calloc((size_t)b->target_tokens, sizeof *logp);
    double sum = 0;
    scorer_run(scorer, b, logp);
    for (int i = 0; i < b->target_tokens; i++)
        sum += (double)logp[i];
    free(logp);
    scorer_free(scorer);
    return sum;
}

/* Weights times 0 leave an even distribution, which is better on gold than large random ones. */
static void set_student(struct scene *s, float factor)
{
    struct model *fresh = model_make("transformer");
    for (size_t i = 0; i < s->student->params.total; i++)
        s->student->params.block[i] = factor * fresh->params.block[i];
    model_free(fresh);
}

/* A batch is given, the student becomes better or worse, and the next update begins; returns by how
 * much likelier the teacher's labels became. */
static double one_step(struct scene *s, bool better)
{
    struct batch b = { 0 };
    set_student(s, better ? 5 : 0);
    s->source.at(s->source.state, &(struct moment){ 0 });
    assert_int_equal(s->source.next(s->source.state, &b, &err), 1);
    double before = teacher_logp(s, &b);
    set_student(s, better ? 0 : 5);
    s->source.at(s->source.state, &(struct moment){ .update = 1 });
    double after = teacher_logp(s, &b);
    batch_release(&b);
    return after - before;
}

static void labels_that_helped_become_likelier_and_others_less_so(void **state)
{
    for (int way = 0; way < 4; way++) {
        const char *const set[][2] = { { "meta-sign", way / 2 ? "published" : "theory" }, { "meta-gold", "false" },
                                       { "meta-learning-rate", "0.002" }, { NULL } };
        bool better = way % 2;
        struct scene s = scene_open(set);
        double change = one_step(&s, better);
        if ((change > 0) != (better != (way / 2 == 1)) || fabs(change) < 0.01)
            fail_msg("way %d: the labels' log-probability changes by %g", way, change);
        scene_close(&s);
    }
}

/* Smoothing is of gold: the labels' loss is -h · log p(ŷ) and no more. */
static void the_labels_loss_is_not_smoothed(void **state)
{
    static const char *const plain[][2] = { { "meta-gold", "false" }, { "meta-label-smoothing", "0" }, { NULL } };
    static const char *const smooth[][2] = { { "meta-gold", "false" }, { "meta-label-smoothing", "0.9" }, { NULL } };
    struct scene a = scene_open(plain), b = scene_open(smooth);
    one_step(&a, true);
    one_step(&b, true);
    assert_same_weights(a.teacher, b.teacher);
    scene_close(&a);
    scene_close(&b);
}

/* decay 0: what was gained the last time; 0.9: a tenth of that after the first time. */
static void gains_are_compared_with_their_moving_average(void **state)
{
    static const char *const last[][2] = { { "meta-baseline", "0" }, { NULL } };
    static const char *const slow[][2] = { { "meta-baseline", "0.9" }, { NULL } };
    double baseline[2];
    for (int i = 0; i < 2; i++) {
        struct scene s = scene_open(i ? slow : last);
        one_step(&s, true);
        json_t *position = s.source.save(s.source.state);
        baseline[i] = json_number_value(json_object_get(position, "baseline"));
        assert_int_equal(json_integer_value(json_object_get(position, "teacher_updates")), 1);
        json_decref(position);
        scene_close(&s);
    }
    assert_true(baseline[0] > 0.05 && fabs(baseline[1] - 0.1 * baseline[0]) < 1e-5 * baseline[0]);
}

static void the_targets_are_samples_of_the_teacher(void **state)
{
    struct batch a = { 0 }, b = { 0 };
    struct scene first = scene_open(NULL), again = scene_open(NULL);
    struct batch_source gold = batches_make(first.student, first.unlabelled, true);
    assert_int_equal(first.source.next(first.source.state, &a, &err), 1);
    assert_int_equal(again.source.next(again.source.state, &b, &err), 1);
    assert_int_equal(a.target_tokens, b.target_tokens);
    assert_memory_equal(a.output, b.output, sizeof(int32_t) * (size_t)a.target_tokens);
    assert_int_equal(gold.next(gold.state, &b, &err), 1);
    assert_int_equal(a.source_tokens, b.source_tokens);
    assert_memory_equal(a.source, b.source, sizeof(int32_t) * (size_t)a.source_tokens);
    bool same = a.target_tokens == b.target_tokens
        && !memcmp(a.output, b.output, sizeof(int32_t) * (size_t)a.target_tokens);
    assert_false(same || a.sampled);
    gold.free(gold.state);
    batch_release(&a);
    batch_release(&b);
    scene_close(&first);
    scene_close(&again);
}

/* ---- through a training ---- */

static void run_meta(struct scene *s, const char *folder, struct train_config c)
{
    struct store *dev_store = corpus_make(s->student, 20);
    struct batch_source dev = batches_make(s->student, dev_store, false);
    struct objective o = objective_cross_entropy(0.1f);
    const struct train_data data = { .train = &s->source, .dev = &dev };
    struct train_report report;
    if (!c.resume)
        expect_ok(dir_remove(folder, &err));
    expect_ok(train_model(s->student, &o, &data, &c, folder, &report, &err));
    o.free(o.shared);
    dev.free(dev.state);
    store_close(dev_store);
}

static void a_resumed_run_has_the_teacher_of_an_undisturbed_one(void **state)
{
    struct train_config c = config_make(16);
    c.save_every = 1;
    c.keep_checkpoints = 1000;
    struct scene whole = scene_open(NULL);
    struct model *untrained = model_make("transformer");
    run_meta(&whole, scratch_path("meta"), c);
    assert_memory_not_equal(whole.teacher->params.block, untrained->params.block, 4096);
    for (int later = 8; later <= 16; later++) {
        char name[64];
        snprintf(name, sizeof name, "meta/checkpoints/update-%d.safetensors", later);
        assert_int_equal(remove(scratch_path(name)), 0);
    }
    struct scene rest = scene_open(NULL);
    c.resume = true;
    run_meta(&rest, scratch_path("meta"), c);
    assert_same_weights(whole.student, rest.student);
    assert_same_weights(whole.teacher, rest.teacher);
    model_free(untrained);
    scene_close(&whole);
    scene_close(&rest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_that_helped_become_likelier_and_others_less_so),
        cmocka_unit_test(the_labels_loss_is_not_smoothed),
        cmocka_unit_test(gains_are_compared_with_their_moving_average),
        cmocka_unit_test(the_targets_are_samples_of_the_teacher),
        cmocka_unit_test(a_resumed_run_has_the_teacher_of_an_undisturbed_one),
    };
    log_quiet(true);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
