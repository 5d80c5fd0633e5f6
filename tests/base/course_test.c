/* Numbers that change over a training: the shapes, their texts, the mistakes in them. */
#include "tests/test.h"

#include "base/course.h"
#include "base/error.h"
#include "base/option.h"

static struct error err;

static const struct {
    const char *text;
    double progress;
    int64_t update;
    int rises;
    double value;
} values[] = {
    { "0.5", 0, 0, 0, 0.5 },
    { "0.5", 1, 900, 4, 0.5 },
    { "linear 1 0", 0, 0, 0, 1 },
    { "linear 1 0", 0.25, 7, 0, 0.75 },
    { "linear 1 0", 1, 7, 0, 0 },
    { "ramp 0 3 100 600", 0.9, 100, 0, 0 },
    { "ramp 0 3 100 600", 0.1, 350, 0, 1.5 },
    { "ramp 0 3 100 600", 0.1, 5000, 0, 3 },
    { "ramp 0 1 20% 60%", 0.4, 5, 0, 0.5 },
    { "ramp 0 1 50 50", 0, 49, 0, 0 },
    { "ramp 0 1 50 50", 0, 50, 0, 1 },
    { "cut-off 0.7 60%", 0.599, 0, 0, 0.7 },
    { "cut-off 0.7 60%", 0.6, 0, 0, 0 },
    { "cut-off 0.7 10", 0.9, 9, 0, 0.7 },
    { "cut-off 0.7 10", 0.9, 10, 0, 0 },
    { "exponential 1 0 200", 0, 0, 0, 1 },
    { "exponential 1 0 200", 0.5, 0, 0, 0.0707106781 },
    { "exponential 0 1 200", 1, 0, 0, 0.995 },
    { "triggered 0 1 0.25", 0.7, 90, 0, 0 },
    { "triggered 0 1 0.25", 0.7, 90, 3, 0.75 },
    { "triggered 0 1 0.25", 0.7, 90, 9, 1 },
    { "triggered 0.2 0.6 0.5", 0, 0, 1, 0.4 },
};

static void each_shape_gives_its_values(void **state)
{
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct moment when = { values[i].progress, values[i].update, values[i].rises, 0 };
        struct course c;
        assert_int_equal(course_parse(&c, values[i].text, 0, 0, &err), 0);
        if (fabs((double)course_at(&c, &when) - values[i].value) > 1e-6)
            fail_msg("%s: %g, expected %g", values[i].text, (double)course_at(&c, &when), values[i].value);
    }
}

static void a_course_says_itself_as_it_was_given(void **state)
{
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[COURSE_TEXT];
        struct course c;
        assert_int_equal(course_parse(&c, values[i].text, 0, 0, &err), 0);
        course_text(text, &c);
        assert_string_equal(text, values[i].text);
    }
}

static void a_course_tells_what_it_hangs_on(void **state)
{
    static const struct { const char *text; bool watches, shares; int64_t stays; } cases[] = {
        { "0.5", false, false, 0 }, { "linear 1 0", false, true, 0 }, { "exponential 0 1 200", false, true, 0 },
        { "ramp 0 3 100 600", false, false, 100 }, { "ramp 0 1 20% 60%", false, true, 0 },
        { "cut-off 0.7 10", false, false, 10 }, { "cut-off 0.7 60%", false, true, 0 }, { "triggered 0 1 0.1", true, false, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct course c;
        assert_int_equal(course_parse(&c, cases[i].text, 0, 0, &err), 0);
        if (course_watches(&c) != cases[i].watches || course_shares(&c) != cases[i].shares || course_stays(&c) != cases[i].stays)
            fail_msg("%s", cases[i].text);
    }
}

static const struct { const char *text, *says; } mistakes[] = {
    { "", "neither a number nor" },
    { "linaer 1 0", "did you mean 'linear'" },
    { "linear 1", "wanted: linear FROM TO" },
    { "linear 1 0 5", "'5' is too much" },
    { "linear 1 2", "2 is out of range 0 … 1" },
    { "1.5", "1.5 is out of range 0 … 1" },
    { "linear 10% 0", "only a place" },
    { "ramp 0 1 600 100", "the first one first" },
    { "ramp 0 1 10 60%", "of one kind" },
    { "cut-off 0.5 110%", "out of range" },
    { "cut-off 0.5 -3", "out of range" },
    { "exponential 1 0 0.5", "0.5 is not more than 1" },
    { "exponential 0 1 1", "1 is not more than 1" },
    { "triggered 0 1 0", "0 is not more than 0" },
    { "triggered 0 1 5%", "only a place" },
};

static void mistakes_are_named(void **state)
{
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct course c = { .from = 9 };
        assert_int_equal(course_parse(&c, mistakes[i].text, 0, 1, &err), -1);
        if (!strstr(err.text, mistakes[i].says))
            fail_msg("%s: %s", mistakes[i].text, err.text);
        assert_true(c.from == 9);       /* untouched */
    }
}

static void an_option_takes_a_number_or_a_course(void **state)
{
    struct { struct course alpha; } config;
    static const struct option table[] = { { "alpha", OPTION_COURSE, 0, "0.1", 0, 1, "a weight" }, { 0 } };
    const struct option_group groups[] = { { NULL, table, &config }, { NULL } };
    options_default(groups);
    json_t *json = options_to_json(groups);
    assert_true(json_real_value(json_object_get(json, "alpha")) == 0.1);
    json_decref(json);
    json_t *number = json_real(0.25);
    assert_int_equal(options_set_json(groups, "alpha", number, &err), 0);
    json_decref(number);
    assert_true(config.alpha.from == 0.25f && course_constant(&config.alpha));
    assert_int_equal(options_set(groups, "alpha", "cut-off 0.5 60%", &err), 0);
    json = options_to_json(groups);
    assert_string_equal(json_string_value(json_object_get(json, "alpha")), "cut-off 0.5 60%");
    json_decref(json);
    assert_int_equal(options_set(groups, "alpha", "linear 0 7", &err), -1);
    assert_non_null(strstr(err.text, "key 'alpha': "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_shape_gives_its_values),
        cmocka_unit_test(a_course_says_itself_as_it_was_given),
        cmocka_unit_test(a_course_tells_what_it_hangs_on),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(an_option_takes_a_number_or_a_course),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
