/* Significance against sacreBLEU's own figures (golden/significance.json, written by
 * golden/make_significance.py), and NumPy's generator against NumPy's numbers. */
#include "tests/test.h"

#include <math.h>

#include "base/error.h"
#include "base/json.h"
#include "base/lines.h"
#include "base/memory.h"
#include "eval/numpy_rng.h"
#include "eval/significance.h"

#define REFS_MAX 3
#define SYSTEMS 3

static json_t *cases;                   /* those of sacrebleu.jsonl that are not repeated */
static size_t n;
static struct text *systems[SYSTEMS], *all_refs, *first_ref;

static struct text text_at(const json_t *string)
{
    if (!json_is_string(string))
        return (struct text){ 0 };
    return (struct text){ json_string_value(string), json_string_length(string) };
}

static int read_cases(void **state)
{
    struct lines in = { 0 };
    struct error err;
    cases = json_array();
    if (lines_open(&in, TEST_DATA "/golden/sacrebleu.jsonl", &err) < 0)
        return -1;
    while (lines_next(&in, &err) > 0) {
        json_t *line = json_loadb(in.text, in.length, JSON_ALLOW_NUL, NULL);
        if (json_integer_value(json_object_get(line, "times")) == 1)
            json_array_append(cases, line);
        json_decref(line);
    }
    lines_close(&in);
    n = json_array_size(cases);
    for (int s = 0; s < SYSTEMS; s++)
        systems[s] = xcalloc(n, sizeof **systems);
    all_refs = xcalloc(n * REFS_MAX, sizeof *all_refs);
    first_ref = xcalloc(n, sizeof *first_ref);
    for (size_t i = 0; i < n; i++) {
        const json_t *refs = json_object_get(json_array_get(cases, i), "refs");
        for (size_t r = REFS_MAX; r-- > 0; ) {
            all_refs[r * n + i] = text_at(json_array_get(refs, r));
            if (all_refs[r * n + i].bytes)
                first_ref[i] = all_refs[r * n + i];
        }
        systems[0][i] = text_at(json_object_get(json_array_get(cases, i), "hyp"));
    }
    for (size_t i = 0; i < n; i++) {
        systems[1][i] = i % 3 ? systems[0][i] : first_ref[i];
        systems[2][i] = systems[0][i % 4 ? i : (i + 1) % n];
    }
    return n > 400 ? 0 : -1;
}

static int forget_cases(void **state)
{
    for (int s = 0; s < SYSTEMS; s++)
        free(systems[s]);
    free(all_refs);
    free(first_ref);
    json_decref(cases);
    return 0;
}

/* Absent figures are null there and NAN here. */
static void check_figure(double got, const json_t *want, double tolerance)
{
    if (!json_is_number(want))
        assert_true(isnan(got));
    else if (!(fabs(got - json_number_value(want)) <= tolerance))
        fail_msg("%.17g, but sacreBLEU gives %.17g", got, json_number_value(want));
}

static void check_systems(const json_t *want, const double *scores, const struct significance *got)
{
    for (size_t s = 0; s < SYSTEMS; s++) {
        const json_t *row = json_array_get(want, s);
        check_figure(scores[s], json_array_get(row, 0), 1e-12);
        check_figure(got[s].mean, json_array_get(row, 1), 1e-12);
        check_figure(got[s].interval, json_array_get(row, 2), 1e-12);
        check_figure(got[s].p, json_array_get(row, 3), 0);
    }
}

static void check_test(const json_t *test, int threads)
{
    struct metric_config config;
    struct option_group groups[] = {
        { NULL, bleu_options, &config.bleu }, { NULL, chrf_options, &config.chrf },
        { NULL, ter_options, &config.ter }, { 0 },
    };
    struct error err;
    const struct metric *metric = metric_find(json_string_value(json_object_get(test, "metric")));
    bool all = !strcmp(json_string_value(json_object_get(test, "refs")), "all_refs");
    const struct text *const hyps[] = { systems[0], systems[1], systems[2] };
    struct significance found[SYSTEMS];
    double totals[SYSTEMS * METRIC_WIDTH_MAX], scores[SYSTEMS];
    struct seed seed = { .value = 12345 };

    metric_config_default(&config);
    assert_int_equal(options_from_json(groups, json_object_get(test, "options"), &err), 0);
    size_t width = (size_t)metric_width(metric, &config);
    double *stats = xcalloc(SYSTEMS * n * width, sizeof *stats);
    metric_systems(totals, stats, metric, &config, hyps, SYSTEMS, all ? all_refs : first_ref, n,
                   all ? REFS_MAX : 1, threads);
    for (size_t s = 0; s < SYSTEMS; s++) {
        struct metric_report report;
        metric_report(&report, metric, &config, totals + s * width, 1);
        scores[s] = report.score;
    }
    struct sampled data = { metric, &config, stats, scores, SYSTEMS, n };
    significance_paired_bootstrap(found, &data, 200, seed, threads);
    check_systems(json_object_get(test, "bs"), scores, found);
    significance_paired_randomization(found, &data, 300, seed, threads);
    check_systems(json_object_get(test, "ar"), scores, found);

    data.systems = 1;
    significance_bootstrap(found, &data, 150, seed, threads);
    const json_t *ci = json_object_get(test, "ci");
    check_figure(found->mean, json_array_get(ci, 1), 1e-12);
    check_figure(found->interval, json_array_get(ci, 2), 1e-12);
    free(stats);
}

