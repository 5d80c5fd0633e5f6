/* The stage `gap`: what a student does not do as its teacher does (gap.h), as text, as JSON and as a
 * page, in the stage's folder. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/lines.h"
#include "base/memory.h"
#include "distill/corpus_files.h"
#include "distill/forecast.h"
#include "distill/gap.h"
#include "distill/kinds.h"
#include "seq2seq/model.h"

static const char *const set_names[] = { "test", "dev", NULL };
static const char *const mean_names[] = { "arithmetic", "geometric", NULL };

struct gap_stage {
    int set, mean;
    int64_t lines;
    char *title;
    struct gap_config gap;
    struct search_config search;
};

#define FIELD(member) offsetof(struct gap_stage, member)
static const struct option stage_options[] = {
    { "set", OPTION_CHOICE, FIELD(set), "test", 0, 0, "what both are compared on", set_names },
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

static int check(const struct stage *s, struct error *err)
{
    const struct gap_stage *c = s->config;
    return search_check(&c->search, err);
}

/* One side: the models of the links of one input. */
struct side {
    struct model **models;
    int count;
    struct ensemble *ensemble;
    struct gap_voice voice;
};

struct comparison {
    struct stage_run *run;
    const struct gap_stage *config;
    struct side teacher, student;
    struct corpus_files corpus, distilled;
    struct strings sources, references;
};

static int side_open(struct side *s, const struct comparison *c, const char *input, struct error *err)
{
    const struct stage *stage = c->run->stage;
    enum average average = c->config->mean ? AVERAGE_LOG : AVERAGE_PROBABILITY;
    s->models = xcalloc(stage->link_count, sizeof *s->models);
    for (size_t i = 0; i < stage->link_count; i++) {
        if (strcmp(stage->links[i].input->name, input))
            continue;
        char *folder = stage_link_folder(c->run, &stage->links[i]);
        s->models[s->count] = model_load_decoder(folder, PRODUCTS_STORED, err);
        free(folder);
        if (!s->models[s->count])
            return -1;
        s->count++;
    }
    const struct model *const *models = (const struct model *const *)s->models;
    if (s->count > 1 && !(s->ensemble = ensemble_new(models, NULL, s->count, average, err)))
        return -1;
    s->voice = (struct gap_voice){ models, s->count, NULL, average,
                                   s->ensemble ? translator_of_ensemble(s->ensemble) : translator_of_model(models[0]) };
    return 0;
}

static void side_close(struct side *s)
{
    ensemble_free(s->ensemble);
    for (int i = 0; i < s->count; i++)
        model_free(s->models[i]);
    free(s->models);
}

static int read_corpus(struct corpus_files *out, const struct comparison *c, const char *input, struct error *err)
{
    char *folder = stage_input_folder(c->run, input);
    int ret = corpus_files_read(out, folder, err);
    free(folder);
    return ret;
}

static int open_all(struct comparison *c, struct error *err)
{
    const struct corpus_set *set;
    if (read_corpus(&c->corpus, c, "corpus", err) < 0
        || (stage_has(c->run, "distilled") && read_corpus(&c->distilled, c, "distilled", err) < 0))
        return -1;
    set = c->config->set ? &c->corpus.dev : &c->corpus.test;
    if (!set->source)
        return error_set(err, "the corpus has no %s set", set_names[c->config->set]);
    if (lines_read(&c->sources, set->source, c->config->lines, err) < 0
        || lines_read(&c->references, set->target, c->config->lines, err) < 0)
        return -1;
    if (c->sources.count != c->references.count)
        return error_set(err, "%s has %zu lines, but %s has %zu", set->source, c->sources.count, set->target,
                         c->references.count);
    return side_open(&c->teacher, c, "teacher", err) < 0 ? -1 : side_open(&c->student, c, "student", err);
}

static json_t *measure(struct comparison *c, struct error *err)
{
    const struct gap_texts texts = { (const char *const *)c->sources.items, (const char *const *)c->references.items,
                                     c->sources.count, c->corpus.train.target };
    json_t *corpora, *gap = gap_measure(&c->teacher.voice, &c->student.voice, &texts, &c->config->search,
                                        &c->config->gap, c->run->threads, err);
    if (!gap || !stage_has(c->run, "distilled"))
        return gap;
    corpora = gap_corpora(&c->student.voice.translator, c->corpus.train.source, c->corpus.train.target,
                          c->distilled.train.source, c->distilled.train.target, c->run->threads, err);
    if (corpora)
        json_object_set_new(gap, "corpora", corpora);
    else
        json_decref(gap);
    return corpora ? gap : NULL;
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
    side_close(&c.teacher);
    side_close(&c.student);
    corpus_files_release(&c.corpus);
    corpus_files_release(&c.distilled);
    strings_release(&c.sources);
    strings_release(&c.references);
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
    .name = "gap", .summary = "comparing a student with its teacher", .makes = "gap", .version = 1,
    .config_size = sizeof(struct gap_stage), .options = tables, .inputs = inputs, .check = check,
    .run = run_gap, .estimate = estimate,
};
