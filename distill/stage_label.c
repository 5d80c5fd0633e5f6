/* The stage `label`: models' outputs become the targets of a corpus (Kim & Rush 2016,
 * sequence-level distillation); with `soft-targets`, what they say of every token is kept as well,
 * for word-level distillation without a teacher at hand.
 *
 * The work is that of `coho label` (decode/label.h), in labels/, where an interrupted stage goes
 * on.  In the end the best hypotheses, without those that are no use, are the corpus. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "corpora/soft_targets.h"
#include "decode/label.h"
#include "decode/nbest.h"
#include "distill/corpus_files.h"
#include "distill/forecast.h"
#include "distill/kinds.h"
#include "seq2seq/model.h"
#include "seq2seq/teacher.h"

#define LABELS "labels"                 /* the engine's folder, within the stage's */

struct label_stage {
    bool keep_cut, gold;
    int average;
    struct strings weights;
    float temperature;
    struct label_config label;
    struct search_config search;
};

static const char *const average_names[] = { "probability", "log", NULL };

#define FIELD(member) offsetof(struct label_stage, member)
static const struct option stage_options[] = {
    { "keep-cut", OPTION_FLAG, FIELD(keep_cut), "false", 0, 0,
      "keep hypotheses that the length limit ended; they are mostly loops" },
    { "gold", OPTION_FLAG, FIELD(gold), "false", 0, 0,
      "keep the corpus's own targets instead of searching: the models only score them and give soft targets" },
    { "average", OPTION_CHOICE, FIELD(average), "probability", 0, 0,
      "what several models average: probabilities or their logarithms", average_names },
    { "weights", OPTION_LIST, FIELD(weights), NULL, 0, 0, "of several models, one each; without: equal ones" },
    { "soft-temperature", OPTION_FLOAT, FIELD(temperature), "1", 0.01, 100,
      "divides the models' logits before soft targets are taken" },
    { 0 }
};
static const struct stage_options tables[] = {
    { stage_options, 0 }, { label_options, FIELD(label) }, { search_options, FIELD(search) }, { NULL }
};
#undef FIELD

static const struct stage_input inputs[] = {
    { "model", "model", true, true },
    { "corpus", "corpus", true, false },
    { NULL }
};

static bool is_model(const struct stage_link *link)
{
    return !strcmp(link->input->name, "model");
}

static int model_count(const struct stage *s)
{
    int count = 0;
    for (size_t i = 0; i < s->link_count; i++)
        count += is_model(&s->links[i]);
    return count;
}

/* NULL where none are given. */
static int read_weights(float **out, const struct strings *texts, int models, struct error *err)
{
    *out = NULL;
    if (!texts->count)
        return 0;
    if (texts->count != (size_t)models)
        return error_set(err, "weights has %zu numbers for %d models", texts->count, models);
    float *weights = xcalloc(texts->count, sizeof *weights);
    for (size_t i = 0; i < texts->count; i++) {
        char *end;
        weights[i] = strtof(texts->items[i], &end);
        if (end == texts->items[i] || *end || !(weights[i] > 0)) {
            free(weights);
            return error_set(err, "weights: '%s' is not a number above 0", texts->items[i]);
        }
    }
    *out = weights;
    return 0;
}

static int check(const struct stage *s, struct error *err)
{
    const struct label_stage *c = s->config;
    float *weights;
    if (c->gold && c->search.n_best > 1)
        return error_set(err, "n-best is for searches: gold keeps the corpus's targets");
    if (read_weights(&weights, &c->weights, model_count(s), err) < 0)
        return -1;
    free(weights);
    return search_check(&c->search, err);
}

struct labelling {
    struct stage_run *run;
    const struct label_stage *config;
    struct corpus_files corpus;
    struct model **models;
    int count;
    float *weights;
    struct ensemble *ensemble;
    struct translator translator;
    struct teacher *teacher;
    json_t *described;
    struct label_report report;
    int64_t empty, cut, kept;
};

/* ---- the labels ---- */

