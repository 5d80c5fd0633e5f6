/* The stage `label`: models' outputs become the targets of a corpus, or of monolingual text (Kim &
 * Rush 2016, sequence-level distillation), or the sources of target text (back-translation); with
 * `soft-targets`, what they say of every token is kept as well, for word-level distillation without a
 * teacher at hand.
 *
 * The work is that of `coho label` (decode/label.h), in labels/, where an interrupted stage goes
 * on.  In the end the hypotheses, without those that are no use, are the corpus
 * (distill/labelled_pairs.h). */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "corpora/soft_targets.h"
#include "decode/label.h"
#include "distill/corpus_files.h"
#include "distill/derived_corpus.h"
#include "distill/facts.h"
#include "distill/forecast.h"
#include "distill/inputs.h"
#include "distill/kinds.h"
#include "distill/labelled_pairs.h"
#include "seq2seq/model.h"
#include "seq2seq/teacher.h"
#include "tokenize/tokenizer.h"

#define LABELS "labels"                 /* the engine's folder, within the stage's */

struct label_stage {
    bool gold;
    int average;
    struct strings weights, monolingual;
    float temperature;
    struct labelled_config pairs;
    struct label_config label;
    struct search_config search;
};


#define FIELD(member) offsetof(struct label_stage, member)
static const struct option stage_options[] = {
    { "monolingual", OPTION_LIST, FIELD(monolingual), NULL, 0, 0,
      "files of text to label in place of the corpus, which then only lends its dev and test sets" },
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
    { stage_options, 0 }, { labelled_options, FIELD(pairs) }, { label_options, FIELD(label) },
    { search_options, FIELD(search) }, { NULL }
};
#undef FIELD

static const struct stage_input inputs[] = {
    { "model", "model", true, true },
    { "corpus", "corpus", true, false },
    { NULL }
};

/* What goes with gold targets, and with soft ones, which belong to the very sentences that they were
 * made of. */
static int check_targets(const struct label_stage *c, struct error *err)
{
    if (c->gold && c->search.n_best > 1)
        return error_set(err, "n-best is for searches: gold keeps the corpus's targets");
    if (c->gold && (c->monolingual.count || c->pairs.direction == LABEL_BACK))
        return error_set(err, "gold keeps the corpus's targets: it does not go with %s",
                         c->monolingual.count ? "monolingual text, which has none" : "direction: back");
    if (c->label.soft && (c->pairs.direction == LABEL_BACK || c->pairs.tag || c->pairs.hypotheses == HYPOTHESES_ALL))
        return error_set(err, "soft-targets are of each line and its best hypothesis: %s makes other pairs of them",
                         c->pairs.direction == LABEL_BACK ? "direction: back" : c->pairs.tag ? "a tag" : "hypotheses: all");
    if (c->search.n_best > 1 && c->pairs.hypotheses == HYPOTHESES_ALL && c->search.mbr)
        return error_set(err, "mbr chooses one translation of a line: it does not go with hypotheses: all");
    return 0;
}

static int check(struct stage_view *v, struct error *err)
{
    const struct label_stage *c = v->stage->config;
    bool back = c->pairs.direction == LABEL_BACK;
    float *weights;
    if (label_config_check(&c->label, err) < 0 || check_targets(c, err) < 0)
        return -1;
    if (model_weights_parse(&weights, "weights", &c->weights, stage_link_count(v->stage, "model"), err) < 0) {
        v->key = "weights";
        return -1;
    }
    free(weights);
    if (search_check(&c->search, err) < 0
        || facts_same_vocabulary(v, "model", NULL, "models that speak as one have the same", err) < 0
        || facts_direction(v, "model", back, err) < 0)
        return -1;
    return c->gold || (back && !c->monolingual.count) ? facts_have_targets(v, "corpus", err) : 0;
}

