/* Where rows of the table of objectives meet, and the mistakes that others made: a lost or doubled T², a mean over
 * classes, padding that counts. */
#include "tests/distill/scene.h"

#include "seq2seq/train.h"
#include "tensor/tape.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_the_teachers_share_it_is_cross_entropy_bit_for_bit),
        cmocka_unit_test(a_student_that_gives_the_teachers_logits_has_no_gradient),
        cmocka_unit_test(the_square_of_the_temperature_multiplies_the_teachers_share_once),
        cmocka_unit_test(the_loss_is_a_sum_over_classes),
        cmocka_unit_test(a_sentence_counts_the_same_whatever_stands_beside_it),
        cmocka_unit_test(a_temperature_near_one_is_nearly_none),
        cmocka_unit_test(the_rows_meet_where_their_options_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
