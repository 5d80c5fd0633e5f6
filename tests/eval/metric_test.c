/* Laws that hold for every metric, and small figures worked out by hand. */
#include "tests/test.h"

#include "base/rng.h"
#include "eval/metric.h"

#define N 700                           /* several blocks of segments */
#define NREFS 2
#define NEAR(a, b) assert_true(fabs((a) - (b)) < 1e-9)

static char lines[(NREFS + 1) * N][64];
static struct text hyps[N], refs[NREFS * N];

static void make_line(char *out, struct rng *r)
{
    size_t length = 0, words = (size_t)rng_below(r, 9);
    for (size_t i = 0; i < words; i++)
        length += (size_t)sprintf(out + length, "%sw%d", i ? " " : "", (int)rng_below(r, 12));
    out[length] = '\0';
}

static int make_corpus(void **state)
{
    struct rng r;
    rng_seed(&r, 7, 0);
    for (size_t i = 0; i < (NREFS + 1) * N; i++)
        make_line(lines[i], &r);
    for (size_t i = 0; i < N; i++)
        hyps[i] = text_of(lines[i]);
    for (size_t i = 0; i < NREFS * N; i++)
        refs[i] = text_of(lines[N + i]);
    return 0;
}

static struct metric_config defaults(void)
{
    struct metric_config config;
    metric_config_default(&config);
    return config;
}

/* for (EACH_METRIC(m)) … */
#define EACH_METRIC(m) int row_ = 0; (m = metric_row(row_)); row_++

static double corpus(const struct metric *m, const struct text *h, const struct text *r, int nrefs,
                     int threads)
{
    struct metric_config config = defaults();
    struct metric_report report;
    metric_corpus(&report, m, &config, h, r, N, nrefs, threads);
    return report.score;
}

static void a_text_against_itself_has_the_best_score(void **state)
{
    const struct metric *m;
    for (EACH_METRIC(m))
        NEAR(corpus(m, hyps, hyps, 1, 1), metric_falls(m) ? 0 : 100);
}

static void nothing_in_common_has_the_worst_score(void **state)
{
    struct metric_config config = defaults();
    struct text hyp = text_of("abc def"), ref = text_of("xyz"), empty = text_of("");
    const struct metric *m;
    for (EACH_METRIC(m)) {
        struct metric_report report;
        bool errors = metric_falls(m);        /* two words for one are two edits */
        metric_corpus(&report, m, &config, &hyp, &ref, 1, 1, 1);
        assert_true(report.score == (errors ? 200 : 0));
        metric_corpus(&report, m, &config, &empty, &ref, 1, 1, 1);
        assert_true(report.score == (errors ? 100 : 0));
        metric_corpus(&report, m, &config, &hyp, &empty, 1, 1, 1);
        assert_true(report.score == (errors ? 100 : 0));
    }
}

static void threads_do_not_change_the_score(void **state)
{
    const struct metric *m;
    for (EACH_METRIC(m)) {
        double one = corpus(m, hyps, refs, NREFS, 1);
        assert_true(one > 1 && one < (metric_falls(m) ? 300 : 99));
        assert_true(corpus(m, hyps, refs, NREFS, 3) == one);
        assert_true(corpus(m, hyps, refs, NREFS, 0) == one);
    }
}

static void statistics_of_segments_add_up_to_the_corpus(void **state)
{
    struct metric_config config = defaults();
    const struct metric *m;
    for (EACH_METRIC(m)) {
        size_t width = (size_t)metric_width(m, &config);
        double *rows = calloc(N * width, sizeof *rows), sum[METRIC_WIDTH_MAX] = { 0 };
        struct metric_report report;
        metric_segments(rows, m, &config, hyps, refs, N, NREFS, 2);
        for (size_t i = 0; i < N * width; i++)
            sum[i % width] += rows[i];
        metric_report(&report, m, &config, sum, NREFS);
        assert_true(report.score == corpus(m, hyps, refs, NREFS, 2));
        free(rows);
    }
}

/* chrF takes the first of references that score the same, so there it does. */
static void the_order_of_references_does_not_matter_to_bleu(void **state)
{
    struct text swapped[NREFS * N];
    const struct metric *m = metric_find("bleu");
    memcpy(swapped, refs + N, sizeof swapped / 2);
    memcpy(swapped + N, refs, sizeof swapped / 2);
    assert_true(corpus(m, hyps, swapped, NREFS, 1) == corpus(m, hyps, refs, NREFS, 1));
}

