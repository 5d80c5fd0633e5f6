/* The stage `train`: a model from a corpus, by any objective of objectives.h.
 *
 * With `teacher`, the objective learns from that model as it runs along; with `start`, the
 * weights start as those of that model. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "corpora/soft_targets.h"
#include "distill/dev_set.h"
#include "distill/facts.h"
#include "distill/forecast.h"
#include "distill/inputs.h"
#include "distill/kd.h"
#include "distill/kinds.h"
#include "distill/model_stage.h"
#include "distill/objectives.h"
#include "distill/stage_train.h"
#include "distill/teacher_temperature.h"
#include "distill/train_corpora.h"
#include "distill/train_cost.h"
#include "seq2seq/train_plan.h"

#define DEFAULT_OBJECTIVE "cross-entropy"

#define FIELD(member) offsetof(struct train_stage, member)
static const struct option stage_options[] = {
    { "objective", OPTION_STRING, FIELD(objective), DEFAULT_OBJECTIVE, 0, 0,
      "the loss, one of those below" },
    { "teacher-mean", OPTION_CHOICE, FIELD(teacher_mean), "arithmetic", 0, 0,
      "of several teachers: the mean of their probabilities, or of their logarithms", mean_names },
    { "teacher-weights", OPTION_LIST, FIELD(teacher_weights), NULL, 0, 0,
      "of several teachers, a number for each; equal ones if not given" },
    { "teacher-temperature", OPTION_STRING, FIELD(teacher_temperature), "1", 0, 0, TEACHER_TEMPERATURE_HELP },
    { "soft-targets", OPTION_FLAG, FIELD(soft), "false", 0, 0,
      "learn from what the teacher said of the corpus when it was labelled, in place of a teacher that runs along" },
    { "generation", OPTION_INT, FIELD(generation), "0", 0, 1e6,
      "which of several generations this is: from the second on, the seed gives other numbers" },
    VALIDATE_LINES(FIELD(validate_lines)),
    { 0 }
};
static const struct stage_options tables[] = {
    { stage_options, 0 },
    { mixing_options, FIELD(mixing) },
    { model_options, FIELD(model) },
    { train_options, FIELD(train) },
    { batching_options, FIELD(batching) },
    { on_policy_options, FIELD(on_policy) },
    { initial_options, FIELD(initial) },
    { NULL }
};
#undef FIELD

static const struct stage_input inputs[] = {
    { "corpus", "corpus", true, true },
    { "unlabelled", "corpus", false, true },    /* whose targets are not looked at */
    { "vocabulary", "vocabulary", true, false },
    { "teacher", "model", false, true },
    { "start", "model", false, false },
    { NULL }
};

/* ---- what the recipe says ---- */

static int variant(const json_t *given, const struct option **options, size_t *size, struct error *err)
{
    return stage_objective_variant(DEFAULT_OBJECTIVE, given, options, size, err);
}

static void facts(struct stage_facts *out, const struct stage_view *v)
{
    const struct train_stage *c = v->stage->config;
    facts_pass(out, v, "vocabulary");
    facts_languages(out, v);
    out->shaped = true;
    out->config = c->model;
}

/* ---- what training needs ---- */

struct training {
    struct stage_run *run;
    const struct train_stage *config;
    struct train_config train_config;           /* as configured; sizes chosen by `memory` are in */
    struct batching_config batching;
    struct train_corpora corpora;
    struct model *model;
    struct models teachers;
    uint64_t start;                             /* the fingerprint of the weights started from */
    struct batch_source train;
    struct dev_set dev;
    struct soft_targets *soft;
    struct teacher_temperature temperature;
    struct objective objective;
    struct train_report report;
};

/* Each generation begins with weights and sees the corpus in an order of its own. */
static int64_t seed_of(const struct train_stage *c)
{
    uint64_t generation = (uint64_t)(c->generation > 1 ? c->generation : 0);
    return generation ? (int64_t)(rng_mix((uint64_t)c->train.seed ^ rng_mix(generation)) >> 12) : c->train.seed;
}

static int start_from(struct training *t, struct error *err)
{
    struct model *from = input_model(t->run, "start", err);
    int ret = from ? initial_start(t->model, from, &t->config->initial, err) : -1;
    if (ret == 0)
        t->start = model_fingerprint(from);
    model_free(from);
    return ret;
}

static int make_model(struct training *t, struct error *err)
{
    t->model = stage_model_new(t->run, &t->config->model, NULL, 0, seed_of(t->config), err);
    if (!t->model)
        return -1;
    return stage_has(t->run, "start") ? start_from(t, err) : 0;
}

/* Of what the student says itself, in tokens. */
static int longest_output(const struct training *t)
{
    int limit = model_max_length(t->model), longest = t->config->batching.max_length;
    return limit && limit <= longest ? limit - 1 : longest;
}

static int open_data(struct training *t, struct error *err)
{
    struct batching_config batching = t->batching;
    batching.seed = seed_of(t->config);
    if (train_corpora_open(&t->corpora, &t->train, t->model, &t->config->mixing, &batching, longest_output(t), err) < 0)
        return -1;
    return dev_set_open(&t->dev, t->run, &t->corpora.files[0].dev, t->model, &batching, t->train_config.micro_tokens,
                        t->config->validate_lines, err);
}

