/* The stage `choose`: of several models, and of those that their trainings kept (keep-models), the one with
 * the lowest dev NLL passes on: it teaches best (Menon et al. 2020, section 5), which the one with the best
 * BLEU need not.  Or the best by a metric, if that is what is wanted. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/table.h"
#include "corpora/batching.h"
#include "corpora/store.h"
#include "decode/validate.h"
#include "distill/corpus_files.h"
#include "distill/facts.h"
#include "distill/forecast.h"
#include "distill/kinds.h"
#include "distill/model_stage.h"
#include "distill/test_lines.h"
#include "eval/metric.h"
#include "seq2seq/kept_models.h"
#include "seq2seq/model.h"
#include "seq2seq/teacher.h"
#include "tokenize/tokenizer.h"

struct choose_stage {
    char *metric;
    int64_t lines;
    int max_length;
};

#define FIELD(member) offsetof(struct choose_stage, member)
static const struct option choose_options[] = {
    { "metric", OPTION_STRING, FIELD(metric), "nll", 0, 0,
      "what is compared on the dev set: nll, or any of coho eval's, of greedy translations" },
    { "validate-lines", OPTION_LONG, FIELD(lines), "500", 0, 1e9, "lines of the dev set that are translated; 0: all" },
    { "max-length", OPTION_INT, FIELD(max_length), "200", 1, 1e6,
      "tokens; longer pairs do not count in the NLL" },
    { 0 }
};
static const struct stage_options tables[] = { { choose_options, 0 }, { NULL } };
#undef FIELD

static const struct stage_input inputs[] = {
    { "models", "model", true, true },
    { "corpus", "corpus", true, false },
    { NULL }
};

static bool by_nll(const struct choose_stage *c)
{
    return !strcmp(c->metric, "nll");
}

static int check(struct stage_view *v, struct error *err)
{
    const struct choose_stage *c = v->stage->config;
    if (!by_nll(c) && !metric_find(c->metric)) {
        v->key = "metric";
        return error_set(err, "there is no metric '%s'; nll, and what `coho eval --help` lists", c->metric);
    }
    if (by_nll(c) && facts_same_vocabulary(v, "models", NULL, "their NLLs a token do not compare: choose by bleu or "
                                           "another metric", err) < 0)
        return -1;
    if (facts_have_set(v, "corpus", SET_DEV, err) < 0)
        return -1;
    return facts_take(v, "models", c->max_length, err) < 0 ? -1 : facts_direction(v, "models", false, err);
}

/* What they have in common. */
static void facts(struct stage_facts *out, const struct stage_view *v)
{
    facts_pass(out, v, "models");
    if (stage_link_count(v->stage, "models") > 1) {
        out->shaped = false;
        out->tasks = NULL;
        out->vocabulary = by_nll(v->stage->config) ? out->vocabulary : NULL;
    }
}

struct candidate {
    char *label, *folder;
    const struct stage_link *link;
    double nll, score;          /* NAN: not measured */
    uint64_t fingerprint;
    int64_t parameters;
};

struct choice {
    struct stage_run *run;
    const struct choose_stage *config;
    struct corpus_files corpus;
    struct candidate *all;
    size_t count, room;
    uint64_t vocabulary;        /* of the first one's target side */
    bool one_vocabulary, falls;
    struct validator validator;
};

/* ---- who stands for choice ---- */

static void add(struct choice *c, const struct stage_link *link, char *label, char *folder)
{
    ARRAY_GROW(c->all, c->room, c->count + 1);
    c->all[c->count++] = (struct candidate){ .label = label, .folder = folder, .link = link, .nll = NAN, .score = NAN };
}

static void list(struct choice *c)
{
    const struct stage *s = c->run->stage;
    for (size_t i = 0; i < s->link_count; i++) {
        if (!stage_link_is(&s->links[i], "models"))
            continue;
        char *folder = stage_link_folder(c->run, &s->links[i]);
        int64_t *updates;
        add(c, &s->links[i], xstrdup(s->links[i].label), folder);
        size_t count = kept_models_find(&updates, folder);
        while (count--)                 /* the oldest first */
            add(c, &s->links[i], xasprintf("%s at %lld", s->links[i].label, (long long)updates[count]),
                kept_model_folder(folder, updates[count]));
        free(updates);
    }
}

/* ---- measuring ---- */

static int nll_on(struct choice *c, const struct model *m, const struct store *store, double *nll, struct error *err)
{
    struct batching_config config = { .batch_tokens = 4000, .max_length = c->config->max_length };
    struct batch_source batches;
    struct teacher *t = teacher_new(&m, 1, &(struct teacher_config){ .temperature = 1 }, err);
    if (!t || batching_open(&batches, store, model_bos(m), model_eos(m), &config, NULL, err) < 0) {
        teacher_free(t);
        return -1;
    }
    int ret = teacher_nll(t, &batches, c->run->threads, nll, err);
    batches.free(batches.state);
    teacher_free(t);
    return ret;
}