/* Only where the corpus's sources are translated do its targets stand beside the hypotheses. */
static bool beside_gold(const struct label_stage *c)
{
    return !c->monolingual.count && c->pairs.direction == LABEL_FORWARD;
}

static void facts(struct stage_facts *out, const struct stage_view *v)
{
    const struct label_stage *c = v->stage->config;
    facts_derive(out, v, "corpus");
    out->gold = beside_gold(c) && !facts_of(v, "corpus")->no_targets;
    out->n_best = c->search.n_best;
    out->soft = c->label.soft;
    out->drawn = c->label.soft_samples;
    out->soft_temperature = c->temperature;
    out->vocabulary = facts_of(v, "model")->vocabulary;
}

struct labelling {
    struct stage_run *run;
    const struct label_stage *config;
    struct corpus_files corpus;
    struct models models;
    struct translator translator;
    struct teacher *teacher;
    json_t *described;
    struct strings files;               /* what is labelled */
    struct label_report report;
    struct labelled_counts counts;
};

/* ---- the labels ---- */

static json_t *describe_models(const struct labelling *l)
{
    const struct stage *s = l->run->stage;
    json_t *all = json_array();
    for (size_t i = 0, n = 0; i < s->link_count; i++) {
        char text[HASH_TEXT];
        if (!stage_link_is(&s->links[i], "model"))
            continue;
        hash_text(text, model_fingerprint(l->models.items[n]));
        json_t *one = json_pack("{s:s, s:s}", "model", l->run->stages[s->links[i].stage].name, "fingerprint", text);
        if (l->models.weights)
            json_object_set_new(one, "weight", json_real((double)l->models.weights[n]));
        json_array_append_new(all, one);
        n++;
    }
    return json_pack("{s:o, s:s, s:f}", "models", all, "average", average_names[l->config->average], "temperature",
                     (double)l->config->temperature);
}

/* A tag that the vocabulary does not know is read as any other unknown word. */
static void check_tag(const struct labelling *l)
{
    const struct labelled_config *pairs = &l->config->pairs;
    const struct model *m = l->models.items[0];
    const struct tokenizer *t = pairs->direction == LABEL_BACK ? m->target_tokenizer : m->source_tokenizer;
    struct ids ids = { 0 };
    bool known = true;
    if (!pairs->tag)
        return;
    tokenizer_encode(t, &ids, pairs->tag, strlen(pairs->tag));
    for (size_t i = 0; i < ids.count; i++)
        known &= ids.items[i] != tokenizer_unk(t);
    ids_release(&ids);
    if (!known)
        log_warning("%s: stage '%s': the vocabulary does not know the tag '%s', so that students with it cannot tell it "
                    "from other unknown words; name it among the vocabulary's `symbols`", l->run->stage->origin,
                    l->run->stage->name, pairs->tag);
}

/* Of the text that is labelled to the other language. */
static int check_direction(const struct labelling *l, struct error *err)
{
    const char *source = l->corpus.source_lang, *target = l->corpus.target_lang;
    bool back = l->config->pairs.direction == LABEL_BACK;
    return input_direction(l->run, "model", back ? target : source, back ? source : target, err);
}

static int open_models(struct labelling *l, struct error *err)
{
    const struct label_stage *c = l->config;
    if (check_direction(l, err) < 0)
        return -1;
    if (input_models(&l->models, l->run, "model", "weights", &c->weights, (enum average)c->average, err) < 0)
        return -1;
    check_tag(l);
    l->translator = models_translator(&l->models);
    l->described = describe_models(l);
    if (!c->gold && !c->label.soft)
        return 0;
    struct teacher_config config = { (enum average)c->average, c->temperature, l->models.weights };
    l->teacher = teacher_new(models_list(&l->models), l->models.count, &config, err);
    return l->teacher ? 0 : -1;
}

