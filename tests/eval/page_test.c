/* The page that compares systems, and the figures on it. */
#include "tests/test.h"
#include "tests/xml.h"

#include <math.h>

#include "base/memory.h"
#include "eval/page.h"

#define N 6
static const char *const refs[N] = {
    "The cat sat on the mat.", "It is 1,000 km away, he said.", "one two three four five six seven",
    "שלום עולם", "a < b & c > d", "中文很好",
};
static const char *const first[N] = {
    "The cat sat on the mat.", "It is 1,000 miles away, she said.", "one two three five four six seven",
    "שלום לך", "a < b & c > d", "",
};
static const char *const second[N] = {
    "A dog sat there.", "It is 1,000 km away, he said.", "one two three four five six seven",
    "שלום עולם", "a > b", "中文",
};

static struct text ref_texts[N], hyp_texts[2][N];
static const struct text *hyps[2] = { hyp_texts[0], hyp_texts[1] };

static int fill_texts(void **state)
{
    for (size_t i = 0; i < N; i++) {
        ref_texts[i] = text_of(refs[i]);
        hyp_texts[0][i] = text_of(first[i]);
        hyp_texts[1][i] = text_of(second[i]);
    }
    return 0;
}

/* ---- by length ---- */

static void a_band_scores_as_its_lines_alone(void **state)
{
    struct metric_config config;
    struct metric_report report;
    const struct metric *chrf = metric_find("chrf");
    unsigned char band_of[N];
    size_t lines[LENGTH_BANDS];
    double totals[2 * METRIC_WIDTH_MAX], *rows, scores[2 * LENGTH_BANDS];

    metric_config_default(&config);
    rows = xcalloc(2 * N * METRIC_WIDTH_MAX, sizeof *rows);
    metric_systems(totals, rows, chrf, &config, hyps, 2, ref_texts, N, 1, 1);
    length_bands_of(band_of, lines, ref_texts, N);
    assert_int_equal(lines[0], 3);              /* up to 5 words: lines 4 to 6 */
    assert_int_equal(lines[1], 3);
    assert_int_equal(lines[2], 0);
    assert_int_equal(band_of[0], 1);
    length_scores(scores, chrf, &config, rows, 2, N, band_of);
    for (size_t s = 0; s < 2; s++) {
        metric_corpus(&report, chrf, &config, hyps[s], ref_texts, 3, 1, 1);
        assert_true(scores[s * LENGTH_BANDS + 1] == report.score);
        metric_corpus(&report, chrf, &config, hyps[s] + 3, ref_texts + 3, 3, 1, 1);
        assert_true(scores[s * LENGTH_BANDS] == report.score);
        assert_true(isnan(scores[s * LENGTH_BANDS + 2]));
    }
    free(rows);
}

static void bands_meet_without_gaps(void **state)
{
    char text[32];
    for (size_t b = 1; b < LENGTH_BANDS; b++)
        assert_int_equal(length_bands[b].from, length_bands[b - 1].to + 1);
    for (size_t b = 1; b < FREQUENCY_BANDS; b++)
        assert_int_equal(frequency_bands[b].from, frequency_bands[b - 1].to + 1);
    band_text(text, &length_bands[1]);
    assert_string_equal(text, "6–10");
    band_text(text, &length_bands[LENGTH_BANDS - 1]);
    assert_string_equal(text, "61 and more");
    band_text(text, &frequency_bands[0]);
    assert_string_equal(text, "0");
}

/* ---- by frequency ---- */

/* In training: red once, the twice, car never.  Reference: "the red car the"; got: "the car car". */
static void words_count_in_the_band_of_their_frequency(void **state)
{
    struct text ref = text_of("the red car, the"), hyp = text_of("the car car!"), training = text_of("red the the");
    const struct text *systems[] = { &hyp };
    struct word_share shares[FREQUENCY_BANDS];
    struct word_counts counts = { 0 };
    struct diff_words words = { 0 };

    diff_read(&words, training);
    word_counts_add(&counts, &words);
    word_shares(shares, &counts, systems, 1, &ref, 1);
    assert_true(shares[0].ref == 1 && shares[0].hyp == 2 && shares[0].right == 1);      /* car */
    assert_true(shares[1].ref == 1 && shares[1].hyp == 0 && shares[1].right == 0);      /* red */
    assert_true(shares[2].ref == 2 && shares[2].hyp == 1 && shares[2].right == 1);      /* the */
    assert_true(fabs(word_share_f1(&shares[0]) - 200. / 3) < 1e-9);
    assert_true(word_share_f1(&shares[1]) == 0);
    assert_true(isnan(word_share_f1(&shares[3])));
    diff_release(&words);
    word_counts_release(&counts);
}

/* ---- the page ---- */

