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

/* D(q, r) of tensor/loss.h, in double precision; x/T is needed by the double one alone. */
static double divergence(const struct mixture *mix, const double *r, const double *f)
{
    double d = 0, skew = (double)mix->skew;
    for (int i = 0; i < V; i++) {
        double p = r[i], t = (double)mix->teacher[i], h;
        switch (mix->divergence) {
        case DIVERGENCE_KL: d -= t * log(p); break;
        case DIVERGENCE_REVERSE_KL: d += p * log(p / t); break;
        case DIVERGENCE_JSD:
            h = skew * t + (1 - skew) * p;
            d += skew * t * log(t / h) + (1 - skew) * p * log(p / h);
            break;
        case DIVERGENCE_SKEW_KL: d += t * log(t / (skew * t + (1 - skew) * p)); break;
        case DIVERGENCE_SKEW_REVERSE_KL: d += p * log(p / ((1 - skew) * t + skew * p)); break;
        case DIVERGENCE_TVD: d += 0.5 * fabs(t - p); break;
        case DIVERGENCE_DOUBLE: d += t * log1p(exp(-f[i])) + (1 - t) * (1 - t) * log1p(exp(f[i])); break;
        }
    }
    return d;
}

static double top_divergence(const struct mixture *mix, const double *r)
{
    double d = 0, others = 1, even = mix->top < V ? (double)mix->rest / (V - mix->top) : 0;
    for (int i = 0; i < V; i++)
        d -= even * log(r[i]);
    for (int k = 0; k < mix->top; k++) {
        d -= ((double)mix->top_p[k] - even) * log(r[mix->top_id[k]]);
        others -= r[mix->top_id[k]];
    }
    return mix->bucket > 0 ? d - (double)mix->bucket * log(others) : d;
}

/* The definition of tensor/loss.h, in double precision. */
static double definition(const float *x, int gold, const struct mixture *mix)
{
    double T = (double)mix->temperature, sum = 0, soft = 0, loss = 0, r[V], f[V];
    for (int i = 0; i < V; i++) {
        sum += exp((double)x[i]);
        soft += exp((double)x[i] / T);
    }
    for (int i = 0; i < V; i++) {
        double target = (double)mix->floor / V + (i == gold ? (double)mix->gold : 0);
        f[i] = (double)x[i] / T;
        r[i] = exp(f[i]) / soft;
        loss -= target * ((double)x[i] - log(sum));
    }
    if (mix->top)
        return loss + (double)mix->teacher_mass * top_divergence(mix, r);
    return mix->teacher ? loss + (double)mix->teacher_mass * divergence(mix, r, f) : loss;
}