static void every_test_gives_the_figures_of_sacrebleu(void **state)
{
    struct error err;
    json_t *golden = json_read(TEST_DATA "/golden/significance.json", &err), *test;
    size_t i;
    json_array_foreach(json_object_get(golden, "tests"), i, test)
        check_test(test, (int)(i % 3));
    assert_true(i >= 12);
    json_decref(golden);
}

static void the_generator_gives_the_numbers_of_numpy(void **state)
{
    static const uint32_t choice[] = { 2100, 682, 2369, 951, 613, 2395, 1930, 2031, 2969, 1174 };
    static const uint32_t wide[] = { 2518275128u, 1794926260u, 639429039u };
    static const uint32_t large_seed[] = { 2, 8, 6, 2, 0 }, zero_seed[] = { 850, 636, 511, 269 };
    const char *bits = "101110011000001111111111010011011011000110001101010011000101110001111011001000110010"
                       "011110010011101010001100100";
    struct numpy_rng r;
    uint32_t got[10];
    unsigned char bytes[16];

    numpy_rng_seed(&r, 12345);
    numpy_rng_integers(got, 10, &r, 3004);
    assert_memory_equal(got, choice, sizeof choice);
    numpy_rng_integers(got, 3, &r, 3000000000u);
    assert_memory_equal(got, wide, sizeof wide);
    numpy_rng_seed(&r, 12345);
    numpy_rng_bits(bytes, strlen(bits), &r);
    for (size_t i = 0; bits[i]; i++)
        assert_int_equal(bytes[i / 8] >> i % 8 & 1, bits[i] - '0');
    numpy_rng_seed(&r, ((uint64_t)1 << 40) + 7);
    numpy_rng_integers(got, 5, &r, 10);
    assert_memory_equal(got, large_seed, sizeof large_seed);
    numpy_rng_seed(&r, 0);
    numpy_rng_integers(got, 4, &r, 1000);
    assert_memory_equal(got, zero_seed, sizeof zero_seed);
}

static void a_range_of_one_draws_nothing(void **state)
{
    struct numpy_rng a, b;
    uint32_t got[2] = { 7, 7 }, next_a, next_b;
    numpy_rng_seed(&a, 1);
    numpy_rng_seed(&b, 1);
    numpy_rng_integers(got, 2, &a, 1);
    assert_int_equal(got[0] + got[1], 0);
    numpy_rng_integers(&next_a, 1, &a, 1000);
    numpy_rng_integers(&next_b, 1, &b, 1000);
    assert_int_equal(next_a, next_b);
}

static void a_system_does_not_differ_from_itself(void **state)
{
    struct metric_config config;
    const struct metric *metric = metric_find("chrf");
    const struct text *const twice[] = { systems[0], systems[0] };
    struct significance found[2];
    double totals[2 * METRIC_WIDTH_MAX], scores[2] = { 50, 50 };
    struct seed seed = { .random = true };

    metric_config_default(&config);
    double *stats = xcalloc(2 * n * (size_t)metric_width(metric, &config), sizeof *stats);
    metric_systems(totals, stats, metric, &config, twice, 2, first_ref, n, 1, 2);
    struct sampled data = { metric, &config, stats, scores, 2, n };
    significance_paired_bootstrap(found, &data, 50, seed, 2);
    assert_true(found[1].p == 1 / 51. && isnan(found[0].p));
    assert_true(found[0].mean == found[1].mean);
    significance_paired_randomization(found, &data, 50, seed, 2);
    assert_true(found[1].p == 1 / 51.);
    free(stats);
}

static void the_seed_comes_from_the_environment(void **state)
{
    struct seed seed;
    struct error err;
    unsetenv("SACREBLEU_SEED");
    assert_int_equal(seed_from_environment(&seed, &err), 0);
    assert_true(!seed.random && seed.value == 12345);
    setenv("SACREBLEU_SEED", "None", 1);
    assert_int_equal(seed_from_environment(&seed, &err), 0);
    assert_true(seed.random);
    setenv("SACREBLEU_SEED", "12x", 1);
    assert_int_equal(seed_from_environment(&seed, &err), -1);
    assert_non_null(strstr(err.text, "12x"));
    unsetenv("SACREBLEU_SEED");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_generator_gives_the_numbers_of_numpy),
        cmocka_unit_test(a_range_of_one_draws_nothing),
        cmocka_unit_test(every_test_gives_the_figures_of_sacrebleu),
        cmocka_unit_test(a_system_does_not_differ_from_itself),
        cmocka_unit_test(the_seed_comes_from_the_environment),
    };
    return cmocka_run_group_tests(tests, read_cases, forget_cases);
}
