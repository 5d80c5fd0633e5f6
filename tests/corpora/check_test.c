/* What a check finds, and where. */
#include "tests/test.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"
#include "corpora/check.h"
#include "corpora/aligner.h"

static struct check_config config;
static struct option_group groups[] = {
    { NULL, check_options, &config }, { NULL, import_options, &config.import }, { NULL, NULL, NULL },
};
static char source[4096], target[4096];

static int defaults(void **state)
{
    options_default(groups);
    config.threads = 2;
    snprintf(source, sizeof source, "%s", scratch_path("s"));
    snprintf(target, sizeof target, "%s", scratch_path("t"));
    return 0;
}

static int release(void **state)
{
    options_release(groups);
    return 0;
}

static int row(const char *name)
{
    int i = 0;
    while (strcmp(checks[i].name, name))
        i++;
    return i;
}

static void check(struct check_report *out)
{
    struct error err = { 0 };
    if (corpus_check(out, source, target, &config, &err) < 0)
        fail_msg("%s", err.text);
}

static void each_check_finds_its_line(void **state)
{
    static const struct { const char *source, *target, *check; } cases[] = {
        { "", "x y z", "empty" }, { "a b c", " ", "empty" }, { "b\xff" "d", "x", "encoding" },
        { "same here", "same here", "identical" }, { "a b c d e f g h i", "x", "uneven" },
        { "tab\x01" "bed", "x", "control" }, { "lost \uFFFD sign", "x y", "control" },
        { "soft\u00ADhyphen", "x", "invisible" }, { "f\u00C3\u00BCr alle", "x y", "mojibake" },
        { "See http://a.b/c", "Siehe dort", "links" }, { "In 1999 and 2000", "Im Jahr", "numbers" },
        { "<b>bold</b> x", "x y", "markup" }, { "it is , well .", "x y z u", "tokenized" },
        { "Это русский текст", "x y z", "script" },
    };
    assert_int_equal(options_set(groups, "source-lang", "en", NULL), 0);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct check_report report;
        FILE *f[2] = { fopen(source, "w"), fopen(target, "w") };
        fprintf(f[0], "One good line\n%s\nAnother good line\n", cases[i].source);
        fprintf(f[1], "Eine gute Zeile\n%s\nNoch eine gute\n", cases[i].target);
        fclose(f[0]);
        fclose(f[1]);
        check(&report);
        for (int k = 0; checks[k].name; k++) {
            bool wanted = !strcmp(checks[k].name, cases[i].check);
            if ((report.found[k].count > 0) != wanted)
                fail_msg("'%s' | '%s': %s found %d", cases[i].source, cases[i].target, checks[k].name,
                         (int)report.found[k].count);
            if (wanted)
                assert_int_equal(report.found[k].lines[0], 2);
        }
        assert_int_equal(report.failed, checks[row(cases[i].check)].level == CHECK_ERROR);
        check_report_release(&report);
    }
}

static void duplicates_and_overlap_are_counted_whatever_the_memory(void **state)
{
    char held[4096];
    snprintf(held, sizeof held, "%s", scratch_path("held"));
    write_text(held, "SENTENCE number 5!\n");
    FILE *f[2] = { fopen(source, "w"), fopen(target, "w") };
    for (int i = 0; i < 6000; i++) {
        fprintf(f[0], "sentence number %d\n", i % 4000);
        fprintf(f[1], "Satz Nummer %d %d\n", i % 4000, i % 5000);
    }
    fclose(f[0]);
    fclose(f[1]);
    assert_int_equal(options_set(groups, "against", held, NULL), 0);
    config.min_numbers = 0;
    for (int small = 0; small < 2; small++) {
        struct check_report report;
        config.dedup_memory = small ? 1 : 0;
        check(&report);
        assert_int_equal(report.found[row("duplicate_source")].count, 2000);
        assert_int_equal(report.found[row("duplicate_target")].count, 0);
        assert_int_equal(report.found[row("overlap")].count, 2);
        assert_int_equal(report.found[row("overlap")].lines[0], 6);
        assert_true(report.failed);
        check_report_release(&report);
    }
}