static int measure_nll(struct choice *c, const struct model *m, double *nll, struct error *err)
{
    const struct corpus_set *dev = &c->corpus.dev;
    char *path = stage_path(c->run, "dev.ids");
    struct store *store = NULL;
    int ret = store_build(path, dev->source, dev->target, m->source_tokenizer, m->target_tokenizer, c->run->threads, err);
    if (ret == 0)
        ret = (store = store_open(path, true, err)) ? nll_on(c, m, store, nll, err) : -1;
    store_close(store);
    if (ret == 0)
        ret = dir_remove(path, err);
    free(path);
    return ret;
}

/* The NLL of a token says nothing beside that of another vocabulary's tokens. */
static int compare_vocabulary(struct choice *c, const struct candidate *it, const struct model *m, struct error *err)
{
    uint64_t vocabulary = tokenizer_fingerprint(m->target_tokenizer);
    if (it == c->all) {
        c->vocabulary = vocabulary;
        c->one_vocabulary = true;
    }
    c->one_vocabulary &= vocabulary == c->vocabulary;
    if (c->one_vocabulary || !by_nll(c->config))
        return 0;
    return error_set(err, "'%s' has another target vocabulary than '%s', so their NLLs a token do not compare; choose "
                     "by a metric of translations, such as chrf", it->label, c->all[0].label);
}

static int check_length(const struct choice *c, const struct candidate *it, const struct model *m, struct error *err)
{
    char *whose = xasprintf("'%s'", it->label);
    int ret = model_takes(m, c->config->max_length, whose, err);
    free(whose);
    return ret;
}

static int measure_model(struct choice *c, struct candidate *it, const struct model *m, struct error *err)
{
    struct decode_scores decoded = { NAN, NAN, NAN, NULL };
    it->fingerprint = model_fingerprint(m);
    it->parameters = model_parameters(m);
    if (check_length(c, it, m, err) < 0 || compare_vocabulary(c, it, m, err) < 0 || measure_nll(c, m, &it->nll, err) < 0)
        return -1;
    if (by_nll(c->config)) {
        it->score = it->nll;
        return 0;
    }
    int ret = c->validator.decode(c->validator.state, m, c->run->threads, &decoded, err);
    it->score = decoded.chosen;
    return ret;
}

static int measure(struct choice *c, struct candidate *it, struct error *err)
{
    struct model *m = model_load(it->folder, err);
    int ret = m ? measure_model(c, it, m, err) : -1;
    model_free(m);
    return ret;
}

/* NULL: none has a score that is a number.  Of equals the first. */
static const struct candidate *best_of(const struct choice *c)
{
    const struct candidate *best = NULL;
    for (const struct candidate *it = c->all; it < c->all + c->count; it++)
        if (isfinite(it->score) && (!best || (c->falls ? it->score < best->score : it->score > best->score)))
            best = it;
    return best;
}

/* ---- what is told ---- */

static void number(char text[32], double value)
{
    snprintf(text, 32, isfinite(value) ? "%.4f" : "–", value);
}

static int write_table(const struct choice *c, const struct candidate *best, struct error *err)
{
    struct table table = { 0 };
    struct outfile out = { 0 };
    char *path = stage_path(c->run, "choice.txt");
    bool both = !by_nll(c->config);
    table_row(&table, "", "dev NLL", both ? c->config->metric : "", "", NULL);
    for (const struct candidate *it = c->all; it < c->all + c->count; it++) {
        char nll[32], score[32];
        number(nll, c->one_vocabulary ? it->nll : NAN);
        number(score, it->score);
        table_row(&table, it->label, nll, both ? score : "", it == best ? "chosen" : "", NULL);
    }
    int ret = outfile_open(&out, path, err);
    if (ret == 0) {
        table_print(&table, out.stream);
        ret = outfile_commit(&out, err);
    }
    table_release(&table);
    free(path);
    return ret;
}

static int write_json(const struct choice *c, const struct candidate *best, struct error *err)
{
    json_t *models = json_object(), *all;
    char *path = stage_path(c->run, "choice.json");
    for (const struct candidate *it = c->all; it < c->all + c->count; it++) {
        bool compares = c->one_vocabulary && isfinite(it->nll);
        json_t *one = json_pack("{s:o}", "nll", compares ? json_real(it->nll) : json_null());
        if (!by_nll(c->config))
            json_object_set_new(one, c->config->metric, isfinite(it->score) ? json_real(it->score) : json_null());
        json_object_set_new(models, it->label, one);
    }
    all = json_pack("{s:s, s:s, s:o}", "metric", c->config->metric, "chosen", best->label, "models", models);
    int ret = json_write(all, path, err);
    json_decref(all);
    free(path);
    return ret;
}