static int load_models(struct labelling *l, struct error *err)
{
    const struct stage *s = l->run->stage;
    l->models = xcalloc((size_t)model_count(s) + 1, sizeof *l->models);
    for (size_t i = 0; i < s->link_count; i++) {
        if (!is_model(&s->links[i]))
            continue;
        char *folder = stage_link_folder(l->run, &s->links[i]);
        l->models[l->count] = model_load_decoder(folder, PRODUCTS_STORED, err);
        free(folder);
        if (!l->models[l->count])
            return -1;
        l->count++;
    }
    return 0;
}

static json_t *describe_models(const struct labelling *l)
{
    const struct stage *s = l->run->stage;
    json_t *all = json_array();
    for (size_t i = 0, n = 0; i < s->link_count; i++) {
        char text[HASH_TEXT];
        if (!is_model(&s->links[i]))
            continue;
        hash_text(text, model_fingerprint(l->models[n]));
        json_t *one = json_pack("{s:s, s:s}", "model", l->run->stages[s->links[i].stage].name, "fingerprint", text);
        if (l->weights)
            json_object_set_new(one, "weight", json_real((double)l->weights[n]));
        json_array_append_new(all, one);
        n++;
    }
    return json_pack("{s:o, s:s, s:f}", "models", all, "average", average_names[l->config->average], "temperature",
                     (double)l->config->temperature);
}

static int open_models(struct labelling *l, struct error *err)
{
    const struct label_stage *c = l->config;
    const struct model *const *models;
    if (load_models(l, err) < 0 || read_weights(&l->weights, &c->weights, l->count, err) < 0)
        return -1;
    models = (const struct model *const *)l->models;
    if (l->count > 1 && !(l->ensemble = ensemble_new(models, l->weights, l->count, (enum average)c->average, err)))
        return -1;
    l->translator = l->ensemble ? translator_of_ensemble(l->ensemble) : translator_of_model(l->models[0]);
    l->described = describe_models(l);
    if (!c->gold && !c->label.soft)
        return 0;
    struct teacher_config config = { (enum average)c->average, c->temperature, l->weights };
    l->teacher = teacher_new(models, l->count, &config, err);
    return l->teacher ? 0 : -1;
}

static int run_job(struct labelling *l, struct error *err)
{
    struct strings files = { 0 };
    char *folder = stage_path(l->run, LABELS);
    strings_add(&files, l->corpus.train.source);
    struct label_job job = {
        .inputs = &files, .target = l->config->gold ? l->corpus.train.target : NULL, .folder = folder,
        .translator = &l->translator, .teacher = l->teacher, .models = l->described, .config = &l->config->label,
        .search = &l->config->search, .threads = l->run->threads, .shares = 1,
    };
    int ret = label_run(&job, &l->report, err);
    strings_release(&files);
    free(folder);
    return ret == LABEL_STOPPED ? STAGE_STOPPED : ret;
}

/* ---- from lists to a corpus ---- */

/* What the best hypotheses and their sources are copied to, and from. */
struct copying {
    struct lines in;
    struct nbest lists;
    struct outfile source, target;
};

static void copy_one(struct labelling *l, struct copying *c)
{
    const struct nbest_line *line = &c->lists.line;
    bool empty = line->marks & NBEST_USELESS, cut = line->marks & NBEST_CUT && !l->config->keep_cut;
    l->empty += empty;
    l->cut += cut && !empty;
    if (empty || cut)
        return;
    l->kept++;
    fprintf(c->source.stream, "%s\n", c->in.text);
    fprintf(c->target.stream, "%s\n", line->text);
}

/* Lists and sources go side by side: every sentence has a list, in order, as the engine has proved. */
static int copy_all(struct labelling *l, struct copying *c, struct error *err)
{
    int64_t sentence = -1;
    int more, source;
    while ((more = nbest_next(&c->lists, err)) > 0) {
        if (c->lists.line.sentence == sentence)
            continue;                           /* not the best one */
        sentence++;
        if ((source = lines_next(&c->in, err)) <= 0)
            return source < 0 ? -1 : error_set(err, "%s holds more sentences than %s",
                                               c->lists.in.path, c->in.path);
        copy_one(l, c);
    }
    return more;
}

