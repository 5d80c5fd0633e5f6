/* What validation by decoding reads, and what it refuses. */
#include "tests/test.h"

#include "base/error.h"
#include "decode/validate.h"

static int open_texts(const char *source, const char *reference, int64_t limit, struct validator *v,
                      struct error *err)
{
    write_text(scratch_path("dev.src"), source);
    write_text(scratch_path("dev.trg"), reference);
    return validator_open(v, scratch_path("dev.src"), scratch_path("dev.trg"), limit, err);
}

static void aligned_files_are_read(void **state)
{
    struct validator v = { 0 };
    struct error err = { 0 };
    assert_int_equal(open_texts("a\nb\n", "c\nd\n", 0, &v, &err), 0);
    assert_non_null(v.decode);
    validator_close(&v);
    assert_null(v.state);
    validator_close(&v);                /* harmless */
}

static void only_the_first_lines_must_be_aligned_under_a_limit(void **state)
{
    struct validator v = { 0 };
    struct error err = { 0 };
    assert_int_equal(open_texts("a\nb\nc\n", "c\nd\n", 2, &v, &err), 0);
    validator_close(&v);
}

static void any_metric_can_be_chosen(void **state)
{
    struct validator v = { 0 };
    struct error err = { 0 };
    bool falls = true;
    assert_int_equal(open_texts("a\nb\n", "c\nd\n", 0, &v, &err), 0);
    assert_int_equal(v.choose(v.state, "chrf++", &falls, &err), 0);
    assert_false(falls);
    assert_int_equal(v.choose(v.state, "blue", &falls, &err), -1);
    assert_non_null(strstr(err.text, "there is no metric 'blue'; known are nll, bleu, chrf, chrf++"));
    validator_close(&v);
}

static void differing_lengths_are_told_with_both_counts(void **state)
{
    struct validator v = { 0 };
    struct error err = { 0 };
    assert_int_equal(open_texts("a\nb\nc\n", "c\nd\n", 0, &v, &err), -1);
    assert_non_null(strstr(err.text, "dev.src' has 3 lines"));
    assert_non_null(strstr(err.text, "dev.trg' has 2"));
    assert_null(v.state);
}

static void an_empty_set_is_refused(void **state)
{
    struct validator v = { 0 };
    struct error err = { 0 };
    assert_int_equal(open_texts("", "", 0, &v, &err), -1);
    assert_non_null(strstr(err.text, "is empty"));
}

static void a_missing_file_is_named(void **state)
{
    struct validator v = { 0 };
    struct error err = { 0 };
    assert_int_equal(validator_open(&v, "/nowhere/x", "/nowhere/y", 0, &err), -1);
    assert_non_null(strstr(err.text, "/nowhere/x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aligned_files_are_read),
        cmocka_unit_test(only_the_first_lines_must_be_aligned_under_a_limit),
        cmocka_unit_test(any_metric_can_be_chosen),
        cmocka_unit_test(differing_lengths_are_told_with_both_counts),
        cmocka_unit_test(an_empty_set_is_refused),
        cmocka_unit_test(a_missing_file_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