/* `memory` counts the student's training; teachers that run along come on top. */
static int plan_memory(struct training *t, struct error *err)
{
    struct train_plan plan;
    t->train_config = t->config->train;
    t->batching = t->config->batching;
    if (!t->train_config.memory)
        return 0;
    if (!t->train_config.threads)
        t->train_config.threads = t->run->threads;
    return train_plan_make(&plan, t->model, &t->train_config, &t->batching, err);
}

static int load_teachers(struct training *t, struct error *err)
{
    int longest = t->config->batching.max_length;
    if (input_models_whole(&t->teachers, t->run, "teacher", err) < 0 ||
        models_weigh(&t->teachers, "teacher-weights", &t->config->teacher_weights, err) < 0)
        return -1;
    int limit = models_max_length(&t->teachers);
    if (limit && longest >= limit)
        return error_set(err, "max-length %d: the learned positions of the teacher end at %d; lower it", longest, limit);
    return 0;
}

/* What the corpus's `label` stage has kept. */
static int open_soft(struct training *t, struct error *err)
{
    if (!t->config->soft)
        return 0;
    const char *soft = t->corpora.files[0].soft;
    if (!soft)
        return error_set(err, "soft-targets: the corpus has none; label it with `soft-targets: top-k` and, to keep "
                         "its own targets, `gold: true`");
    t->soft = soft_targets_open(soft, true, err);
    return t->soft ? soft_targets_bind(t->soft, t->corpora.stores[0], err) : -1;
}

/* The student's own outputs in the place of the corpus's targets. */
static int open_on_policy(struct training *t, struct error *err)
{
    struct batch_source gold = t->train;
    if (!on_policy_wanted(&t->config->on_policy))
        return 0;
    return on_policy_open(&t->train, &gold, t->model, &t->config->on_policy, longest_output(t), seed_of(t->config),
                          t->run->threads, err);
}

static int make_objective(struct training *t, struct error *err)
{
    const struct objective_kind *kind = objective_find(t->config->objective, err);
    if (load_teachers(t, err) < 0 || open_soft(t, err) < 0)
        return -1;
    struct objective_needs needs = {
        t->model, models_list(&t->teachers), t->teachers.count, t->teachers.weights,
        (enum average)t->config->teacher_mean, t->soft,
    };
    if (teacher_temperature_find(&t->temperature, &needs, t->config->teacher_temperature,
                                 t->dev.store ? &t->dev.batches : NULL, t->run->threads, err) < 0)
        return -1;
    return objective_make(&t->objective, kind, &needs, t->run->stage->variant, err);
}

static void training_release(struct training *t)
{
    if (t->objective.free)
        t->objective.free(t->objective.shared);
    if (t->train.free)
        t->train.free(t->train.state);
    dev_set_release(&t->dev);
    soft_targets_close(t->soft);
    models_release(&t->teachers);
    model_free(t->model);
    train_corpora_release(&t->corpora);
}

/* ---- lineage ---- */

static json_t *describe_objective(const struct training *t)
{
    json_t *it = stage_objective_describe(t->run, t->config->objective);
    if (t->temperature.value != 1)
        json_object_set_new(it, "teacher-temperature", json_real((double)t->temperature.value));
    return it;
}

/* From which language to which, where all corpora agree; else null. */
static json_t *describe_languages(const struct train_corpora *c)
{
    const struct corpus_files *first = &c->files[0];
    for (int i = 1; i < c->labelled; i++)
        if (strcmp(c->files[i].source_lang, first->source_lang) || strcmp(c->files[i].target_lang, first->target_lang))
            return json_null();
    return json_pack("[s, s]", first->source_lang, first->target_lang);
}

/* Everything that made this model, its teachers' ancestry included. */
static void set_lineage(struct training *t)
{
    const struct stage_run *run = t->run;
    const struct option_group groups[] = { { NULL, initial_options, (void *)(uintptr_t)&t->config->initial }, { NULL } };
    json_t *teachers = json_array();
    for (size_t i = 0, n = 0; i < run->stage->link_count; i++)
        if (stage_link_is(&run->stage->links[i], "teacher"))
            json_array_append_new(teachers, stage_ancestor(run, &run->stage->links[i],
                                                           model_fingerprint(t->teachers.items[n++])));
    train_corpora_teachers(&t->corpora, teachers);
    stage_lineage_set(run, t->model, t->config->train.seed, describe_objective(t),
                      json_pack("{s:o, s:o, s:o*}", "languages", describe_languages(&t->corpora), "corpus",
                                train_corpora_describe(&t->corpora), "unlabelled",
                                train_corpora_describe_unlabelled(&t->corpora)), teachers);
    if (t->config->generation)
        json_object_set_new(t->model->lineage, "generation", json_integer(t->config->generation));
    json_t *start = stage_lineage_start(run, t->model, t->start);
    if (start)
        json_object_set_new(start, "initialisation", options_to_json(groups));
}

/* ---- figures ---- */