static int write_corpus(struct labelling *l, const char *nbest, const char *source_name,
                        const char *target_name, struct error *err)
{
    char *source = stage_path(l->run, source_name), *target = stage_path(l->run, target_name);
    struct copying c = { 0 };
    int ret = -1;
    if (outfile_open(&c.source, source, err) == 0 && outfile_open(&c.target, target, err) == 0
        && lines_open(&c.in, l->corpus.train.source, err) == 0 && nbest_open(&c.lists, nbest, err) == 0
        && copy_all(l, &c, err) == 0)
        ret = outfile_commit(&c.source, err) < 0 || outfile_commit(&c.target, err) < 0 ? -1 : 0;
    if (ret == 0 && l->kept == 0)
        ret = error_set(err, "every hypothesis was empty or cut at the length limit; the model has "
                        "not learnt enough to label with");
    nbest_close(&c.lists);
    lines_close(&c.in);
    outfile_abort(&c.source);
    outfile_abort(&c.target);
    free(source);
    free(target);
    return ret;
}

/* What labelled, for lineage: a model, or the members of an ensemble. */
static json_t *describe_teacher(const struct labelling *l)
{
    const struct stage *s = l->run->stage;
    json_t *all = json_array();
    for (size_t i = 0, n = 0; i < s->link_count; i++) {
        char text[HASH_TEXT];
        if (!is_model(&s->links[i]))
            continue;
        hash_text(text, model_fingerprint(l->models[n]));
        json_t *one = json_pack("{s:s, s:s, s:s, s:O}", "stage", l->run->stages[s->links[i].stage].name,
                                "fingerprint", text, "labelled_with",
                                l->config->gold ? "soft targets of gold" : l->config->search.sampled ? "sampling"
                                : "beam search", "lineage", l->models[n]->lineage);
        if (!l->config->gold && !l->config->search.sampled)
            json_object_set_new(one, "beam", json_integer(l->config->search.beam));
        if (l->weights)
            json_object_set_new(one, "weight", json_real((double)l->weights[n]));
        json_array_append_new(all, one);
        n++;
    }
    json_t *teacher = l->count > 1 ? json_incref(all) : json_incref(json_array_get(all, 0));
    json_decref(all);
    return teacher;
}

static char *sibling_or_null(const char *path)
{
    return path ? corpus_sibling(path) : NULL;
}

static struct corpus_set sibling_set(const struct corpus_set *set)
{
    return (struct corpus_set){ sibling_or_null(set->source), sibling_or_null(set->target),
                                set->pairs, set->source_words, set->target_words };
}

/* The labelled corpus: its own training set, the other sets of the gold one. */
static int describe(struct labelling *l, char *source_name, char *target_name, struct error *err)
{
    const struct stage_link *link = stage_link(l->run->stage, "corpus");
    struct corpus_files files = {
        .source_lang = xstrdup(l->corpus.source_lang), .target_lang = xstrdup(l->corpus.target_lang),
        .train = { source_name, target_name, 0, 0, 0 },
        .dev = sibling_set(&l->corpus.dev), .test = sibling_set(&l->corpus.test),
        .gold = xasprintf("../%s", l->run->stages[link->stage].name), .nbest = xstrdup(LABELS "/" LABEL_NBEST),
        .soft = l->config->label.soft ? xstrdup(LABELS "/" LABEL_SOFT) : NULL,
        .teacher = describe_teacher(l),
    };
    int ret = corpus_set_count(&files.train, l->run->folder, err);
    if (ret == 0)
        ret = corpus_files_write(&files, l->run->folder, err);
    corpus_files_release(&files);
    return ret;
}