/* Monolingual text, or the side of the corpus that the models read. */
static void name_inputs(struct labelling *l)
{
    const struct label_stage *c = l->config;
    const struct corpus_set *train = &l->corpus.train;
    for (size_t i = 0; i < c->monolingual.count; i++)
        strings_add(&l->files, c->monolingual.items[i]);
    if (!c->monolingual.count)
        strings_add(&l->files, c->pairs.direction == LABEL_BACK ? train->target : train->source);
}

static int run_job(struct labelling *l, struct error *err)
{
    char *folder = stage_path(l->run, LABELS);
    name_inputs(l);
    struct label_job job = {
        .inputs = &l->files, .target = l->config->gold ? l->corpus.train.target : NULL, .folder = folder,
        .translator = &l->translator, .teacher = l->teacher, .models = l->described, .config = &l->config->label,
        .search = &l->config->search, .threads = l->run->threads, .shares = 1,
    };
    int ret = label_run(&job, &l->report, err);
    free(folder);
    return ret == LABEL_STOPPED ? STAGE_STOPPED : ret;
}

/* ---- from lists to a corpus ---- */

/* What labelled, for lineage: a model, or the members of an ensemble. */
static json_t *describe_teacher(const struct labelling *l)
{
    const struct stage *s = l->run->stage;
    json_t *all = json_array();
    for (size_t i = 0, n = 0; i < s->link_count; i++) {
        char text[HASH_TEXT];
        if (!stage_link_is(&s->links[i], "model"))
            continue;
        hash_text(text, model_fingerprint(l->models.items[n]));
        json_t *one = json_pack("{s:s, s:s, s:s, s:O}", "stage", l->run->stages[s->links[i].stage].name,
                                "fingerprint", text, "labelled_with",
                                l->config->gold ? "soft targets of gold" : l->config->search.sampled ? "sampling"
                                : "beam search", "lineage", l->models.items[n]->lineage);
        if (l->config->pairs.direction == LABEL_BACK)
            json_object_set_new(one, "direction", json_string("back"));
        if (!l->config->gold && !l->config->search.sampled)
            json_object_set_new(one, "beam", json_integer(l->config->search.beam));
        if (l->models.weights)
            json_object_set_new(one, "weight", json_real((double)l->models.weights[n]));
        json_array_append_new(all, one);
        n++;
    }
    json_t *teacher = l->models.count > 1 ? json_incref(all) : json_incref(json_array_get(all, 0));
    json_decref(all);
    return teacher;
}

/* The soft targets' shards, by the numbers that the engine gives them. */
static void name_outputs(struct labelling *l)
{
    static const char *const labels[] = { LABELS "/" LABEL_NBEST, LABELS "/" LABEL_PROOF };
    for (size_t i = 0; i < ARRAY_COUNT(labels); i++)
        stage_output(l->run, labels[i]);
    for (int64_t i = 0; l->config->label.soft && i < l->report.shards; i++) {
        char *name = xasprintf(LABELS "/" LABEL_SOFT "/%06lld.soft", (long long)i);
        stage_output(l->run, name);
        free(name);
    }
}

/* The labelled corpus: its own training set, the other sets of the one that was labelled. */
static int write_corpus(struct labelling *l, struct derived *out, struct error *err)
{
    const struct label_stage *c = l->config;
    const struct stage_link *link = stage_link(l->run->stage, "corpus");
    char *nbest = stage_path(l->run, LABELS "/" LABEL_NBEST);
    char lists[] = LABELS "/" LABEL_NBEST, soft[] = LABELS "/" LABEL_SOFT;
    struct corpus_files about = {
        .gold = beside_gold(c) ? xasprintf("../%s", l->run->stages[link->stage].name) : NULL, .nbest = lists,
        .soft = c->label.soft ? soft : NULL, .teacher = describe_teacher(l),
    };
    int ret = derived_open(out, l->run, l->corpus.source_lang, l->corpus.target_lang, c->pairs.weights != WEIGHT_ONE, err);
    if (ret == 0)
        ret = labelled_pairs(out, &l->counts, &l->files, label_utf8(c->label.bad_text), nbest, &c->pairs, err);
    if (ret == 0)
        ret = derived_finish(out, &l->corpus, &about, err);
    json_decref(about.teacher);
    free(about.gold);
    free(nbest);
    return ret;
}