static char *page_of(size_t systems, const char *metric_name_wanted, const struct text *source, int examples,
                     const char *first_name)
{
    static struct testset_system named[2];
    const struct metric *metric = metric_find(metric_name_wanted);
    struct metric_report reports[2];
    struct metric_config config;
    struct strbuf out = { 0 };
    struct testset set = { .n = N, .nrefs = 1, .refs = ref_texts, .systems = named, .systems_count = systems };
    struct report_systems scores = { .systems = systems, .reports = reports, .count = 1, .width = 1 };

    named[0] = (struct testset_system){ (char *)(uintptr_t)first_name, hyps[0] };
    named[1] = (struct testset_system){ (char *)(uintptr_t)"runs/out.b.txt", hyps[1] };
    metric_config_default(&config);
    for (size_t s = 0; s < systems; s++)
        metric_corpus(&reports[s], metric, &config, hyps[s], ref_texts, N, 1, 1);
    eval_page(&out, &(struct eval_page){ .title = "t", .set = &set, .scores = &scores, .metrics = &metric,
                                         .config = &config, .source = source, .examples = examples, .threads = 1 });
    return strbuf_detach(&out);
}

static const char *need(const char *page, const char *text)
{
    const char *found = strstr(page, text);
    if (!found)
        fail_msg("the page lacks: %s", text);
    return found;
}

static void the_page_is_well_formed_and_stands_alone(void **state)
{
    static const char *const metrics[] = { "bleu", "chrf", "ter" };
    for (size_t m = 0; m < ARRAY_COUNT(metrics); m++)
        for (size_t systems = 1; systems <= 2; systems++) {
            char *page = page_of(systems, metrics[m], ref_texts, 20, "runs/out.<a>&.txt");
            assert_well_formed(page);
            assert_null(strstr(page, "<script"));
            assert_null(strstr(page, "nan"));
            need(page, "&lt;a&gt;&amp;");
            free(page);
        }
}

static void systems_are_called_without_what_all_have_in_common(void **state)
{
    char *page = page_of(2, "chrf", NULL, 20, "runs/out.a.txt");
    need(page, "<summary>a and b</summary>");
    need(page, "title=\"runs/out.a.txt\"");
    free(page);
    page = page_of(2, "chrf", NULL, 20, "runs/out.b.txt");      /* nothing would be left */
    need(page, "runs/out.b.txt and runs/out.b.txt");
    free(page);
    page = page_of(1, "chrf", NULL, 20, "runs/out.a.txt");
    need(page, "Lowest scores of out.a.txt");
    free(page);
}

/* Of two systems, the lines from the greatest gain down, then from the greatest loss; lines that
 * score the same are left out. */
static void the_lines_that_differ_most_come_first(void **state)
{
    char *page = page_of(2, "chrf", NULL, 20, "runs/out.a.txt");
    static const char *const order[] = {
        "b is better in 4 lines, a in 2, and 0 score the same", "Most in favour of b", "<b>line 4</b>", "<b>line 6</b>",
        "<b>line 2</b>", "<b>line 3</b>", "Most in favour of a", "<b>line 1</b>", "<b>line 5</b>",
    };
    const char *at = page;
    for (size_t i = 0; i < ARRAY_COUNT(order); i++)
        at = need(at, order[i]);
    free(page);

    page = page_of(2, "ter", NULL, 1, "runs/out.a.txt");        /* less is better */
    at = need(need(page, "Most in favour of b"), "<b>line 4</b>");
    at = need(need(at, "Most in favour of a"), "<b>line 1</b>");
    assert_null(strstr(at + 1, "<b>line "));
    free(page);
    page = page_of(2, "chrf", NULL, 0, "runs/out.a.txt");
    assert_null(strstr(page, "Side by side"));
    free(page);
}

static void words_show_where_systems_and_reference_differ(void **state)
{
    char *page = page_of(2, "chrf", ref_texts, 20, "runs/out.a.txt");
    need(page, "It is 1,000 <span class=\"only wrong\">miles</span> away, <span class=\"only wrong\">she</span> said.");
    need(page, "It is 1,000 <span class=\"only\">km</span> away, <span class=\"only\">he</span> said.");
    need(page, "It is 1,000 <span class=\"only s1\">km</span> away, <span class=\"only s1\">he</span> said.");
    need(page, "<span class=\"only s1\">中文</span><span class=\"missed\">很好</span>");
    need(page, "(empty)");
    need(page, "<div class=\"who\">source</div><p dir=\"auto\">The cat sat on the mat.</p>");
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_band_scores_as_its_lines_alone),
        cmocka_unit_test(bands_meet_without_gaps),
        cmocka_unit_test(words_count_in_the_band_of_their_frequency),
        cmocka_unit_test(the_page_is_well_formed_and_stands_alone),
        cmocka_unit_test(systems_are_called_without_what_all_have_in_common),
        cmocka_unit_test(the_lines_that_differ_most_come_first),
        cmocka_unit_test(words_show_where_systems_and_reference_differ),
    };
    return cmocka_run_group_tests(tests, fill_texts, NULL);
}
