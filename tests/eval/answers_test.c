/* Metrics over answers against scikit-learn, SciPy and seqeval (golden/answers.json, written by
 * golden/make_answers.py). */
#include "tests/test.h"

#include <math.h>

#include "base/error.h"
#include "base/json.h"
#include "base/memory.h"
#include "eval/answers.h"

static struct text *texts_of(const json_t *lines)
{
    struct text *out = xcalloc(json_array_size(lines) + 1, sizeof *out);
    for (size_t i = 0; i < json_array_size(lines); i++)
        out[i] = text_of(json_string_value(json_array_get(lines, i)));
    return out;
}

static int read_pair(struct answers *out, enum answer_kind kind, const struct text *gold, const struct text *guess,
                     size_t n, struct error *err)
{
    return answers_read(out, kind, (struct answer_lines){ gold, "gold" }, (struct answer_lines){ guess, "guess" }, n, err);
}

static void check(const char *name, const char *what, double got, const json_t *want)
{
    if (!json_is_number(want))
        assert_true(isnan(got));
    else if (!(fabs(got - json_number_value(want)) <= 1e-9 * fmax(1, fabs(got))))
        fail_msg("%s, %s: %.17g instead of %.17g", name, what, got, json_number_value(want));
}

static void check_case(const json_t *one, int samples, size_t index)
{
    const json_t *gold = json_object_get(one, "gold"), *predicted = json_object_get(one, "predicted");
    struct text *gold_lines = texts_of(gold), *predicted_lines = texts_of(predicted);
    const char *name;
    json_t *figures;

    json_object_foreach(json_object_get(one, "figures"), name, figures) {
        const struct answer_metric *metric = answer_metric_find(name);
        struct answers answers;
        struct error err;
        double low, high;
        assert_non_null(metric);
        assert_int_equal(read_pair(&answers, metric->kind, gold_lines, predicted_lines, json_array_size(gold), &err), 0);
        check(name, "score", answers_score(metric, &answers), json_array_get(figures, 0));
        answers_interval(&low, &high, metric, &answers, samples, (struct seed){ .value = 12345 },
                         (int)(index % 3));
        check(name, "lower end", low, json_array_get(figures, 1));
        check(name, "upper end", high, json_array_get(figures, 2));
        answers_release(&answers);
    }
    free(gold_lines);
    free(predicted_lines);
}

static void every_figure_is_that_of_the_python_libraries(void **state)
{
    struct error err;
    json_t *golden = json_read(TEST_DATA "/golden/answers.json", &err), *one;
    size_t i;
    json_array_foreach(json_object_get(golden, "cases"), i, one)
        check_case(one, (int)json_integer_value(json_object_get(golden, "samples")), i);
    assert_true(i >= 13);
    json_decref(golden);
}

static void a_line_that_is_no_number_is_named(void **state)
{
    struct text gold[] = { text_of("1"), text_of(" 2.5 ") }, bad[] = { text_of("1"), text_of("2,5") };
    struct answers answers = { 0 };
    struct error err;
    assert_int_equal(read_pair(&answers, ANSWER_NUMBER, gold, bad, 2, &err), -1);
    assert_string_equal(err.text, "guess:2: '2,5' is no number");
    assert_int_equal(read_pair(&answers, ANSWER_NUMBER, gold, gold, 2, &err), 0);
    assert_true(answers.gold_value[1] == 2.5);
    answers_release(&answers);
}

static void an_empty_gold_label_is_named(void **state)
{
    struct text gold[] = { text_of("yes"), text_of("  ") }, guess[] = { text_of(""), text_of("no") };
    struct answers answers = { 0 };
    struct error err;
    assert_int_equal(read_pair(&answers, ANSWER_LABEL, gold, guess, 2, &err), -1);
    assert_non_null(strstr(err.text, "gold:2: the label is empty"));
    assert_int_equal(read_pair(&answers, ANSWER_LABEL, gold, guess, 1, &err), 0);       /* an answer may be */
    answers_release(&answers);
    assert_int_equal(read_pair(&answers, ANSWER_LINE, gold, guess, 2, &err), 0);
    answers_release(&answers);
}

static void tags_must_be_as_many(void **state)
{
    struct text gold[] = { text_of("O B-X"), text_of("") }, bad[] = { text_of("O B-X"), text_of("O") };
    struct answers answers = { 0 };
    struct error err;
    assert_int_equal(read_pair(&answers, ANSWER_TAGS, gold, bad, 2, &err), -1);
    assert_string_equal(err.text, "guess:2: not as many tags as at gold:2");
    assert_int_equal(read_pair(&answers, ANSWER_TAGS, gold, gold, 2, &err), 0);
    assert_int_equal(answers.spans[0].correct, 1);
    answers_release(&answers);
}

static void constant_numbers_do_not_correlate(void **state)
{
    struct text gold[] = { text_of("1"), text_of("1"), text_of("1") };
    struct text other[] = { text_of("1"), text_of("2"), text_of("3") };
    struct answers answers;
    struct error err;
    assert_int_equal(read_pair(&answers, ANSWER_NUMBER, gold, other, 3, &err), 0);
    assert_true(isnan(answers_score(answer_metric_find("pearson"), &answers)));
    assert_true(isnan(answers_score(answer_metric_find("spearman"), &answers)));
    answers_release(&answers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_figure_is_that_of_the_python_libraries),
        cmocka_unit_test(a_line_that_is_no_number_is_named),
        cmocka_unit_test(an_empty_gold_label_is_named),
        cmocka_unit_test(tags_must_be_as_many),
        cmocka_unit_test(constant_numbers_do_not_correlate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
