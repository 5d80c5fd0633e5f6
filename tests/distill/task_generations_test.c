/* Who teaches whom in the generations of students of several tasks. */
#include "tests/test.h"

#include "base/error.h"
#include "base/memory.h"
#include "distill/generations.h"
#include "distill/kinds.h"

static struct error err;

static json_t *expanded(const char *text)
{
    const char *blame = NULL;
    json_t *stages = json_loads(text, 0, NULL), *out;
    assert_non_null(stages);
    out = generations_expand(stages, stage_kinds, &blame, &err);
    json_decref(stages);
    return out;
}

#define FAMILY(more) "{\"bam\": {\"kind\": \"train-tasks\", \"tasks\": [\"a\", \"b\"], \"vocabulary\": \"v\"" more "}" \
    ", \"after\": {\"kind\": \"train-tasks\", \"tasks\": [\"a\"], \"vocabulary\": \"v\", \"start\": \"bam\"}" \
    ", \"table\": {\"kind\": \"task-table\", \"tasks\": [\"a\", \"b\"], \"rows\": \"bam-scores\"}}"

/* The text at stage/key/key… */
static const char *at(const json_t *stages, const char *stage, const char *key, const char *inner)
{
    const json_t *value = json_object_get(json_object_get(stages, stage), key);
    return json_string_value(inner ? json_object_get(value, inner) : value);
}

static void each_task_is_taught_by_its_model_of_the_generation_before(void **state)
{
    json_t *s = expanded(FAMILY(", \"generations\": [\"single to multi\", \"multi to single to multi\"]"));
    assert_non_null(s);
    assert_null(json_object_get(s, "bam"));
    assert_null(json_object_get(json_object_get(s, "bam-single-a"), "teachers"));
    assert_string_equal(at(s, "bam-single-to-multi", "teachers", "b"), "bam-single-b");
    assert_string_equal(at(s, "bam-multi-to-single-a", "teachers", "a"), "bam-multi");
    assert_null(at(s, "bam-multi-to-single-a", "teachers", "b"));
    assert_string_equal(at(s, "bam-multi-to-single-to-multi", "teachers", "b"), "bam-multi-to-single-b");
    assert_int_equal(json_array_size(json_object_get(json_object_get(s, "bam-single-b"), "tasks")), 1);
    assert_int_equal(json_array_size(json_object_get(json_object_get(s, "bam-multi"), "tasks")), 2);
    assert_string_equal(at(s, "bam-multi-scores", "model", NULL), "bam-multi");
    assert_string_equal(at(s, "after", "start", NULL), "bam-multi-to-single-to-multi");
    json_decref(s);
}

static void keys_go_to_the_models_that_they_are_for(void **state)
{
    json_t *s = expanded(FAMILY(", \"dim\": \"1\", \"generations\": [\"single\", \"single to single\", \"multi\"]"
                                ", \"single\": {\"dim\": \"2\"}, \"of\": {\"b\": {\"dim\": \"3\"}}, \"taught\": {\"alpha\": \"x\"}"
                                ", \"variants\": {\"wide\": {\"generation\": \"single to multi\", \"dim\": \"9\"}}"));
    assert_non_null(s);
    assert_string_equal(at(s, "bam-single-a", "dim", NULL), "2");
    assert_string_equal(at(s, "bam-single-b", "dim", NULL), "3");
    assert_string_equal(at(s, "bam-multi", "dim", NULL), "1");
    assert_string_equal(at(s, "bam-wide", "dim", NULL), "9");
    assert_string_equal(at(s, "bam-wide", "alpha", NULL), "x");
    assert_string_equal(at(s, "bam-wide", "teachers", "a"), "bam-single-a");
    assert_null(at(s, "bam-single-a", "alpha", NULL));
    assert_string_equal(at(s, "bam-single-to-single-a", "alpha", NULL), "x");
    assert_null(json_object_get(json_object_get(s, "bam-wide"), "generation"));
    json_decref(s);
}

static void a_table_gets_a_row_a_generation(void **state)
{
    json_t *s = expanded(FAMILY(", \"generations\": [\"single\", \"single to multi\"]"
                                ", \"variants\": {\"half\": {\"generation\": \"single to multi\"}}"));
    const json_t *rows = json_object_get(json_object_get(s, "table"), "rows");
    assert_int_equal(json_object_size(rows), 3);
    assert_string_equal(json_string_value(json_array_get(json_object_get(rows, "single"), 1)), "bam-single-b-scores");
    assert_string_equal(json_string_value(json_object_get(rows, "single to multi")), "bam-single-to-multi-scores");
    assert_string_equal(json_string_value(json_object_get(rows, "half")), "bam-half-scores");
    json_decref(s);
}

static void what_teachers_say_may_be_kept(void **state)
{
    json_t *s = expanded(FAMILY(", \"kept\": true, \"generations\": [\"single to multi\", \"multi to multi\"]"));
    assert_string_equal(at(s, "bam-single-to-multi", "outputs", "a"), "bam-single-a-outputs");
    assert_string_equal(at(s, "bam-single-a-outputs", "model", NULL), "bam-single-a");
    assert_string_equal(at(s, "bam-multi-to-multi", "outputs", "b"), "bam-multi-b-outputs");
    assert_string_equal(at(s, "bam-multi-b-outputs", "task", NULL), "b");
    assert_null(json_object_get(json_object_get(s, "bam-single-to-multi"), "teachers"));
    json_decref(s);
}

static void mistakes_are_told(void **state)
{
    static const struct { const char *text, *says; } cases[] = {
        { FAMILY(", \"generations\": [\"single to many\"]"), "'single to many' is no way from model to model" },
        { FAMILY(", \"generations\": [\"\"]"), "'' is no way" },
        { FAMILY(", \"generations\": [3]"), "is no way" },
        { FAMILY(", \"generations\": [\"single\"], \"of\": {\"c\": {}}"), "'c' is none of the 'tasks'" },
        { FAMILY(", \"generations\": [\"single\"], \"taught\": 3"), "'taught' is a mapping" },
        { FAMILY(", \"generations\": [\"single\"], \"kept\": 3"), "kept: true or false" },
        { FAMILY(", \"generations\": [\"single\"], \"variants\": {\"x\": {\"generation\": \"single\"}}"), "'x' needs a 'generation'" },
        { "{\"x\": {\"kind\": \"train\", \"generations\": [\"single\"]}}", "is for stages of kind train-tasks" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_null(expanded(cases[i].text));
        if (!strstr(err.text, cases[i].says))
            fail_msg("'%s' instead of '%s'", err.text, cases[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_task_is_taught_by_its_model_of_the_generation_before),
        cmocka_unit_test(keys_go_to_the_models_that_they_are_for),
        cmocka_unit_test(a_table_gets_a_row_a_generation),
        cmocka_unit_test(what_teachers_say_may_be_kept),
        cmocka_unit_test(mistakes_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
