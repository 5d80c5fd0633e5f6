/* The stage `train-tasks`: one model for several tasks, taught by others or not (Clark et al. 2019).
 *
 * Each batch is of one task, drawn with a probability that grows as a power of the task's size.
 * `teachers` names for some tasks or all of them the stages whose models teach them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "corpora/batching.h"
#include "corpora/store.h"
#include "distill/facts.h"
#include "distill/forecast.h"
#include "distill/initial.h"
#include "distill/inputs.h"
#include "distill/kd.h"
#include "distill/kinds.h"
#include "distill/model_stage.h"
#include "distill/task_data.h"
#include "distill/task_objective.h"
#include "distill/task_teachers.h"
#include "distill/task_validator.h"
#include "distill/train_cost.h"
#include "seq2seq/model.h"
#include "seq2seq/train.h"
#include "seq2seq/train_courses.h"

#define DEFAULT_OBJECTIVE "word-kd"

struct train_tasks_stage {
    char *objective;
    float mixing, word_dropout;
    int task_patience;
    struct course pseudo_weight;
    struct model_config model;
    struct train_config train;
    struct batching_config batching;
};

#define FIELD(member) offsetof(struct train_tasks_stage, member)
static const struct option stage_options[] = {
    { "objective", OPTION_STRING, FIELD(objective), DEFAULT_OBJECTIVE, 0, 0,
      "the loss of tasks that have a teacher; its alpha holds for numbers, too" },
    { "mixing", OPTION_FLOAT, FIELD(mixing), "0.75", 0, 1,
      "tasks are drawn with probability ∝ (number of their examples) to this power" },
    { "word-dropout", OPTION_FLOAT, FIELD(word_dropout), "0", 0, 0.95,
      "share of the source's tokens that become <unk> while training; not a direction's tag" },
    { "pseudo-weight", OPTION_COURSE, FIELD(pseudo_weight), "ramp 0 3 100 600", 0, 1000,
      "batches of a task's pseudo-labelled examples for one of its own (Lee 2013)" },
    { "task-patience", OPTION_INT, FIELD(task_patience), "0", 0, 1e6,
      "a task whose score has not risen for so many validations is drawn no more; 0: all to the end" },
    { 0 }
};
static const struct stage_options tables[] = {
    { stage_options, 0 },
    { model_options, FIELD(model) },
    { train_options, FIELD(train) },
    { batching_options, FIELD(batching) },
    { NULL }
};
#undef FIELD

static const struct stage_input inputs[] = {
    { "tasks", "task", true, true },
    { "vocabulary", "vocabulary", true, false },
    { "teachers", "model", false, true },
    { "outputs", "task-outputs", false, true },
    { "pseudo", "task", false, true },
    { "start", "model", false, false },
    { NULL }
};

/* ---- what the recipe says ---- */

static int variant(const json_t *given, const struct option **options, size_t *size, struct error *err)
{
    return stage_objective_variant(DEFAULT_OBJECTIVE, given, options, size, err);
}

/* Whether `input` has something for the task. */
static bool has_label(const struct stage *s, const char *input, const char *label)
{
    for (size_t i = 0; i < s->link_count; i++)
        if (stage_link_is(&s->links[i], input) && !strcmp(s->links[i].label, label))
            return true;
    return false;
}

/* The stages under `tasks` are called as the tasks are. */
static bool names_task(const struct stage *s, const char *name)
{
    return has_label(s, "tasks", name);
}

