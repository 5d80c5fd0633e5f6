/* Several teachers, teachers of other architectures, temperatures and vocabularies. */
#include "tests/distill/scene.h"

#include "base/course.h"

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
        cmocka_unit_test(several_teachers_teach_their_mean),
        cmocka_unit_test(teachers_of_other_architectures_teach_their_weighted_mean),
        cmocka_unit_test(a_temperature_of_the_teachers_alone_leaves_the_student_s_as_it_is),
        cmocka_unit_test(other_vocabularies_are_refused_and_seq_kd_is_suggested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