/* The soft targets' shards, by the numbers that the engine gives them. */
static void name_outputs(struct labelling *l, const char *source, const char *target)
{
    static const char *const labels[] = { LABELS "/" LABEL_NBEST, LABELS "/" LABEL_PROOF };
    for (size_t i = 0; i < ARRAY_COUNT(labels); i++)
        stage_output(l->run, labels[i]);
    for (int64_t i = 0; l->config->label.soft && i < l->report.shards; i++) {
        char *name = xasprintf(LABELS "/" LABEL_SOFT "/%06lld.soft", (long long)i);
        stage_output(l->run, name);
        free(name);
    }
    stage_output(l->run, source);
    stage_output(l->run, target);
    stage_output(l->run, CORPUS_FILE);
}

static int finish(struct labelling *l, struct error *err)
{
    char *nbest = stage_path(l->run, LABELS "/" LABEL_NBEST);
    char *source = xasprintf("train.%s", l->corpus.source_lang);
    char *target = xasprintf("train.%s", l->corpus.target_lang);
    name_outputs(l, source, target);
    int ret = write_corpus(l, nbest, source, target, err);
    if (ret == 0)
        ret = describe(l, source, target, err);         /* takes the names */
    free(nbest);
    return ret;
}

static void set_figures(struct labelling *l)
{
    const struct label_report *r = &l->report;
    json_t *figures = l->run->figures;
    json_object_set_new(figures, "pairs", json_integer(l->kept));
    json_object_set_new(figures, "dropped_empty", json_integer(l->empty));
    json_object_set_new(figures, "dropped_cut", json_integer(l->cut));
    json_object_set_new(figures, "decode_seconds", json_real(r->seconds));
    if (r->seconds > 0)
        json_object_set_new(figures, "words_per_s", json_real((double)r->source_words / r->seconds));
}

static void labelling_release(struct labelling *l)
{
    teacher_free(l->teacher);
    ensemble_free(l->ensemble);
    for (int i = 0; i < l->count; i++)
        model_free(l->models[i]);
    free(l->models);
    free(l->weights);
    json_decref(l->described);
    corpus_files_release(&l->corpus);
}

static int run_label(struct stage_run *run, struct error *err)
{
    struct labelling l = { .run = run, .config = run->stage->config };
    char *corpus = stage_input_folder(run, "corpus");
    int ret = corpus_files_read(&l.corpus, corpus, err);
    if (ret == 0)
        ret = open_models(&l, err);
    if (ret == 0)
        ret = run_job(&l, err);
    if (ret == 0)
        ret = finish(&l, err);
    if (ret == 0)
        set_figures(&l);
    free(corpus);
    labelling_release(&l);
    return ret;
}

/* Source words over the pace at which this stage, or one like it, went before. */
static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    const struct label_stage *c = run->stage->config;
    const struct stage_cost *corpus = stage_input_cost(run, "corpus");
    double weights = stage_input_cost(run, "model")->weights;
    double pace = manifest_figure(run->previous, "words_per_s");
    cost->train_words = corpus->train_words;
    cost->eval_words = corpus->eval_words;
    if (cost->train_words >= 0 && pace > 0)
        cost->seconds = cost->train_words / pace;
    else if (cost->train_words >= 0 && weights >= 0)
        cost->seconds = forecast_decoding(cost->train_words, weights, c->search.beam, run->threads);
    if (corpus->bytes >= 0)     /* shards and joined lists stand side by side for a moment */
        cost->bytes = corpus->bytes * (2 + 2 * c->search.n_best);
    if (c->label.soft && cost->train_words >= 0) {      /* near enough: a piece and a half a word */
        double rows = 1.5 * cost->train_words;
        cost->bytes += soft_targets_bytes(rows / 20, rows, rows * c->label.soft_k, 0);
    }
}

const struct stage_kind stage_label = {
    .name = "label", .summary = "labelling the corpus with a model's outputs", .makes = "corpus",
    .version = 2, .config_size = sizeof(struct label_stage), .options = tables, .inputs = inputs,
    .check = check, .run = run_label, .estimate = estimate,
};