/* What stands under `teachers`, `outputs` and `pseudo` is of a task, and says how it is to be learnt. */
static int check_labels(struct stage_view *v, struct error *err)
{
    const struct stage *s = v->stage;
    for (size_t i = 0; i < s->link_count; i++) {
        const char *input = s->links[i].input->name, *label = s->links[i].label;
        bool kept = !strcmp(input, "outputs");
        bool pseudo = !strcmp(input, "pseudo");
        v->key = input;
        if ((kept || pseudo || !strcmp(input, "teachers")) && !names_task(s, label))
            return error_set(err, "'%s' names %s '%s', which is none of the 'tasks'; write task: stage", input,
                             pseudo ? "examples of" : "a teacher of", label);
        if (pseudo && has_label(s, "outputs", label))
            return error_set(err, "task '%s' has pseudo-labelled examples, of which kept outputs know nothing; take "
                             "'teachers'", label);
        if (kept && has_label(s, "teachers", label))
            return error_set(err, "task '%s' has teachers and their kept outputs: give one of them", label);
    }
    v->key = NULL;
    return 0;
}

/* Those that teach it or that it starts from. */
static int check_models(struct stage_view *v, struct error *err)
{
    static const char *const inputs_of_models[] = { "teachers", "outputs", "start" };
    const struct stage *vocabulary = facts_of(v, "vocabulary")->vocabulary;
    for (size_t i = 0; i < ARRAY_COUNT(inputs_of_models); i++)
        if (facts_same_vocabulary(v, inputs_of_models[i], vocabulary, "give both the same 'vocabulary'", err) < 0)
            return -1;
    const struct train_tasks_stage *c = v->stage->config;
    if (facts_take(v, "teachers", c->batching.max_length, err) < 0
        || train_start_check(&c->train, stage_link(v->stage, "start") != NULL, err) < 0)
        return -1;
    return facts_know_task(v, "teachers", NULL, err);
}

/* Of the tasks, those with examples to validate on, but for `only` one of them, if that is given. */
static int tasks_with_dev(const struct stage_view *v, const char *only)
{
    int count = 0;
    for (size_t i = 0; i < v->stage->link_count; i++) {
        const struct stage_link *link = &v->stage->links[i];
        if (stage_link_is(link, "tasks") && (!only || !strcmp(link->label, only)))
            count += !v->facts[link->stage].no_dev;
    }
    return count;
}

static int check_dev(struct stage_view *v, struct error *err)
{
    const struct train_tasks_stage *c = v->stage->config;
    const char *metric = c->train.metric;
    bool one = strcmp(metric, "nll") && strcmp(metric, "average");
    if (train_ends(&c->train, err) < 0)
        return -1;
    v->key = "metric";
    if (one && !names_task(v->stage, metric))
        return error_set(err, "metric: '%s' is none of the 'tasks'; the best weights are chosen by nll, average or "
                         "the score of a task", metric);
    if (one && !tasks_with_dev(v, metric))
        return error_set(err, "metric: task '%s' has no examples to validate on", metric);
    v->key = "task-patience";
    if (c->task_patience && !tasks_with_dev(v, NULL))
        return error_set(err, "task-patience needs a dev set, and there is none");
    v->key = NULL;
    const struct train_courses courses = { .groups = v->stage->groups, .config = &c->train,
                                           .unused = stage_link(v->stage, "pseudo") ? NULL : "pseudo-weight" };
    bool dev = tasks_with_dev(v, NULL) > 0;
    if (train_courses_check(&courses, dev, err) < 0)
        return -1;
    return dev ? 0 : facts_train_without_dev(v, &c->train, err);
}

/* A decoder is for translations, and a model that has one needs such a task. */
static int check_model(struct stage_view *v, struct error *err)
{
    const struct train_tasks_stage *c = v->stage->config;
    bool translates = false;
    for (size_t i = 0; i < v->stage->link_count; i++)
        if (stage_link_is(&v->stage->links[i], "tasks"))
            translates |= v->facts[v->stage->links[i].stage].task == TASK_TRANSLATE;
    if (model_config_takes(&c->model, c->batching.max_length, err) < 0
        || facts_model_can_be(v, &c->model, translates, err) < 0)
        return -1;
    if (translates || !c->model.decoder_layers)
        return 0;
    v->key = "decoder-layers";
    return error_set(err, "decoder-layers %d: none of the tasks is a translation; give 0", c->model.decoder_layers);
}