static int finish(struct labelling *l, struct error *err)
{
    struct derived out = { 0 };
    name_outputs(l);
    int ret = write_corpus(l, &out, err);
    derived_abort(&out);
    return ret;
}

static void set_figures(struct labelling *l)
{
    const struct label_report *r = &l->report;
    json_t *figures = l->run->figures;
    json_object_set_new(figures, "pairs", json_integer(l->counts.kept));
    json_object_set_new(figures, "dropped_empty", json_integer(l->counts.empty));
    json_object_set_new(figures, "dropped_cut", json_integer(l->counts.cut));
    json_object_set_new(figures, "decode_seconds", json_real(r->seconds));
    if (r->seconds > 0)
        json_object_set_new(figures, "words_per_s", json_real((double)r->source_words / r->seconds));
}

static void labelling_release(struct labelling *l)
{
    teacher_free(l->teacher);
    models_release(&l->models);
    json_decref(l->described);
    strings_release(&l->files);
    corpus_files_release(&l->corpus);
}

static int run_label(struct stage_run *run, struct error *err)
{
    struct labelling l = { .run = run, .config = run->stage->config };
    int ret = input_corpus(&l.corpus, run, "corpus", err);
    if (ret == 0)
        ret = open_models(&l, err);
    if (ret == 0)
        ret = run_job(&l, err);
    if (ret == 0)
        ret = finish(&l, err);
    if (ret == 0)
        set_figures(&l);
    labelling_release(&l);
    return ret;
}

static void reads(const struct stage *s, struct strings *paths)
{
    const struct label_stage *c = s->config;
    for (size_t i = 0; i < c->monolingual.count; i++)
        strings_add(paths, c->monolingual.items[i]);
}

/* Words to be labelled; below zero: unknown yet. */
static double words_to_label(const struct label_stage *c, const struct stage_cost *corpus)
{
    double bytes = 0;
    for (size_t i = 0; i < c->monolingual.count; i++)
        bytes += forecast_text_bytes(c->monolingual.items[i]);
    return c->monolingual.count ? forecast_words(bytes) : corpus->train_words;
}

/* Source words over the pace at which this stage, or one like it, went before. */
static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    const struct label_stage *c = run->stage->config;
    const struct stage_cost *corpus = stage_input_cost(run, "corpus");
    double weights = stage_input_cost(run, "model")->weights;
    double pace = manifest_figure(run->previous, "words_per_s");
    cost->train_words = words_to_label(c, corpus);
    cost->eval_words = corpus->eval_words;
    if (cost->train_words >= 0 && pace > 0)
        cost->seconds = cost->train_words / pace;
    else if (cost->train_words >= 0 && weights >= 0)
        cost->seconds = forecast_decoding(cost->train_words, weights, c->search.beam, run->threads);
    if (corpus->bytes >= 0)     /* shards and joined lists stand side by side for a moment */
        cost->bytes = corpus->bytes * (2 + 2 * c->search.n_best);
    if (c->label.soft && cost->train_words >= 0) {      /* near enough: a piece and a half a word */
        double rows = 1.5 * cost->train_words;
        cost->bytes += soft_targets_bytes(rows / 20, rows, rows * label_soft_entries(&c->label), 0);
    }
}

const struct stage_kind stage_label = {
    .name = "label", .summary = "labelling the corpus with a model's outputs", .makes = "corpus",
    .version = 3, .config_size = sizeof(struct label_stage), .options = tables, .inputs = inputs,
    .check = check, .facts = facts, .reads = reads, .run = run_label, .estimate = estimate,
};
