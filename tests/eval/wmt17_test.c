/* The sixteen systems of WMT 2017, English to German, against figures computed with sacreBLEU:
 * every figure of sacrebleu.tsv to its last printed digit. */
#include "tests/test.h"

#include "base/error.h"
#include "base/lines.h"
#include "eval/metric.h"
#include "eval/testset.h"

#define WMT17 SHARED_DATA "/wmt17_en_de_systems/"

/* Columns of sacrebleu.tsv and the settings behind them. */
static const struct column {
    const char *name, *metric, *tokenize;
    bool lowercase;
} columns[] = {
    { "BLEU13a",    "bleu",   "13a",  false },
    { "BLEU13a_lc", "bleu",   "13a",  true },
    { "BLEUintl",   "bleu",   "intl", false },
    { "BLEUnone",   "bleu",   "none", false },
    { "BLEUchar",   "bleu",   "char", false },
    { "chrF2",      "chrf",   "13a",  false },
    { "chrF2++",    "chrf++", "13a",  false },
};
#define FIELDS_MAX 20

static int split(char **fields, char *line)
{
    int count = 0;
    for (char *field; (field = strsep(&line, "\t")) && count < FIELDS_MAX; )
        fields[count++] = field;
    return count;
}

static int find_column(char **names, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(names[i], name))
            return i;
    fail_msg("sacrebleu.tsv has no column %s", name);
    return -1;
}

static struct metric_report score(const struct testset *set, const struct column *c)
{
    struct metric_config config;
    struct metric_report report;
    struct option_group groups[] = { { NULL, bleu_options, &config.bleu }, { 0 } };

    metric_config_default(&config);
    config.bleu.lowercase = c->lowercase;
    assert_int_equal(options_set(groups, "tokenize", c->tokenize, NULL), 0);
    metric_corpus(&report, metric_find(c->metric), &config, set->systems[0].hyps, set->refs,
                  set->n, set->nrefs, 0);
    return report;
}

/* 4 decimals in the table. */
static void check_scores(const struct testset *set, char **names, char **fields, int count)
{
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        char got[32];
        snprintf(got, sizeof got, "%.4f", score(set, &columns[i]).score);
        assert_string_equal(got, fields[find_column(names, count, columns[i].name)]);
    }
}

static void check_details(const struct testset *set, char **names, char **fields, int count)
{
    struct metric_config config;
    struct bleu_stats stats = { 0 };
    struct bleu_score bleu;
    double *rows = calloc(set->n, sizeof stats);
    char got[100];

    metric_config_default(&config);
    metric_segments(rows, metric_find("bleu"), &config, set->systems[0].hyps, set->refs, set->n,
                    set->nrefs, 0);
    for (size_t i = 0; i < set->n * (size_t)BLEU_WIDTH; i++)
        ((double *)&stats)[i % (size_t)BLEU_WIDTH] += rows[i];
    bleu_score(&bleu, &config.bleu, &stats);
    snprintf(got, sizeof got, "%.4f/%.4f/%.4f/%.4f", bleu.precision[0], bleu.precision[1],
             bleu.precision[2], bleu.precision[3]);
    assert_string_equal(got, fields[find_column(names, count, "BLEU13a_1-4gram_precisions")]);
    snprintf(got, sizeof got, "%.5f", bleu.brevity_penalty);
    assert_string_equal(got, fields[find_column(names, count, "bp")]);
    snprintf(got, sizeof got, "%.0f", stats.hyp_len);
    assert_string_equal(got, fields[find_column(names, count, "sys_len")]);
    snprintf(got, sizeof got, "%.0f", stats.ref_len);
    assert_string_equal(got, fields[find_column(names, count, "ref_len")]);
    free(rows);
}

static void check_system(char **names, char **fields, int count)
{
    struct testset set = { 0 };
    struct error err;
    char path[4096], *paths[] = { path };
    const char *ref = WMT17 "newstest2017.ref.de";

    snprintf(path, sizeof path, WMT17 "%s", fields[find_column(names, count, "system")]);
    if (testset_load(&set, &ref, 1, 1, paths, 1, (struct encoding){ 0 }, 0, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(set.n, 3004);
    check_scores(&set, names, fields, count);
    check_details(&set, names, fields, count);
    testset_release(&set);
}

static void all_systems_score_as_in_sacrebleu(void **state)
{
    struct lines table = { 0 };
    struct error err;
    char header[4096], *names[FIELDS_MAX], *fields[FIELDS_MAX];
    int count, systems = 0;

    NEED_FILE(WMT17 "sacrebleu.tsv");
    assert_int_equal(lines_open(&table, WMT17 "sacrebleu.tsv", &err), 0);
    assert_int_equal(lines_next(&table, &err), 1);
    snprintf(header, sizeof header, "%s", table.text);
    count = split(names, header);
    for (; lines_next(&table, &err) > 0; systems++) {
        assert_int_equal(split(fields, table.text), count);
        check_system(names, fields, count);
    }
    lines_close(&table);
    assert_int_equal(systems, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_systems_score_as_in_sacrebleu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
