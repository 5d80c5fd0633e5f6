/* What sacreBLEU prints, to the character. */
#include "tests/test.h"

#include <math.h>

#include "eval/report.h"

static const struct metric_report bleu = {
    "BLEU", 22.67464, "56.2/28.7/16.9/10.3 (BP = 0.985 ratio = 0.985 hyp_len = 60395 ref_len = 61287)",
    "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0", NAN, NAN, NAN,
};
static const struct metric_report chrf = {
    "chrF2", 51.9533, "", "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0",
    NAN, NAN, NAN,
};

static struct strbuf out;

static void assert_out(const char *want)
{
    assert_string_equal(out.text, want);
    strbuf_reset(&out);
}

static void one_metric_is_one_line(void **state)
{
    report_text(&out, &bleu, 2, false);
    assert_out("BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0 = 22.67 56.2/28.7/"
               "16.9/10.3 (BP = 0.985 ratio = 0.985 hyp_len = 60395 ref_len = 61287)");
    report_text(&out, &chrf, 0, true);
    assert_out("chrF2|#:1|c:mixed|e:yes|nc:6|nw:0|s:no|v:2.6.0 = 52");
}

static void several_metrics_are_aligned(void **state)
{
    struct metric_report both[] = { bleu, chrf };
    report_texts(&out, both, 2, 1, true);
    assert_out("   BLEU|#:1|c:mixed|e:no|tok:13a|s:exp|v:2.6.0 = 22.7 56.2/28.7/16.9/10.3 (BP = 0.985 "
               "ratio = 0.985 hyp_len = 60395 ref_len = 61287)\n"
               "chrF2|#:1|c:mixed|e:yes|nc:6|nw:0|s:no|v:2.6.0 = 52.0\n");
}

static void numbers_in_json_are_as_short_as_in_python(void **state)
{
    static const struct { double score; int width; const char *want; } cases[] = {
        { 0, 1, "0.0" }, { 100, 4, "100.0" }, { 22.67464, 1, "22.7" }, { 22.67464, 0, "23.0" },
        { 22.67464, 17, "22.67464" }, { 1. / 3, 17, "0.3333333333333333" },
        { 0.00004, 5, "4e-05" }, { 0.0001, 4, "0.0001" }, { 10.0, 2, "10.0" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct metric_report r = { "x", cases[i].score, "", "k:v" };
        char want[100];
        snprintf(want, sizeof want, "{\"name\": \"x\", \"score\": %s, \"signature\": \"k:v\", "
                 "\"k\": \"v\"}", cases[i].want);
        report_json(&out, &r, cases[i].width, true);
        assert_out(want);
    }
}

static void json_of_several_metrics_is_an_array(void **state)
{
    struct metric_report both[] = { { "a", 1, "", "k:v" }, { "b", 2, "w", "k:v" } };
    report_jsons(&out, both, 1, 1);
    assert_out("{\n \"name\": \"a\",\n \"score\": 1.0,\n \"signature\": \"k:v\",\n \"k\": \"v\"\n}\n");
    report_jsons(&out, both, 2, 1);
    assert_out("[\n{\n \"name\": \"a\",\n \"score\": 1.0,\n \"signature\": \"k:v\",\n \"k\": \"v\"\n},\n"
               "{\n \"name\": \"b\",\n \"score\": 2.0,\n \"signature\": \"k:v\",\n"
               " \"verbose_score\": \"w\",\n \"k\": \"v\"\n}\n]\n");
}

static void systems_become_rows(void **state)
{
    const char *names[] = { "a.txt", "größer" };
    struct metric_report reports[] = { bleu, chrf, bleu, chrf };
    struct report_systems r = { .names = names, .systems = 2, .reports = reports, .count = 2, .width = 1 };
    report_systems_text(&out, &r);
    assert_non_null(strstr(out.text, "╒══════════╤════════╤═════════╕\n"
                                     "│   System │  BLEU  │  chrF2  │\n"
                                     "╞══════════╪════════╪═════════╡\n"
                                     "│    a.txt │  22.7  │  52.0   │\n"
                                     "├──────────┼────────┼─────────┤\n"
                                     "│   größer │  22.7  │  52.0   │\n"
                                     "╘══════════╧════════╧═════════╛\n"));
    assert_non_null(strstr(out.text, " - chrF2      nrefs:1|case:mixed|eff:yes|nc:6"));
    strbuf_reset(&out);
    report_systems_json(&out, &r);
    assert_out("[\n    {\n        \"system\": \"a.txt\",\n        \"BLEU\": \"22.7\",\n"
               "        \"chrF2\": \"52.0\"\n    },\n    {\n"
               "        \"system\": \"gr\\u00f6\\u00dfer\",\n        \"BLEU\": \"22.7\",\n"
               "        \"chrF2\": \"52.0\"\n    }\n]\n");
}

static void a_paired_test_has_its_figures_in_every_form(void **state)
{
    const char *names[] = { "Baseline: a_b", "c" };
    struct metric_report reports[] = {
        { "BLEU", 30.5, .signature = "nrefs:1|bs:9|seed:1", .mean = 30.25, .interval = 1.5, .p = NAN },
        { "BLEU", 31.5, .signature = "nrefs:1|bs:9|seed:1", .mean = 31.25, .interval = 1.25, .p = 0.02 },
    };
    struct report_systems r = { .names = names, .systems = 2, .reports = reports, .count = 1, .width = 1,
                                .test = PAIRED_BOOTSTRAP, .samples = 9 };
    report_systems_text(&out, &r);
    assert_non_null(strstr(out.text, "│             c │  31.5 (31.2 ± 1.2)  │\n"
                                     "│               │    (p = 0.0200)*    │\n"));
    assert_non_null(strstr(out.text, "\nPaired bootstrap resampling test with 9 resampling trials\n"));
    strbuf_reset(&out);
    report_systems_json(&out, &r);
    assert_non_null(strstr(out.text, "\"BLEU\": {\n            \"score\": 30.5,\n            \"p_value\": null,\n"
                                     "            \"mean\": 30.25,\n            \"ci\": 1.5\n        }"));
    strbuf_reset(&out);
    r.test = PAIRED_RANDOMIZATION;
    for (size_t i = 0; i < 2; i++)
        reports[i].mean = reports[i].interval = NAN;
    report_systems_latex(&out, &r);
    assert_non_null(strstr(out.text, "\\midrule\n Baseline: a\\_b &        30.5        \\\\\n"
                                     "             c & 31.5 (p = 0.0200)* \\\\\n"));
    strbuf_reset(&out);
}

static int release(void **state)
{
    strbuf_release(&out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_metric_is_one_line),
        cmocka_unit_test(several_metrics_are_aligned),
        cmocka_unit_test(numbers_in_json_are_as_short_as_in_python),
        cmocka_unit_test(json_of_several_metrics_is_an_array),
        cmocka_unit_test(systems_become_rows),
        cmocka_unit_test(a_paired_test_has_its_figures_in_every_form),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