static int check(struct stage_view *v, struct error *err)
{
    const struct train_tasks_stage *c = v->stage->config;
    const struct objective_kind *kind = objective_find(c->objective, err);
    v->key = "objective";
    if (!kind)
        return -1;
    if (kind->method->self)
        return error_set(err, "objective %s is its own teacher; for tasks that have one take another, such as word-kd",
                         kind->name);
    v->key = NULL;
    if (check_labels(v, err) < 0 || check_dev(v, err) < 0 || check_model(v, err) < 0)
        return -1;
    return check_models(v, err);
}

static void facts(struct stage_facts *out, const struct stage_view *v)
{
    const struct train_tasks_stage *c = v->stage->config;
    facts_pass(out, v, "vocabulary");
    out->shaped = true;
    out->config = c->model;
    out->tasks = v->stage;
}

/* ---- what training needs ---- */

struct training {
    struct stage_run *run;
    const struct train_tasks_stage *config;
    struct task_data_config data_config;
    struct task_data data;
    struct model *model, *start;
    struct task_teachers teachers;
    struct task_validation validation;
    struct validator validator;
    struct objective objective;
    struct train_report report;
};

static int make_model(struct training *t, struct error *err)
{
    struct task *tasks = xcalloc((size_t)t->data.count, sizeof *tasks);
    for (int i = 0; i < t->data.count; i++)
        tasks[i] = t->data.files[i].task;
    t->model = stage_model_new(t->run, &t->config->model, tasks, t->data.count, t->config->train.seed, err);
    free(tasks);
    return t->model ? 0 : -1;
}

static int start_from(struct training *t, struct error *err)
{
    if (!stage_has(t->run, "start"))
        return 0;
    t->start = input_model(t->run, "start", err);
    return t->start ? initial_shared(t->model, t->start, err) : -1;
}

static int make_objective(struct training *t, struct error *err)
{
    const struct stage *s = t->run->stage;
    if (task_teachers_load(&t->teachers, &t->data, err) < 0)
        return -1;
    const struct objective_kind *plain = objective_find("cross-entropy", err);
    struct kd_config *config = xcalloc(1, plain->config_size);
    const struct option_group groups[] = { { NULL, plain->options, config }, { 0 } };
    options_default(groups);
    config->label_smoothing = ((const struct kd_config *)s->variant)->label_smoothing;          /* one key for all tasks */
    const struct task_objective_config c = {
        .plain = plain, .plain_options = config, .taught = objective_find(t->config->objective, err),
        .taught_options = s->variant, .alpha = ((const struct kd_config *)s->variant)->alpha,
    };
    int ret = task_objective(&t->objective, t->model, t->teachers.of, &c, err);
    options_release(groups);
    free(config);
    return ret;
}

/* ---- lineage ---- */

static json_t *describe_tasks(const struct training *t)
{
    json_t *tasks = json_array();
    for (int i = 0; i < t->data.count; i++) {
        char text[HASH_TEXT];
        hash_text(text, store_fingerprint(t->data.train_stores[i]));
        json_array_append_new(tasks, json_pack("{s:s, s:s, s:I}", "name", t->data.files[i].task.name, "fingerprint", text,
                                               "examples", (json_int_t)store_count(t->data.train_stores[i])));
    }
    return tasks;
}

static void set_lineage(struct training *t)
{
    json_t *data = json_pack("{s:o, s:f}", "tasks", describe_tasks(t), "mixing", (double)t->config->mixing);
    stage_lineage_set(t->run, t->model, t->config->train.seed, stage_objective_describe(t->run, t->config->objective),
                      data, task_teachers_describe(&t->teachers));
    if (t->start)
        stage_lineage_start(t->run, t->model, model_fingerprint(t->start));
}

/* ---- the stage ---- */

