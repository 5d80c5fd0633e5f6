/* The stage `gap`: what a student does not do as its teacher does (gap.h), as text, as JSON and as a
 * page, in the stage's folder. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "distill/corpus_files.h"
#include "distill/facts.h"
#include "distill/forecast.h"
#include "distill/gap.h"
#include "distill/inputs.h"
#include "distill/kinds.h"
#include "distill/test_lines.h"

struct gap_stage {
    int set, mean;
    int64_t lines;
    char *title;
    struct gap_config gap;
    struct search_config search;
};

#define FIELD(member) offsetof(struct gap_stage, member)
static const struct option stage_options[] = {
    { "set", OPTION_CHOICE, FIELD(set), "test", 0, 0, "what both are compared on", test_set_names },
    { "model-mean", OPTION_CHOICE, FIELD(mean), "arithmetic", 0, 0,
      "of several teachers: the mean of their probabilities, or of their logarithms", mean_names },
    { "lines", OPTION_LONG, FIELD(lines), "0", 0, 1e12, "only the first lines of it; 0: all" },
    { "title", OPTION_STRING, FIELD(title), NULL, 0, 0, "heading of the page; else the names of the stages" },
    { 0 }
};
static const struct stage_options tables[] = {
    { stage_options, 0 }, { gap_options, FIELD(gap) }, { search_options, FIELD(search) }, { NULL }
};
#undef FIELD

/* distilled: the corpus that the student learnt from, for complexity and faithfulness. */
static const struct stage_input inputs[] = {
    { "teacher", "model", true, true },
    { "student", "model", true, false },
    { "corpus", "corpus", true, false },
    { "distilled", "corpus", false, false },
    { NULL }
};

static int check(struct stage_view *v, struct error *err)
{
    const struct gap_stage *c = v->stage->config;
    if (gap_search_check(&c->search, err) < 0 || facts_have_set(v, "corpus", c->set, err) < 0
        || facts_same_vocabulary(v, "teacher", NULL, "models that speak as one have the same", err) < 0
        || facts_direction(v, "teacher", false, err) < 0)
        return -1;
    return facts_direction(v, "student", false, err);
}

struct comparison {
    struct stage_run *run;
    const struct gap_stage *config;
    struct models teacher, student;
    struct corpus_files corpus, distilled;
    struct test_lines test;
};

static int open_all(struct comparison *c, struct error *err)
{
    enum average average = (enum average)c->config->mean;
    if (input_corpus(&c->corpus, c->run, "corpus", err) < 0 || input_corpus(&c->distilled, c->run, "distilled", err) < 0 ||
        test_lines_read(&c->test, &c->corpus, c->config->set, c->config->lines, err) < 0 ||
        input_models(&c->teacher, c->run, "teacher", NULL, NULL, average, err) < 0)
        return -1;
    return input_models(&c->student, c->run, "student", NULL, NULL, average, err);
}

static json_t *measure(struct comparison *c, struct error *err)
{
    const struct gap_texts texts = { (const char *const *)c->test.sources.items,
                                     (const char *const *)c->test.references.items, c->test.sources.count,
                                     c->corpus.train.target };
    const struct gap_voice teacher = gap_voice_of(&c->teacher, c->config->mean),
                           student = gap_voice_of(&c->student, c->config->mean);
    bool distilled = stage_has(c->run, "distilled");
    json_t *corpora = NULL, *gap = NULL;
    if (distilled)
        corpora = gap_corpora(&student.translator, c->corpus.train.source, c->corpus.train.target,
                              c->distilled.train.source, c->distilled.train.target, c->run->threads, err);
    if (!distilled || corpora)
        gap = gap_measure(&teacher, &student, &texts, &c->config->search, &c->config->gap, c->run->threads, err);
    if (gap && corpora)
        json_object_set(gap, "corpora", corpora);
    json_decref(corpora);
    return gap;
}

/* ---- what it leaves ---- */