static float q[V];
static const int32_t top_id[] = { 20, 3, 11, 36 };
static const float top_p[] = { 0.4f, 0.2f, 0.15f, 0.05f };
#define TOP .top = 4, .top_id = top_id, .top_p = top_p
static const struct mixture mixtures[] = {
    { .gold = 1, .temperature = 1 },
    { .gold = 0.9f, .floor = 0.1f, .temperature = 1 },
    { .gold = 0.45f, .floor = 0.05f, .teacher = q, .teacher_mass = 0.5f, .temperature = 1 },
    { .teacher = q, .teacher_mass = 1, .temperature = 1 },
    { .gold = 0.3f, .teacher = q, .teacher_mass = 0.7f * 4, .temperature = 2 },
    { .gold = 0.3f, .floor = 0.1f, .teacher = q, .teacher_mass = 0.6f, .temperature = 0.5f },
    { .teacher = q, .teacher_mass = 1, .temperature = 1, .divergence = DIVERGENCE_REVERSE_KL },
    { .gold = 0.3f, .floor = 0.1f, .teacher = q, .teacher_mass = 0.6f, .temperature = 2,
      .divergence = DIVERGENCE_REVERSE_KL },
    { .teacher = q, .teacher_mass = 1, .temperature = 1, .divergence = DIVERGENCE_JSD, .skew = 0.5f },
    { .gold = 0.3f, .teacher = q, .teacher_mass = 0.7f, .temperature = 0.5f, .divergence = DIVERGENCE_JSD, .skew = 0.1f },
    { .teacher = q, .teacher_mass = 1, .temperature = 1, .divergence = DIVERGENCE_SKEW_KL, .skew = 0.1f },
    { .gold = 0.3f, .teacher = q, .teacher_mass = 0.7f, .temperature = 3, .divergence = DIVERGENCE_SKEW_KL, .skew = 0.4f },
    { .teacher = q, .teacher_mass = 1, .temperature = 1, .divergence = DIVERGENCE_SKEW_REVERSE_KL, .skew = 0.1f },
    { .gold = 0.3f, .teacher = q, .teacher_mass = 0.7f, .temperature = 3,
      .divergence = DIVERGENCE_SKEW_REVERSE_KL, .skew = 0.4f },
    { .gold = 0.2f, .teacher = q, .teacher_mass = 0.8f, .temperature = 1, .divergence = DIVERGENCE_TVD },
    { .teacher = q, .teacher_mass = 1, .temperature = 2, .divergence = DIVERGENCE_TVD },
    { .gold = 0.2f, .teacher = q, .teacher_mass = 0.8f, .temperature = 1, .divergence = DIVERGENCE_DOUBLE },
    { .teacher = q, .teacher_mass = 0.1f, .temperature = 2, .divergence = DIVERGENCE_DOUBLE },
    { TOP, .teacher_mass = 1, .temperature = 1, .rest = 0.2f },
    { TOP, .gold = 0.4f, .floor = 0.1f, .teacher_mass = 0.5f, .temperature = 1, .rest = 0.2f },
    { TOP, .gold = 0.4f, .teacher_mass = 0.5f, .temperature = 2, .rest = 0.2f },
    { TOP, .gold = 0.4f, .teacher_mass = 0.5f, .temperature = 1 },
    { TOP, .teacher_mass = 1, .temperature = 1, .bucket = 0.2f },
    { TOP, .gold = 0.4f, .floor = 0.1f, .teacher_mass = 0.5f, .temperature = 2, .bucket = 0.2f },
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

/* Rows as they come in earnest: many classes, most of them all but impossible to one side or both. */
static void extreme_rows_stay_finite(void **state)
{
    for (int d = DIVERGENCE_KL; d <= DIVERGENCE_DOUBLE; d++) {
        float x[V], t[V], room[V], logp;
        struct mixture mix = { .gold = 0.1f, .floor = 0.1f, .teacher = t, .teacher_mass = 1, .temperature = 1,
                               .divergence = (enum divergence)d, .skew = 0.1f };
        for (int i = 0; i < V; i++) {
            x[i] = i == 4 ? 300 : i == 9 ? -300 : (float)-i;
            t[i] = i == 9 ? 1 : 0;
        }
        float loss = kernel->mixture_loss(x, &logp, 2, &mix, 1, V, room);
        assert_true(isfinite(loss) && loss > 0);
        for (int i = 0; i < V; i++)
            assert_true(isfinite(x[i]));
    }
}

static void logits_and_gradient(float *gradient, const struct mixture *mix)
{
    float room[V], logp;
    logits_fill(gradient, q, (double)mix->temperature);
    kernel->mixture_loss(gradient, &logp, 7, mix, 1, V, room);
}

static void assert_near(const float *a, const float *b, float factor, float margin)
{
    for (int i = 0; i < V; i++)
        if (fabsf(a[i] - factor * b[i]) > margin)
            fail_msg("%d: %g, expected %g", i, (double)a[i], (double)(factor * b[i]));
}

/* JSD(β)/β → KL as β → 0, and JSD(β)/(1-β) → the reverse KL as β → 1; the skewed ones likewise. */
static void the_divergences_meet_at_their_ends(void **state)
{
    static const struct { enum divergence kind; float skew, factor; enum divergence limit; } ends[] = {
        { DIVERGENCE_JSD, 1e-4f, 1e-4f, DIVERGENCE_KL },
        { DIVERGENCE_JSD, 1 - 1e-4f, 1e-4f, DIVERGENCE_REVERSE_KL },
        { DIVERGENCE_SKEW_KL, 0, 1, DIVERGENCE_KL },
        { DIVERGENCE_SKEW_REVERSE_KL, 0, 1, DIVERGENCE_REVERSE_KL },
    };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        for (float T = 1; T <= 2; T++) {
            float a[V], b[V];
            struct mixture mix = { .teacher = q, .teacher_mass = 1, .temperature = T };
            mix.divergence = ends[i].kind;
            mix.skew = ends[i].skew;
            logits_and_gradient(a, &mix);
            mix.divergence = ends[i].limit;
            logits_and_gradient(b, &mix);
            assert_near(a, b, ends[i].factor, 2e-3f * ends[i].factor);
        }
}

static void all_tokens_as_entries_equal_a_dense_teacher(void **state)
{
    static int32_t all[V];
    for (int i = 0; i < V; i++)
        all[i] = (i * 5 + 3) % V;
    for (float T = 1; T <= 2; T++) {
        float a[V], b[V], p[V];
        struct mixture mix = { .gold = 0.3f, .floor = 0.1f, .teacher = q, .teacher_mass = 0.6f, .temperature = T };
        logits_and_gradient(a, &mix);
        for (int i = 0; i < V; i++)
            p[i] = q[all[i]];
        mix.teacher = NULL;
        mix.top = V;
        mix.top_id = all;
        mix.top_p = p;
        logits_and_gradient(b, &mix);
        assert_near(a, b, 1, 1e-6f);
    }
}

static void a_student_that_equals_its_teacher_has_no_gradient_by_any_divergence(void **state)
{
    for (int d = DIVERGENCE_KL; d < DIVERGENCE_DOUBLE; d++) {
        float x[V], room[V], logp;
        struct mixture mix = { .teacher = q, .teacher_mass = 1, .temperature = 1, .divergence = (enum divergence)d,
                               .skew = 0.3f };
        if (d == DIVERGENCE_TVD)        /* it has a kink there */
            continue;
        logits_fill(x, q, 1);
        for (int i = 0; i < V; i++)
            x[i] = logf(q[i]) + 5;
        kernel->mixture_loss(x, &logp, 0, &mix, 1, V, room);
        for (int i = 0; i < V; i++)
            assert_true(fabsf(x[i]) < 2e-6f);
    }
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
        cmocka_unit_test(a_student_that_equals_its_teacher_has_no_gradient_by_any_divergence),
        cmocka_unit_test(extreme_rows_stay_finite),
        cmocka_unit_test(the_divergences_meet_at_their_ends),
        cmocka_unit_test(all_tokens_as_entries_equal_a_dense_teacher),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
