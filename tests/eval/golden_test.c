/* Every metric under every option, on hard segments, against sacreBLEU's own figures
 * (golden/sacrebleu.jsonl, written by golden/make.py). */
#include "tests/test.h"

#include "base/error.h"
#include "base/json.h"
#include "base/lines.h"
#include "base/memory.h"
#include "eval/metric.h"
#include "eval/report.h"

#define GOLDEN TEST_DATA "/golden/sacrebleu.jsonl"
#define REFS_MAX 3

struct hard_case {
    struct text hyp, refs[REFS_MAX];
    int nrefs;
    size_t times;
    json_t *scores;
};

static json_t *head;
static struct hard_case *cases;
static size_t case_count;

static struct text repeated(const json_t *string, size_t times)
{
    if (!json_is_string(string))
        return (struct text){ 0 };
    size_t length = json_string_length(string);
    char *bytes = xmalloc(length * times + 1);
    for (size_t i = 0; i < times; i++)
        memcpy(bytes + i * length, json_string_value(string), length);
    return (struct text){ bytes, length * times };
}

static void read_case(const json_t *line)
{
    struct hard_case *c = &cases[case_count++];
    size_t times = (size_t)json_integer_value(json_object_get(line, "times"));
    const json_t *refs = json_object_get(line, "refs");

    *c = (struct hard_case){ .times = times, .hyp = repeated(json_object_get(line, "hyp"), times) };
    for (c->nrefs = 0; c->nrefs < (int)json_array_size(refs); c->nrefs++)
        c->refs[c->nrefs] = repeated(json_array_get(refs, (size_t)c->nrefs), times);
    c->scores = json_incref(json_object_get(line, "scores"));
}

static int read_golden(void **state)
{
    struct lines in = { 0 };
    struct error err;
    if (lines_open(&in, GOLDEN, &err) < 0)
        return -1;
    while (lines_next(&in, &err) > 0) {
        json_t *line = json_loadb(in.text, in.length, JSON_ALLOW_NUL, NULL);
        if (!line)
            return -1;
        if (!head) {
            head = line;
            continue;
        }
        cases = xrealloc(cases, (case_count + 1) * sizeof *cases);
        read_case(line);
        json_decref(line);
    }
    lines_close(&in);
    return case_count ? 0 : -1;
}

static int forget_golden(void **state)
{
    for (size_t i = 0; i < case_count; i++) {
        free((char *)(uintptr_t)cases[i].hyp.bytes);
        for (int r = 0; r < cases[i].nrefs; r++)
            free((char *)(uintptr_t)cases[i].refs[r].bytes);
        json_decref(cases[i].scores);
    }
    free(cases);
    json_decref(head);
    return 0;
}

static const struct metric *configure(struct metric_config *config, const json_t *setting)
{
    struct error err;
    struct option_group groups[] = {
        { NULL, bleu_options, &config->bleu }, { NULL, chrf_options, &config->chrf },
        { NULL, ter_options, &config->ter }, { 0 },
    };
    metric_config_default(config);
    if (options_from_json(groups, json_object_get(setting, "options"), &err) < 0)
        fail_msg("%s", err.text);
    return metric_find(json_string_value(json_object_get(setting, "metric")));
}

/* A text of the case as the metric got it: some lines were too long for sacreBLEU's TER. */
static struct text given(struct text t, const struct hard_case *c, const json_t *setting)
{
    size_t most = (size_t)json_integer_value(json_object_get(head, "ter_times"));
    if (t.bytes && c->times > most && !strcmp(json_string_value(json_object_get(setting, "metric")), "ter"))
        t.length = t.length / c->times * most;
    return t;
}

/* The case with all references scores as sacreBLEU's sentence_score. */
static void check_sentences(size_t setting_index, const json_t *setting)
{
    struct metric_config config;
    struct segment_scorer *s = segment_scorer_new(configure(&config, setting), &config);
    for (size_t i = 0; i < case_count; i++) {
        const struct hard_case *c = &cases[i];
        struct text refs[REFS_MAX];
        char got[32];
        for (int r = 0; r < c->nrefs; r++)
            refs[r] = given(c->refs[r], c, setting);
        segment_scorer_refs(s, refs, c->nrefs);
        snprintf(got, sizeof got, "%.4f", segment_scorer_score(s, given(c->hyp, c, setting)));
        const char *want = json_string_value(json_array_get(cases[i].scores, setting_index));
        if (strcmp(got, want))
            fail_msg("case on line %zu, setting %zu: %s, but sacreBLEU gives %s", i + 2,
                     setting_index, got, want);
    }
    segment_scorer_free(s);
}

static void every_hard_sentence_scores_as_in_sacrebleu(void **state)
{
    size_t i;
    json_t *setting;
    json_array_foreach(json_object_get(head, "settings"), i, setting)
        check_sentences(i, setting);
    assert_true(i > 20);
}

/* `text` with the version left open, as the golden file has it. */
static char *without_version(const char *text)
{
    struct strbuf out = { 0 };
    for (const char *at; (at = strstr(text, METRIC_VERSION)); text = at + strlen(METRIC_VERSION)) {
        strbuf_add(&out, text, (size_t)(at - text));
        strbuf_puts(&out, "VERSION");
    }
    strbuf_puts(&out, text);
    return strbuf_detach(&out);
}

static void check_output(const struct strbuf *out, const json_t *want, const char *key)
{
    char *got = without_version(out->text);
    assert_string_equal(got, json_string_value(json_object_get(want, key)));
    free(got);
}

static void check_corpus(const json_t *setting, const char *which, const struct text *hyps,
                         const struct text *refs, int nrefs, int threads)
{
    const json_t *want = json_object_get(setting, which);
    struct metric_config config;
    struct metric_report report;
    struct strbuf out = { 0 };

    metric_corpus(&report, configure(&config, setting), &config, hyps, refs, case_count, nrefs,
                  threads);
    report_text(&out, &report, 4, false);
    check_output(&out, want, "text");
    strbuf_reset(&out);
    report_json(&out, &report, 7, false);
    check_output(&out, want, "json");
    strbuf_release(&out);
}

static struct text first_ref(const struct hard_case *c)
{
    int r = 0;
    while (!c->refs[r].bytes)
        r++;
    return c->refs[r];
}

static void the_corpus_of_them_is_reported_as_by_sacrebleu(void **state)
{
    struct text *hyps = xcalloc(case_count, sizeof *hyps);
    struct text *refs = xcalloc(case_count * REFS_MAX, sizeof *refs);
    struct text *first = xcalloc(case_count, sizeof *first);
    size_t i;
    json_t *setting;

    json_array_foreach(json_object_get(head, "settings"), i, setting) {
        for (size_t k = 0; k < case_count; k++) {
            const struct hard_case *c = &cases[k];
            hyps[k] = given(c->hyp, c, setting);
            first[k] = given(first_ref(c), c, setting);
            for (size_t r = 0; r < REFS_MAX; r++)
                refs[r * case_count + k] = given(c->refs[r], c, setting);
        }
        check_corpus(setting, "all_refs", hyps, refs, REFS_MAX, 1);
        check_corpus(setting, "first_ref", hyps, first, 1, 2);
    }
    free(hyps);
    free(refs);
    free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_hard_sentence_scores_as_in_sacrebleu),
        cmocka_unit_test(the_corpus_of_them_is_reported_as_by_sacrebleu),
    };
    return cmocka_run_group_tests(tests, read_golden, forget_golden);
}
