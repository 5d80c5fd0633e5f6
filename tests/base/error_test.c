#include "tests/test.h"

#include "base/error.h"

static void set_describes_and_returns_minus_one(void **state)
{
    struct error err = { 0 };
    assert_int_equal(error_set(&err, "duplicate word '%s' at %s:%d", "a", "train.vocab", 3), -1);
    assert_string_equal(err.text, "duplicate word 'a' at train.vocab:3");
}

static void nobody_has_to_listen(void **state)
{
    assert_int_equal(error_set(NULL, "lost"), -1);
    assert_int_equal(error_prefix(NULL, "lost"), -1);
}

static void prefix_stands_before_the_text(void **state)
{
    struct error err = { 0 };
    error_set(&err, "no space left");
    assert_int_equal(error_prefix(&err, "stage '%s'", "teacher"), -1);
    assert_string_equal(err.text, "stage 'teacher': no space left");
}

static void text_may_be_made_from_itself(void **state)
{
    struct error err = { 0 };
    error_set(&err, "inner");
    error_set(&err, "outer (%s)", err.text);
    assert_string_equal(err.text, "outer (inner)");
}

static void long_texts_show_that_they_are_cut(void **state)
{
    struct error err = { 0 };
    char text[3000];
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'x', sizeof text);
        for (size_t i = shift; i + 1 < sizeof text; i += 2)
            memcpy(text + i, "ü", 2);
        text[sizeof text - 1] = '\0';
        error_set(&err, "%s", text);
        assert_true(strlen(err.text) < sizeof err.text);
        assert_string_equal(strrchr(err.text, ' '), " …");
        error_prefix(&err, "file");
        assert_memory_equal(err.text, "file: ", 6);
        assert_string_equal(strrchr(err.text, ' '), " …");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_describes_and_returns_minus_one),
        cmocka_unit_test(nobody_has_to_listen),
        cmocka_unit_test(prefix_stands_before_the_text),
        cmocka_unit_test(text_may_be_made_from_itself),
        cmocka_unit_test(long_texts_show_that_they_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