static int open_data(struct training *t, struct error *err)
{
    const struct train_tasks_stage *c = t->config;
    t->data_config = (struct task_data_config){
        .batching = &c->batching, .mixing = c->mixing, .word_dropout = c->word_dropout,
        .pseudo_weight = c->pseudo_weight, .seed = c->train.seed, .micro_tokens = c->train.micro_tokens,
    };
    if (task_data_open(&t->data, &t->data_config, t->model, err) < 0)
        return -1;
    t->validation = (struct task_validation){ t->data.files, t->data.count, &t->data.train, c->task_patience };
    if (t->data.dev.state)
        task_validator_open(&t->validator, &t->validation);
    return 0;
}

static int prepare(struct training *t, struct error *err)
{
    if (task_data_read(&t->data, t->run, err) < 0 || make_model(t, err) < 0 || start_from(t, err) < 0
        || open_data(t, err) < 0 || make_objective(t, err) < 0)
        return -1;
    set_lineage(t);
    return 0;
}

static void training_release(struct training *t)
{
    if (t->objective.free)
        t->objective.free(t->objective.shared);
    task_teachers_release(&t->teachers);
    task_validator_close(&t->validator);
    task_data_release(&t->data);
    model_free(t->start);
    model_free(t->model);
}

static int train(struct training *t, struct error *err)
{
    struct train_config config = t->config->train;
    const struct train_data data = {
        .train = &t->data.train, .dev = t->data.dev.state ? &t->data.dev : NULL,
        .validator = t->validator.state ? &t->validator : NULL,
    };
    config.validate_decode |= t->config->task_patience > 0;
    return stage_train_model(t->run, t->model, &t->objective, &data, &config, &t->report, err);
}

static int finish(struct training *t, struct error *err)
{
    return stage_train_finish(t->run, t->model, &t->report, err) < 0 ? -1 : task_data_clear(&t->data, err);
}

static int run_train_tasks(struct stage_run *run, struct error *err)
{
    struct training t = { .run = run, .config = run->stage->config };
    int ret = -1;
    if (prepare(&t, err) == 0 && train(&t, err) == 0)
        ret = t.report.interrupted ? STAGE_STOPPED : finish(&t, err);
    training_release(&t);
    return ret;
}

/* ---- what it will take ---- */

#define SENTENCE_WORDS 12.0     /* of texts that are classified */

static double batch_words(const struct batching_config *c)
{
    double most = train_cost_batch(c);
    return c->batch_sentences ? fmin(most, c->batch_sentences * SENTENCE_WORDS) : most;
}

/* Weights that multiply: without a decoder, embeddings are looked up and no more.  Live teachers are as
 * large as their student, most times, and go one way only. */
static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    const struct train_tasks_stage *c = run->stage->config;
    double words = train_cost_words(&c->train, batch_words(&c->batching), train_cost_epoch(run, "tasks"));
    cost->weights = train_cost_weights(run, &c->model);
    double at_work = cost->weights;
    if (!c->model.decoder_layers) {
        json_t *options = stage_options_json(&run->stages[stage_link(run->stage, "vocabulary")->stage]);
        at_work -= (double)json_integer_value(json_object_get(options, "size")) * c->model.dim;
        json_decref(options);
    }
    double guess = words < 0 ? -1 : forecast_training(words, at_work, run->threads);
    for (size_t i = 0; i < run->stage->link_count && guess >= 0; i++)
        if (stage_link_is(&run->stage->links[i], "teachers")) {
            guess += forecast_scoring(words, at_work, run->threads);
            break;
        }
    cost->seconds = train_cost_seconds(run, &c->train, guess);
    cost->bytes = train_cost_bytes(&c->train, cost->weights);
}

const struct stage_kind stage_train_tasks = {
    .name = "train-tasks", .summary = "training a model for several tasks", .makes = "model", .version = 1,
    .varies = true,
    .config_size = sizeof(struct train_tasks_stage), .options = tables, .inputs = inputs,
    .variant = variant, .check = check, .facts = facts, .run = run_train_tasks, .estimate = estimate,
};