static void a_missing_reference_is_as_none_at_all(void **state)
{
    struct text holey[NREFS * N];
    struct metric_config config = defaults();
    struct metric_report report;
    const struct metric *m;
    memcpy(holey, refs, sizeof refs);
    for (size_t i = 0; i < N; i++)
        holey[i] = (struct text){ 0 };
    for (EACH_METRIC(m)) {
        metric_corpus(&report, m, &config, hyps, holey, N, NREFS, 1);
        assert_true(report.score == corpus(m, hyps, refs + N, 1, 1));
        assert_non_null(strstr(report.signature, "nrefs:1|"));
    }
    holey[3] = refs[3];
    metric_corpus(&report, metric_find("bleu"), &config, hyps, holey, N, NREFS, 1);
    assert_non_null(strstr(report.signature, "nrefs:var|"));
}

static void a_scorer_forgets_the_hypothesis_and_the_references_before(void **state)
{
    struct metric_config config = defaults();
    const struct metric *m;
    for (EACH_METRIC(m)) {
        struct segment_scorer *used = segment_scorer_new(m, &config);
        for (size_t i = 0; i < 100; i++) {
            struct segment_scorer *fresh = segment_scorer_new(m, &config);
            segment_scorer_refs(used, &refs[i], 1);
            segment_scorer_refs(fresh, &refs[i], 1);
            segment_scorer_score(used, hyps[i + 1]);
            assert_true(segment_scorer_score(used, hyps[i]) == segment_scorer_score(fresh, hyps[i]));
            segment_scorer_free(fresh);
        }
        segment_scorer_free(used);
    }
}

static void sentences_score_with_effective_order(void **state)
{
    /* 1 of 1 unigram, then 2 of 3 unigrams and 1 of 2 bigrams with trigrams smoothed. */
    NEAR(sentence_bleu("a", "a"), 100);
    NEAR(sentence_bleu("a b c", "a b d"), 100 * cbrt(2. / 3 * 1. / 2 * 1. / 2));
    NEAR(sentence_bleu("a b", "a b c d"), 100 * exp(1 - 4. / 2));
    assert_true(sentence_bleu("", "a") == 0);
    assert_true(sentence_bleu("a", "") == 0);
}

static void chrf_of_a_sentence_worked_out_by_hand(void **state)
{
    /* "abc" and "abd": 2 of 3, 1 of 2, 0 of 1 on both sides. */
    NEAR(sentence_chrf("a bc", "ab d"), 100 * (2. / 3 + 1. / 2 + 0) / 3);
    NEAR(sentence_chrf("abc", "abc"), 100);
}

static void one_call_scores_lines_with_default_settings(void **state)
{
    const char *h[N], *r[N];
    for (size_t i = 0; i < N; i++) {
        h[i] = hyps[i].bytes;
        r[i] = refs[i].bytes;
    }
    assert_true(bleu_of_lines(h, r, N) == corpus(metric_find("bleu"), hyps, refs, 1, 1));
    assert_true(chrf_of_lines(h, r, N) == corpus(metric_find("chrf"), hyps, refs, 1, 1));
    assert_true(bleu_of_lines(h, r, 0) == 0);
}

static void smoothing_fills_orders_without_a_match(void **state)
{
    struct bleu_stats stats = { 4, 4, { 3, 1, 0, 0 }, { 4, 3, 2, 1 } };
    static const struct { int method; float value; double third, fourth; } cases[] = {
        { SMOOTH_EXP, -1, 100. / 4, 100. / 4 },
        { SMOOTH_FLOOR, -1, 5, 10 },
        { SMOOTH_FLOOR, 0.2f, 10, 20 },
        { SMOOTH_ADD_K, -1, 100. / 3, 50 },
        { SMOOTH_NONE, -1, 0, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bleu_config config = { .smooth_method = cases[i].method,
                                      .smooth_value = cases[i].value };
        struct bleu_score score;
        bleu_score(&score, &config, &stats);
        NEAR(score.precision[2], cases[i].third);
        NEAR(score.precision[3], cases[i].fourth);
        assert_true((score.score == 0) == (cases[i].method == SMOOTH_NONE));
    }
}

static void metrics_are_found_by_name(void **state)
{
    assert_string_equal(metric_name(metric_find("chrf++")), "chrf++");
    assert_null(metric_find("blue"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_against_itself_has_the_best_score),
        cmocka_unit_test(nothing_in_common_has_the_worst_score),
        cmocka_unit_test(threads_do_not_change_the_score),
        cmocka_unit_test(statistics_of_segments_add_up_to_the_corpus),
        cmocka_unit_test(the_order_of_references_does_not_matter_to_bleu),
        cmocka_unit_test(a_missing_reference_is_as_none_at_all),
        cmocka_unit_test(a_scorer_forgets_the_hypothesis_and_the_references_before),
        cmocka_unit_test(sentences_score_with_effective_order),
        cmocka_unit_test(chrf_of_a_sentence_worked_out_by_hand),
        cmocka_unit_test(one_call_scores_lines_with_default_settings),
        cmocka_unit_test(smoothing_fills_orders_without_a_match),
        cmocka_unit_test(metrics_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, make_corpus, NULL);
}