static int write_text(struct stage_run *run, const json_t *gap, struct error *err)
{
    char *path = stage_path(run, "gap.txt");
    struct outfile out = { 0 };
    int ret = outfile_open(&out, path, err);
    if (ret == 0) {
        gap_print(gap, out.stream);
        ret = outfile_commit(&out, err);
    }
    free(path);
    stage_output(run, "gap.txt");
    return ret;
}

static int write_json(struct stage_run *run, const json_t *gap, struct error *err)
{
    char *path = stage_path(run, "gap.json"), *text = json_dumps(gap, JSON_INDENT(2) | JSON_REAL_PRECISION(7));
    int ret = file_write(path, text, strlen(text), err);
    free(text);
    free(path);
    stage_output(run, "gap.json");
    return ret;
}

static int write_page(struct stage_run *run, const json_t *gap, struct error *err)
{
    const struct gap_stage *c = run->stage->config;
    char *path = stage_path(run, GAP_PAGE_FILE);
    char *title = xasprintf("%s beside %s", run->stages[stage_link(run->stage, "student")->stage].name,
                            run->stages[stage_link(run->stage, "teacher")->stage].name);
    struct strbuf html = { 0 };
    gap_page(&html, gap, c->title ? c->title : title, run->recipe);
    int ret = file_write(path, html.text, html.length, err);
    strbuf_release(&html);
    free(title);
    free(path);
    stage_output(run, GAP_PAGE_FILE);
    return ret;
}

static void set_figures(struct stage_run *run, const json_t *gap)
{
    static const char *const keys[] = { "bleu_greedy", "bleu_beam", "chrf_greedy", "chrf_beam", "mode_share" };
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        double a = json_number_value(json_object_get(json_object_get(gap, "teacher"), keys[i]));
        double b = json_number_value(json_object_get(json_object_get(gap, "student"), keys[i]));
        char *name = xasprintf("%s_gap", keys[i]);
        json_object_set_new(run->figures, name, json_real(b - a));
        free(name);
    }
    const json_t *agreement = json_object_get(json_object_get(gap, "agreement"), "beam");
    json_object_set(run->figures, "equal_outputs", json_object_get(agreement, "exact"));
    json_object_set(run->figures, "words_in_common", json_object_get(agreement, "overlap"));
}

static int run_gap(struct stage_run *run, struct error *err)
{
    struct comparison c = { .run = run, .config = run->stage->config };
    json_t *gap = open_all(&c, err) == 0 ? measure(&c, err) : NULL;
    int ret = -1;
    if (gap && write_json(run, gap, err) == 0 && write_text(run, gap, err) == 0)
        ret = write_page(run, gap, err);
    if (ret == 0)
        set_figures(run, gap);
    json_decref(gap);
    models_release(&c.teacher);
    models_release(&c.student);
    corpus_files_release(&c.corpus);
    corpus_files_release(&c.distilled);
    test_lines_release(&c.test);
    return ret;
}

/* Both decode greedily and by beam search, and score the references. */
static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    static const char *const sides[] = { "teacher", "student" };
    const struct gap_stage *c = run->stage->config;
    double words = stage_input_cost(run, "corpus")->eval_words;
    cost->seconds = 0;
    cost->bytes = 200e3;
    for (size_t i = 0; i < ARRAY_COUNT(sides); i++) {
        double weights = stage_input_cost(run, sides[i])->weights;
        if (words < 0 || weights < 0) {
            cost->seconds = -1;
            return;
        }
        cost->seconds += forecast_decoding(words, weights, 1, run->threads)
            + forecast_decoding(words, weights, c->search.beam, run->threads)
            + forecast_scoring(words, weights, run->threads);
    }
}

const struct stage_kind stage_gap = {
    .name = "gap", .summary = "comparing a student with its teacher", .makes = "gap", .version = 2,
    .config_size = sizeof(struct gap_stage), .options = tables, .inputs = inputs, .check = check,
    .run = run_gap, .estimate = estimate,
};
