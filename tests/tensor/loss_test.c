/* The loss whose target is a mixture: its gradient, its value by the formula, its limits. */
#include "tests/test.h"

#include "tensor/loss.h"

#define V 37

static void logits_fill(float *x, float *q, double temperature)
{
    double sum = 0;
    for (int i = 0; i < V; i++) {
        x[i] = (float)(3 * sin(1.7 * i));
        q[i] = (float)exp(2 * cos(0.9 * i) / temperature);
        sum += (double)q[i];
    }
    for (int i = 0; i < V; i++)
        q[i] = (float)((double)q[i] / sum);
}

/* The definition of tensor/loss.h, in double precision. */
static double definition(const float *x, int gold, const struct mixture *mix)
{
    double T = (double)mix->temperature, sum = 0, soft = 0, loss = 0;
    for (int i = 0; i < V; i++) {
        sum += exp((double)x[i]);
        soft += exp((double)x[i] / T);
    }
    for (int i = 0; i < V; i++) {
        double target = (double)mix->floor / V + (i == gold ? (double)mix->gold : 0);
        loss -= target * ((double)x[i] - log(sum));
        if (mix->teacher)
            loss -= (double)mix->teacher_mass * (double)mix->teacher[i] * ((double)x[i] / T - log(soft));
    }
    return loss;
}

static float q[V];
static const struct mixture mixtures[] = {
    { .gold = 1, .temperature = 1 },
    { .gold = 0.9f, .floor = 0.1f, .temperature = 1 },
    { .gold = 0.45f, .floor = 0.05f, .teacher = q, .teacher_mass = 0.5f, .temperature = 1 },
    { .teacher = q, .teacher_mass = 1, .temperature = 1 },
    { .gold = 0.3f, .teacher = q, .teacher_mass = 0.7f * 4, .temperature = 2 },
    { .gold = 0.3f, .floor = 0.1f, .teacher = q, .teacher_mass = 0.6f, .temperature = 0.5f },
};
#define MIXTURES (sizeof mixtures / sizeof *mixtures)

static void check_mixtures(const char *isa)
{
    const struct kernels *k = kernels_named(isa);
    if (!k) {
        print_message("skipped: this processor has no %s\n", isa);
        skip();
    }
    for (size_t m = 0; m < MIXTURES; m++) {
        float x[V], gradient[V], room[V], gold_logp;
        const float scale = 0.8f;
        int gold = 11;
        logits_fill(x, q, (double)mixtures[m].temperature);
        memcpy(gradient, x, sizeof x);
        double loss = (double)k->mixture_loss(gradient, &gold_logp, gold, &mixtures[m], scale, V, room);
        double expected = (double)scale * definition(x, gold, &mixtures[m]);
        if (fabs(loss - expected) > 1e-5 * (1 + fabs(expected)))
            fail_msg("mixture %zu on %s: loss %g, by definition %g", m, isa, loss, expected);
        struct mixture only_gold = { .gold = 1, .temperature = 1 };
        assert_true(fabs((double)gold_logp + definition(x, gold, &only_gold)) < 1e-5);
        for (int i = 0; i < V; i++) {
            float kept = x[i];
            x[i] = kept + 0x1p-8f;
            double above = definition(x, gold, &mixtures[m]);
            x[i] = kept - 0x1p-8f;
            double below = definition(x, gold, &mixtures[m]);
            x[i] = kept;
            double slope = (double)scale * (above - below) * 0x1p7;
            if (fabs(slope - (double)gradient[i]) > 2e-5 * (1 + fabs(slope)))
                fail_msg("mixture %zu on %s: gradient %d is %g, slope %g", m, isa, i, (double)gradient[i], slope);
        }
    }
}

static void gradients_and_values_follow_the_definition_baseline(void **state) { check_mixtures("baseline"); }
static void gradients_and_values_follow_the_definition_avx2(void **state) { check_mixtures("avx2"); }
static void gradients_and_values_follow_the_definition_avx512(void **state) { check_mixtures("avx512"); }

static void a_teacher_without_mass_changes_no_bit(void **state)
{
    float x[V], alone[V], with[V], room[V], logp;
    struct mixture none = { .gold = 0.9f, .floor = 0.1f, .temperature = 1 };
    logits_fill(x, q, 1);
    memcpy(alone, x, sizeof x);
    memcpy(with, x, sizeof x);
    float a = kernel->mixture_loss(alone, &logp, 3, &none, 1, V, room);
    none.teacher = q;
    float b = kernel->mixture_loss(with, &logp, 3, &none, 1, V, room);
    assert_true(a == b);
    assert_memory_equal(alone, with, sizeof alone);
}

static void a_temperature_near_one_is_nearly_none(void **state)
{
    float x[V], at_one[V], near_one[V], room[V], logp;
    struct mixture mix = { .gold = 0.5f, .teacher = q, .teacher_mass = 0.5f, .temperature = 1 };
    logits_fill(x, q, 1);
    memcpy(at_one, x, sizeof x);
    memcpy(near_one, x, sizeof x);
    kernel->mixture_loss(at_one, &logp, 3, &mix, 1, V, room);
    mix.temperature = 1.00001f;
    kernel->mixture_loss(near_one, &logp, 3, &mix, 1, V, room);
    for (int i = 0; i < V; i++)
        assert_true(fabsf(at_one[i] - near_one[i]) < 1e-5f);
}

static void a_student_that_equals_its_teacher_has_no_gradient(void **state)
{
    float x[V], room[V], logp;
    struct mixture mix = { .teacher = q, .teacher_mass = 1, .temperature = 1 };
    logits_fill(x, q, 1);
    for (int i = 0; i < V; i++)
        x[i] = logf(q[i]) + 5;
    kernel->mixture_loss(x, &logp, 0, &mix, 1, V, room);
    for (int i = 0; i < V; i++)
        assert_true(fabsf(x[i]) < 1e-6f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_and_values_follow_the_definition_baseline),
        cmocka_unit_test(gradients_and_values_follow_the_definition_avx2),
        cmocka_unit_test(gradients_and_values_follow_the_definition_avx512),
        cmocka_unit_test(a_teacher_without_mass_changes_no_bit),
        cmocka_unit_test(a_temperature_near_one_is_nearly_none),
        cmocka_unit_test(a_student_that_equals_its_teacher_has_no_gradient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