/* The sentences that each corpus gave to a training of several, and then each text without translations. */
static void set_drawn(struct training *t)
{
    int count = 0;
    const int64_t *drawn = t->train.drawn ? t->train.drawn(t->train.state, &count) : NULL;
    json_t *all = json_object();
    for (int i = 0; i < count; i++)
        json_object_set_new(all, t->run->stages[t->corpora.links[i]->stage].name, json_integer(drawn[i]));
    if (count)
        json_object_set(t->run->figures, "drawn", all);
    json_decref(all);
}

/* Those beside what every training measures. */
static void set_figures(struct training *t)
{
    set_drawn(t);
    kd_self_warn(objective_find(t->config->objective, NULL)->method, t->run->stage->variant, t->report.updates,
                 t->report.epochs);
    json_object_set_new(t->run->figures, "skipped", json_integer(t->corpora.skipped));
    train_corpora_label_figures(&t->corpora, t->run->figures);
    if (t->temperature.fitted) {
        json_object_set_new(t->run->figures, "teacher_temperature", json_real((double)t->temperature.value));
        json_object_set_new(t->run->figures, "teacher_nll", json_real(t->temperature.fit.nll));
        json_object_set_new(t->run->figures, "teacher_nll_unfitted", json_real(t->temperature.fit.nll_unfitted));
    }
}

/* ---- the stage ---- */

static int train(struct training *t, struct error *err)
{
    struct train_config config = t->train_config;
    const struct train_data data = dev_set_beside(&t->train, &t->dev);
    config.seed = seed_of(t->config);
    return stage_train_model(t->run, t->model, &t->objective, &data, &config, &t->report, err);
}

static int finish(struct training *t, struct error *err)
{
    const struct stage *s = t->run->stage;
    set_figures(t);
    if (stage_train_finish(t->run, t->model, &t->report, err) < 0)
        return -1;
    return train_corpora_clear(t->run, stage_link_count(s, "corpus") + stage_link_count(s, "unlabelled"), err);
}

static int prepare(struct training *t, struct error *err)
{
    if (train_corpora_read(&t->corpora, t->run, err) < 0 || make_model(t, err) < 0 || plan_memory(t, err) < 0
        || open_data(t, err) < 0 || open_on_policy(t, err) < 0 || make_objective(t, err) < 0)
        return -1;
    set_lineage(t);
    const struct train_courses courses = train_stage_courses(t->run->stage);
    train_courses_warn(&courses);
    return 0;
}

static int run_train(struct stage_run *run, struct error *err)
{
    struct training t = { .run = run, .config = run->stage->config };
    int ret = -1;
    if (prepare(&t, err) == 0 && train(&t, err) == 0)
        ret = t.report.interrupted ? STAGE_STOPPED : finish(&t, err);
    training_release(&t);
    return ret;
}

/* Of all text together, labelled or not; below zero: unknown yet. */
static double epoch_words(const struct stage_run *run)
{
    double labelled = train_cost_epoch(run, "corpus"), unlabelled = train_cost_epoch(run, "unlabelled");
    return labelled < 0 || unlabelled < 0 ? -1 : labelled + unlabelled;
}

/* The share of sentences whose labels the student makes, halfway through the training. */
static double labelling_share(const struct stage_run *run)
{
    const struct train_stage *c = run->stage->config;
    const struct moment halfway = { .progress = 0.5, .update = c->train.max_updates / 2 };
    const struct strings *weights = &c->mixing.weights;
    size_t labelled = (size_t)stage_link_count(run->stage, "corpus");
    double all = 0, own = 0;
    for (size_t i = 0; i < weights->count; i++) {
        struct course course = { 0 };
        course_parse(&course, weights->items[i], 0, 0, NULL);       /* which `check` has looked at */
        all += (double)course_at(&course, &halfway);
        own += i < labelled ? 0 : (double)course_at(&course, &halfway);
    }
    return all > 0 ? own / all : 0;
}

/* Sets of dev lines decoded on the way count as well, but little. */
static double seconds_to_come(const struct stage_run *run, double weights)
{
    const struct train_stage *c = run->stage->config;
    double words = train_cost_words(&c->train, train_cost_batch(&c->batching), epoch_words(run));
    double teacher = stage_input_cost(run, "teacher")->weights;
    if (words < 0)
        return -1;
    return forecast_training(words, weights, run->threads)
        + forecast_scoring(words, fmax(0, teacher), run->threads)
        + forecast_decoding(words * labelling_share(run), weights, 1, run->threads);
}

static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    const struct train_stage *c = run->stage->config;
    cost->weights = train_cost_weights(run, &c->model);
    cost->seconds = train_cost_seconds(run, &c->train, seconds_to_come(run, cost->weights));
    cost->bytes = train_cost_bytes(&c->train, cost->weights);
}

const struct stage_kind stage_train = {
    .name = "train", .summary = "training a model", .makes = "model", .version = 1,
    .varies = true,
    .config_size = sizeof(struct train_stage), .options = tables, .inputs = inputs,
    .variant = variant, .check = train_stage_check, .facts = facts, .run = run_train, .estimate = estimate,
};