static void set_figures(const struct choice *c, const struct candidate *best)
{
    json_t *figures = c->run->figures;
    double seconds = manifest_figure(stage_link_manifest(c->run, best->link), "train_seconds");
    json_object_set_new(figures, "chosen", json_string(best->label));
    json_object_set_new(figures, "candidates", json_integer((json_int_t)c->count));
    json_object_set_new(figures, "dev_nll", json_real(best->nll));
    json_object_set_new(figures, "parameters", json_integer(best->parameters));
    if (!by_nll(c->config)) {
        char *name = xasprintf("dev_%s", c->config->metric);
        json_object_set_new(figures, name, json_real(best->score));
        free(name);
    }
    if (isfinite(seconds))
        json_object_set_new(figures, "train_seconds", json_real(seconds));
}

static int write_lineage(const struct choice *c, const struct candidate *best, struct error *err)
{
    struct stage_run *run = c->run;
    char *path = stage_path(run, "lineage.json");
    json_t *it = json_pack("{s:s, s:s, s:s, s:i, s:o, s:O}", "name", run->stage->name, "recipe", run->recipe, "metric",
                           c->config->metric, "candidates", (int)c->count, "chosen",
                           stage_ancestor_in(run, best->link, best->folder, best->fingerprint), "figures", run->figures);
    int ret = json_write_sealed(it, path, err);
    json_decref(it);
    free(path);
    return ret;
}

static int pass_on(struct choice *c, const struct candidate *best, struct error *err)
{
    if (!best)
        return error_set(err, "none of the models has a %s that is a number", c->config->metric);
    log_info("chosen: %s, dev %s %.4f, of %zu", best->label, c->config->metric, best->score, c->count);
    set_figures(c, best);
    if (stage_model_copy(c->run, best->folder, err) < 0 || write_lineage(c, best, err) < 0
        || write_table(c, best, err) < 0 || write_json(c, best, err) < 0)
        return -1;
    stage_model_outputs(c->run);
    stage_output(c->run, "choice.txt");
    stage_output(c->run, "choice.json");
    return 0;
}

/* ---- the stage ---- */

static int open_inputs(struct choice *c, struct error *err)
{
    char *folder = stage_input_folder(c->run, "corpus");
    int ret = corpus_files_read(&c->corpus, folder, err);
    const struct corpus_set *dev = &c->corpus.dev;
    if (ret == 0 && !dev->source)
        ret = error_set(err, "%s has no dev set to choose by", folder);
    free(folder);
    c->falls = true;
    if (ret < 0 || by_nll(c->config))
        return ret;
    if (validator_open(&c->validator, dev->source, dev->target, c->config->lines, err) < 0)
        return -1;
    return c->validator.choose(c->validator.state, c->config->metric, &c->falls, err);
}

static int run_choose(struct stage_run *run, struct error *err)
{
    struct choice c = { .run = run, .config = run->stage->config };
    int ret = open_inputs(&c, err);
    list(&c);
    for (size_t i = 0; i < c.count && ret == 0; i++)
        ret = measure(&c, &c.all[i], err);
    if (ret == 0)
        ret = pass_on(&c, best_of(&c), err);
    for (size_t i = 0; i < c.count; i++) {
        free(c.all[i].label);
        free(c.all[i].folder);
    }
    free(c.all);
    validator_close(&c.validator);
    corpus_files_release(&c.corpus);
    return ret;
}

/* Of models that a training keeps only those are counted that have a stage of their own. */
static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    double words = stage_input_cost(run, "corpus")->eval_words;
    cost->weights = stage_input_cost(run, "models")->weights;
    cost->bytes = cost->weights < 0 ? -1 : cost->weights * (double)sizeof(float);
    cost->seconds = words < 0 ? -1 : 0;
    for (size_t i = 0; i < run->stage->link_count && cost->seconds >= 0; i++) {
        double weights = run->costs[run->stage->links[i].stage].weights;
        if (stage_link_is(&run->stage->links[i], "models"))
            cost->seconds = weights < 0 ? -1 : cost->seconds + forecast_scoring(words, weights, run->threads);
    }
}

const struct stage_kind stage_choose = {
    .name = "choose", .summary = "passing on the best of several models by their dev NLL", .makes = "model", .version = 1,
    .config_size = sizeof(struct choose_stage), .options = tables, .inputs = inputs,
    .check = check, .facts = facts, .run = run_choose, .estimate = estimate,
};