/* An invented language: word w of one side is word w of the other. */
static void write_line(FILE *f, int i, const char *prefix)
{
    struct rng rng;
    rng_seed(&rng, 5, (uint64_t)i);
    int words = 4 + (int)rng_below(&rng, 12);
    for (int k = 0; k < words; k++) {
        double u = rng_unit(&rng);
        fprintf(f, "%s%c%c ", prefix, (char)('a' + (int)(u * u * 26)), (char)('a' + (int)(rng_unit(&rng) * 20)));
    }
    fputs("\n", f);
}

static void slips_are_found_where_they_are(void **state)
{
    static const int lines = 24000, lost = 7000, added = 20000, swapped = 12000;
    struct check_report report;
    FILE *f[2] = { fopen(source, "w"), fopen(target, "w") };
    for (int i = 1; i <= lines; i++) {
        int j = i > swapped && i <= swapped + 1500 ? swapped + 1 + (i - swapped) * 7 % 1500 : i;
        write_line(f[0], i, "s");
        if (i != lost)
            write_line(f[1], j, "t");
        if (i == added)
            fputs("tzz tzz tzz what is this\n", f[1]);
    }
    fclose(f[0]);
    fclose(f[1]);
    check(&report);
    const struct finding *slip = &report.found[row("slip")], *stretch = &report.found[row("stretch")];
    assert_int_equal(slip->count, 2);
    assert_in_range(slip->lines[0], lost - 2, lost + 2);
    assert_in_range(slip->lines[1], added - 2, added + 2);
    assert_non_null(strstr(slip->detail, "of the source on, 1 line was added there or lost from the target"));
    assert_in_range(stretch->count, 1000, 2000);
    assert_in_range(stretch->lines[0], swapped - 500, swapped + 500);
    assert_true(report.failed);
    check_report_release(&report);
}

static void files_of_different_length_are_gone_through(void **state)
{
    struct check_report report;
    write_text(source, "one\ntwo\nthree\n");
    write_text(target, "eins\n");
    check(&report);
    assert_int_equal(report.found[row("line_count")].count, 2);
    assert_string_equal(report.found[row("line_count")].detail, "the source has 3 lines, the target 1");
    check_report_release(&report);
    config.tolerate = 1;
    check(&report);
    assert_false(report.failed);
    check_report_release(&report);
}

static void nothing_is_found_in_real_corpora_but_what_is_there(void **state)
{
    struct check_report report;
    NEED_FILE(SHARED_DATA "/multi30k/train.en");
    snprintf(source, sizeof source, "%s", SHARED_DATA "/multi30k/train.en");
    snprintf(target, sizeof target, "%s", SHARED_DATA "/multi30k/train.de");
    check(&report);
    assert_false(report.failed);
    assert_int_equal(report.lines[1], 29000);
    assert_int_equal(report.found[row("slip")].count, 0);
    assert_int_equal(report.found[row("stretch")].count, 0);
    assert_true(report.correlation > 0.8);
    json_t *json = check_report_json(&report);
    assert_string_equal(json_string_value(json_object_get(json, "status")), "passed");
    json_decref(json);
    check_report_release(&report);
}

static void empty_and_missing_corpora_are_errors(void **state)
{
    struct check_report report;
    struct error err = { 0 };
    write_text(source, "");
    write_text(target, "");
    assert_int_equal(corpus_check(&report, source, target, &config, &err), -1);
    assert_non_null(strstr(err.text, "holds no line"));
    assert_int_equal(corpus_check(&report, "absent", target, &config, &err), -1);
    assert_non_null(strstr(err.text, "absent"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, defaults, release)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_check_finds_its_line),
        TEST(duplicates_and_overlap_are_counted_whatever_the_memory),
        TEST(slips_are_found_where_they_are),
        TEST(files_of_different_length_are_gone_through),
        TEST(nothing_is_found_in_real_corpora_but_what_is_there),
        TEST(empty_and_missing_corpora_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
