/* The stage `train-tasks`: one model for several tasks, taught by others or not (Clark et al. 2019).
 *
 * Each batch is of one task, drawn with a probability that grows as a power of the task's size.
 * `teachers` names for some tasks or all of them the stages whose models teach them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/rng.h"
#include "corpora/batching.h"
#include "corpora/chain.h"
#include "corpora/damage.h"
#include "corpora/mixing.h"
#include "corpora/mixture.h"
#include "corpora/soft_targets.h"
#include "corpora/store.h"
#include "distill/forecast.h"
#include "distill/initial.h"
#include "distill/kd.h"
#include "distill/kinds.h"
#include "distill/model_stage.h"
#include "distill/task_files.h"
#include "distill/task_objective.h"
#include "distill/task_outputs.h"
#include "distill/task_validator.h"
#include "distill/train_cost.h"
#include "seq2seq/model.h"
#include "seq2seq/train.h"
#include "tokenize/tokenizer.h"

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
    const char *name = json_string_value(json_object_get(given, "objective"));
    const struct objective_kind *kind = objective_find(name ? name : DEFAULT_OBJECTIVE, err);
    if (!kind)
        return -1;
    *options = kind->options;
    *size = kind->config_size;
    return 0;
}

static bool is_of(const struct stage_link *link, const char *input)
{
    return !strcmp(link->input->name, input);
}

/* Whether `input` has something for the task. */
static bool has_label(const struct stage *s, const char *input, const char *label)
{
    for (size_t i = 0; i < s->link_count; i++)
        if (is_of(&s->links[i], input) && !strcmp(s->links[i].label, label))
            return true;
    return false;
}

/* The stages under `tasks` are called as the tasks are. */
static bool names_task(const struct stage *s, const char *name)
{
    return has_label(s, "tasks", name);
}

static int check(const struct stage *s, struct error *err)
{
    const struct train_tasks_stage *c = s->config;
    const struct objective_kind *kind = objective_find(c->objective, err);
    if (!kind)
        return -1;
    if (kind->method->self)
        return error_set(err, "objective %s is its own teacher; for tasks that have one take another, such as word-kd",
                         kind->name);
    for (size_t i = 0; i < s->link_count; i++) {
        const char *input = s->links[i].input->name, *label = s->links[i].label;
        bool kept = !strcmp(input, "outputs");
        bool pseudo = !strcmp(input, "pseudo");
        if ((kept || pseudo || !strcmp(input, "teachers")) && !names_task(s, label))
            return error_set(err, "'%s' names %s '%s', which is none of the 'tasks'; write task: stage", input,
                             pseudo ? "examples of" : "a teacher of", label);
        if (pseudo && has_label(s, "outputs", label))
            return error_set(err, "task '%s' has pseudo-labelled examples, of which kept outputs know nothing; take "
                             "'teachers'", label);
        if (kept && has_label(s, "teachers", label))
            return error_set(err, "task '%s' has teachers and their kept outputs: give one of them", label);
    }
    if (!c->train.max_updates && !c->train.max_epochs && !c->train.max_seconds && !c->train.patience)
        return error_set(err, "training would never end: set max-updates, max-epochs, max-seconds or patience");
    if (strcmp(c->train.metric, "nll") && strcmp(c->train.metric, "average") && !names_task(s, c->train.metric))
        return error_set(err, "metric: '%s' is none of the 'tasks'; the best weights are chosen by nll, average or "
                         "the score of a task", c->train.metric);
    return model_config_check(&c->model, true, err);
}

/* ---- what training needs ---- */

struct training {
    struct stage_run *run;
    const struct train_tasks_stage *config;
    int count;                          /* tasks */
    struct task_files *files;
    struct store **train_stores, **dev_stores, **pseudo_stores;
    struct model *model, *start;
    struct task_teacher *teachers;      /* one a task … */
    struct model ***taught_by;          /* … with their models … */
    struct soft_targets **outputs;      /* … or what they said */
    struct batch_source train, dev;
    struct task_validation validation;
    struct validator validator;
    struct objective objective;
    struct train_report report;
};

static int read_tasks(struct training *t, struct error *err)
{
    const struct stage *s = t->run->stage;
    t->files = xcalloc(s->link_count, sizeof *t->files);
    for (size_t i = 0; i < s->link_count; i++) {
        if (!is_of(&s->links[i], "tasks"))
            continue;
        char *folder = stage_link_folder(t->run, &s->links[i]);
        int ret = task_files_read(&t->files[t->count], folder, err);
        free(folder);
        if (ret < 0)
            return -1;
        struct task *task = &t->files[t->count++].task;
        free(task->name);
        task->name = xstrdup(s->links[i].label);
    }
    return 0;
}

static int make_model(struct training *t, struct error *err)
{
    struct tokenizer *source, *target;
    struct task *tasks = xcalloc((size_t)t->count, sizeof *tasks);
    if (stage_vocabulary_load(&source, &target, t->run, err) < 0) {
        free(tasks);
        return -1;
    }
    for (int i = 0; i < t->count; i++)
        tasks[i] = t->files[i].task;
    t->model = model_new_tasks(&t->config->model, tasks, t->count, source, target, t->config->train.seed, err);
    free(tasks);
    if (t->model)
        return 0;
    if (target != source)
        tokenizer_free(target);
    tokenizer_free(source);
    return -1;
}

static int start_from(struct training *t, struct error *err)
{
    if (!stage_has(t->run, "start"))
        return 0;
    char *folder = stage_input_folder(t->run, "start");
    t->start = model_load(folder, err);
    int ret = t->start ? initial_shared(t->model, t->start, err) : -1;
    free(folder);
    return ret;
}

/* ---- data ---- */

static struct store *encode(struct training *t, int task, const struct task_set *set, const char *name,
                            struct error *err)
{
    const struct task_files *f = &t->files[task];
    char *file = xasprintf("%s.%s.ids", f->task.name, name), *path = stage_path(t->run, file);
    struct store *store = NULL;
    int ret = 0;
    if (!file_exists(path))
        ret = set->targets ? store_build(path, set->examples, set->targets, t->model->source_tokenizer,
                                         t->model->target_tokenizer, t->run->threads, err)
                           : examples_build(path, set->examples, &f->task, t->model->source_tokenizer, err);
    if (ret == 0)
        store = store_open(path, true, err);
    free(path);
    free(file);
    return store;
}

static int open_source(struct training *t, struct batch_source *out, int task, const struct store *store,
                       bool shuffle, struct error *err)
{
    const struct tokenizer *target = t->model->target_tokenizer;
    struct batching_config c = t->config->batching;
    c.seed = (int64_t)(hash_bytes(&task, sizeof task, (uint64_t)t->config->train.seed) >> 1);
    c.shuffle &= shuffle;
    c.labels = t->files[task].task.kind != TASK_TRANSLATE;
    return batching_open(out, store, tokenizer_bos(target), tokenizer_eos(target), &c, NULL, err);
}

/* What is learnt from, as it is damaged on the way; texts to restore are damaged for validation, too. */
static void damage(const struct training *t, struct batch_source *source, int task, bool learning)
{
    const struct tokenizer *tokenizer = t->model->source_tokenizer;
    const struct task_files *f = &t->files[task];
    const struct damage_config c = {
        .drop = learning ? t->config->word_dropout : 0, .infill = f->infill, .span = f->span, .mask = tokenizer_unk(tokenizer), .eos = tokenizer_eos(tokenizer),
        .keep = t->files[task].task.tag != NULL, .seed = (int64_t)rng_mix((uint64_t)t->config->train.seed + (uint64_t)task) >> 1,
    };
    struct batch_source whole = *source;
    if (c.drop > 0 || c.infill > 0)
        damage_open(source, &whole, &c);
}

static double batch_sentences(const struct training *t, int task)
{
    struct batching_config c = t->config->batching;
    c.labels = t->files[task].task.kind != TASK_TRANSLATE;
    return mixing_batch_sentences(t->train_stores[task], &c);
}

/* Pseudo-labelled examples of a task as a part beside its own, whose weight is `own`. */
static int open_pseudo(struct training *t, struct mixture_part *out, const struct stage_link *link, double own, int task,
                       struct error *err)
{
    struct task_files files;
    char *folder = stage_link_folder(t->run, link);
    int ret = task_files_read(&files, folder, err);
    free(folder);
    if (ret < 0)
        return -1;
    t->pseudo_stores[task] = encode(t, task, &files.train, "pseudo", err);
    task_files_release(&files);
    if (!t->pseudo_stores[task] || open_source(t, &out->source, task, t->pseudo_stores[task], true, err) < 0)
        return -1;
    damage(t, &out->source, task, true);
    out->weight = t->config->pseudo_weight;
    out->weight.from *= (float)own;
    out->weight.to *= (float)own;
    out->task = task;
    out->factor = 1;
    return 0;
}

static int task_of(const struct training *t, const char *name)
{
    for (int i = 0; i < t->count; i++)
        if (!strcmp(t->files[i].task.name, name))
            return i;
    return -1;
}

static int open_pseudos(struct training *t, struct mixture_part *parts, int *opened, struct error *err)
{
    const struct stage *s = t->run->stage;
    for (size_t i = 0; i < s->link_count; i++) {
        if (!is_of(&s->links[i], "pseudo"))
            continue;
        int task = task_of(t, s->links[i].label);
        double own = (double)parts[task].weight.from;
        if (open_pseudo(t, &parts[*opened], &s->links[i], own, task, err) < 0)
            return -1;
        ++*opened;
    }
    return 0;
}

static int open_train(struct training *t, struct error *err)
{
    struct mixture_part *parts = xcalloc(2 * (size_t)t->count, sizeof *parts);
    int opened = 0, ret = 0;
    for (int i = 0; i < t->count && ret == 0; i++) {
        t->train_stores[i] = encode(t, i, &t->files[i].train, "train", err);
        ret = t->train_stores[i] ? open_source(t, &parts[i].source, i, t->train_stores[i], true, err) : -1;
        if (ret < 0)
            break;
        damage(t, &parts[i].source, i, true);
        opened++;
        double n = (double)parts[i].source.sentences(parts[i].source.state);
        parts[i].weight.from = mixture_weight(n, batch_sentences(t, i), (double)t->config->mixing);
        parts[i].task = i;
        parts[i].factor = 1;
    }
    if (ret == 0)
        ret = open_pseudos(t, parts, &opened, err);
    if (ret == 0)
        ret = mixture_open(&t->train, parts, opened, t->config->train.seed, err);
    for (int i = 0; i < opened && ret < 0; i++)
        parts[i].source.free(parts[i].source.state);
    free(parts);
    return ret;
}

static int open_dev(struct training *t, struct error *err)
{
    struct batch_source *parts = xcalloc((size_t)t->count, sizeof *parts);
    int *task = xcalloc((size_t)t->count, sizeof *task), count = 0, ret = 0;
    for (int i = 0; i < t->count && ret == 0; i++) {
        if (!t->files[i].dev.examples)
            continue;
        t->dev_stores[i] = encode(t, i, &t->files[i].dev, "dev", err);
        ret = t->dev_stores[i] ? open_source(t, &parts[count], i, t->dev_stores[i], false, err) : -1;
        if (ret == 0) {
            damage(t, &parts[count], i, false);
            task[count++] = i;
        }
    }
    if (ret == 0 && count)
        chain_open(&t->dev, parts, task, count);
    for (int i = 0; i < count && ret < 0; i++)
        parts[i].free(parts[i].state);
    free(parts);
    free(task);
    t->validation = (struct task_validation){ t->files, t->count, &t->train, t->config->task_patience };
    if (ret == 0 && count)
        task_validator_open(&t->validator, &t->validation);
    return ret;
}

/* ---- teachers ---- */

/* Several teachers of one task are an ensemble. */
static int load_teacher(struct training *t, const struct stage_link *link, struct error *err)
{
    int task = model_find_task(t->model, link->label), n = t->teachers[task].count;
    char *folder = stage_link_folder(t->run, link);
    struct model *m = model_load(folder, err);
    free(folder);
    if (!m)
        return -1;
    t->taught_by[task] = xrealloc(t->taught_by[task], (size_t)(n + 1) * sizeof *t->taught_by[task]);
    t->taught_by[task][n] = m;
    t->teachers[task] = (struct task_teacher){ (const struct model *const *)t->taught_by[task], n + 1, NULL };
    return 0;
}

static int load_outputs(struct training *t, const struct stage_link *link, struct error *err)
{
    int task = model_find_task(t->model, link->label);
    char *folder = stage_link_folder(t->run, link), *path = path_join(folder, TASK_OUTPUTS_FILE);
    struct soft_targets *soft = soft_targets_open(path, true, err);
    int ret = soft ? soft_targets_bind(soft, t->train_stores[task], err) : -1;
    soft_targets_close(t->outputs[task]);
    t->outputs[task] = soft;
    t->teachers[task] = (struct task_teacher){ .soft = soft };
    free(folder);
    free(path);
    return ret;
}

static int make_objective(struct training *t, struct error *err)
{
    const struct stage *s = t->run->stage;
    t->teachers = xcalloc((size_t)t->count, sizeof *t->teachers);
    t->taught_by = xcalloc((size_t)t->count, sizeof *t->taught_by);
    t->outputs = xcalloc((size_t)t->count, sizeof *t->outputs);
    for (size_t i = 0; i < s->link_count; i++)
        if ((is_of(&s->links[i], "teachers") && load_teacher(t, &s->links[i], err) < 0)
            || (is_of(&s->links[i], "outputs") && load_outputs(t, &s->links[i], err) < 0))
            return -1;
    const struct objective_kind *plain = objective_find("cross-entropy", err);
    struct kd_config *config = xcalloc(1, plain->config_size);
    const struct option_group groups[] = { { NULL, plain->options, config }, { 0 } };
    options_default(groups);
    const struct task_objective_config c = {
        .plain = plain, .plain_options = config, .taught = objective_find(t->config->objective, err),
        .taught_options = s->variant, .alpha = ((const struct kd_config *)s->variant)->alpha,
    };
    int ret = task_objective(&t->objective, t->model, t->teachers, &c, err);
    options_release(groups);
    free(config);
    return ret;
}

/* ---- lineage ---- */

static json_t *describe_tasks(const struct training *t)
{
    json_t *tasks = json_array();
    for (int i = 0; i < t->count; i++) {
        char text[HASH_TEXT];
        hash_text(text, store_fingerprint(t->train_stores[i]));
        json_array_append_new(tasks, json_pack("{s:s, s:s, s:I}", "name", t->files[i].task.name, "fingerprint", text,
                                               "examples", (json_int_t)store_count(t->train_stores[i])));
    }
    return tasks;
}

/* Who said what was kept. */
static void describe_outputs(const struct training *t, const struct stage_link *link, json_t *teachers)
{
    const struct soft_targets *soft = t->outputs[model_find_task(t->model, link->label)];
    json_t *made_by = json_object_get(soft_targets_info(soft)->about, "teachers"), *it;
    size_t i;
    json_array_foreach(made_by, i, it) {
        json_t *one = json_deep_copy(it);
        json_object_set_new(one, "task", json_string(link->label));
        json_object_set_new(one, "outputs", json_string(t->run->stages[link->stage].name));
        json_array_append_new(teachers, one);
    }
}

static json_t *describe_teachers(const struct training *t)
{
    const struct stage *s = t->run->stage;
    json_t *teachers = json_array();
    int *seen = xcalloc((size_t)t->count, sizeof *seen);
    for (size_t i = 0; i < s->link_count; i++) {
        if (is_of(&s->links[i], "outputs"))
            describe_outputs(t, &s->links[i], teachers);
        if (!is_of(&s->links[i], "teachers"))
            continue;
        int task = model_find_task(t->model, s->links[i].label);
        uint64_t weights = model_fingerprint(t->taught_by[task][seen[task]++]);
        json_t *it = stage_ancestor(t->run, &s->links[i], weights);
        json_object_set_new(it, "task", json_string(s->links[i].label));
        json_array_append_new(teachers, it);
    }
    free(seen);
    return teachers;
}

static json_t *describe_objective(const struct stage_run *run)
{
    const struct train_tasks_stage *c = run->stage->config;
    const struct objective_kind *kind = objective_find(c->objective, NULL);
    const struct option_group groups[] = { { NULL, kind->options, run->stage->variant }, { NULL } };
    json_t *it = options_to_json(groups);
    json_object_set_new(it, "name", json_string(kind->name));
    return it;
}

static void set_lineage(struct training *t)
{
    const struct stage_run *run = t->run;
    char vocabulary[HASH_TEXT];
    hash_text(vocabulary, tokenizer_fingerprint(t->model->target_tokenizer));
    json_t *it = json_pack("{s:s, s:s, s:s, s:s, s:I, s:o, s:o, s:f, s:s, s:o}", "name", run->stage->name, "recipe",
                           run->recipe, "recipe_hash", run->recipe_hash, "program", "coho " COHO_VERSION, "seed",
                           (json_int_t)t->config->train.seed, "objective", describe_objective(run), "tasks",
                           describe_tasks(t), "mixing", (double)t->config->mixing, "vocabulary", vocabulary,
                           "teachers", describe_teachers(t));
    if (t->start)
        json_object_set_new(it, "start", stage_ancestor(run, stage_link(run->stage, "start"),
                                                        model_fingerprint(t->start)));
    json_decref(t->model->lineage);
    t->model->lineage = it;
}

/* ---- the stage ---- */

static int prepare(struct training *t, struct error *err)
{
    if (read_tasks(t, err) < 0 || make_model(t, err) < 0 || start_from(t, err) < 0)
        return -1;
    t->train_stores = xcalloc((size_t)t->count, sizeof *t->train_stores);
    t->dev_stores = xcalloc((size_t)t->count, sizeof *t->dev_stores);
    t->pseudo_stores = xcalloc((size_t)t->count, sizeof *t->pseudo_stores);
    if (open_train(t, err) < 0 || open_dev(t, err) < 0 || make_objective(t, err) < 0)
        return -1;
    set_lineage(t);
    return 0;
}

static void training_release(struct training *t)
{
    if (t->objective.free)
        t->objective.free(t->objective.shared);
    if (t->train.free)
        t->train.free(t->train.state);
    if (t->dev.free)
        t->dev.free(t->dev.state);
    task_validator_close(&t->validator);
    for (int i = 0; i < t->count; i++) {
        if (t->train_stores)
            store_close(t->train_stores[i]);
        if (t->dev_stores)
            store_close(t->dev_stores[i]);
        if (t->pseudo_stores)
            store_close(t->pseudo_stores[i]);
        for (int k = 0; t->teachers && k < t->teachers[i].count; k++)
            model_free(t->taught_by[i][k]);
        if (t->taught_by)
            free(t->taught_by[i]);
        if (t->outputs)
            soft_targets_close(t->outputs[i]);
        task_files_release(&t->files[i]);
    }
    free(t->taught_by);
    free(t->outputs);
    free(t->teachers);
    free(t->train_stores);
    free(t->dev_stores);
    free(t->pseudo_stores);
    free(t->files);
    model_free(t->start);
    model_free(t->model);
}

static int clear_scratch(const struct training *t, struct error *err)
{
    char *checkpoints = stage_path(t->run, "checkpoints");
    int ret = dir_remove(checkpoints, err);
    free(checkpoints);
    static const char *const sets[] = { "train", "dev", "pseudo" };
    for (int i = 0; i < 3 * t->count && ret == 0; i++) {
        char *file = xasprintf("%s.%s.ids", t->files[i / 3].task.name, sets[i % 3]);
        char *path = stage_path(t->run, file);
        ret = dir_remove(path, err);
        free(path);
        free(file);
    }
    return ret;
}

static int train(struct training *t, struct error *err)
{
    struct train_config config = t->config->train;
    const struct train_data data = {
        .train = &t->train, .dev = t->dev.state ? &t->dev : NULL,
        .validator = t->validator.state ? &t->validator : NULL,
    };
    config.threads = t->run->threads;
    config.validate_decode |= t->config->task_patience > 0;
    config.resume = t->run->resumed;
    return train_model(t->model, &t->objective, &data, &config, t->run->folder, &t->report, err);
}

static int finish(struct training *t, struct error *err)
{
    stage_train_figures(t->run, t->model, &t->report);
    if (stage_lineage_write(t->run, t->model, err) < 0 || clear_scratch(t, err) < 0)
        return -1;
    stage_model_outputs(t->run);
    return 0;
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
    double most = forecast_words_of_pieces(c->batch_tokens ? c->batch_tokens : BATCH_TOKENS);
    return c->batch_sentences ? fmin(most, c->batch_sentences * SENTENCE_WORDS) : most;
}

static double epoch_words(const struct stage_run *run)
{
    double words = 0;
    for (size_t i = 0; i < run->stage->link_count; i++)
        if (is_of(&run->stage->links[i], "tasks"))
            words += run->costs[run->stage->links[i].stage].train_words;
    return words;
}

/* Weights that multiply: without a decoder, embeddings are looked up and no more.  Live teachers are as
 * large as their student, most times, and go one way only. */
static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    const struct train_tasks_stage *c = run->stage->config;
    double words = train_cost_words(&c->train, batch_words(&c->batching), epoch_words(run));
    cost->weights = train_cost_weights(run, &c->model);
    double at_work = cost->weights;
    if (!c->model.decoder_layers) {
        json_t *options = stage_options_json(&run->stages[stage_link(run->stage, "vocabulary")->stage]);
        at_work -= (double)json_integer_value(json_object_get(options, "size")) * c->model.dim;
        json_decref(options);
    }
    double guess = words < 0 ? -1 : forecast_training(words, at_work, run->threads);
    for (size_t i = 0; i < run->stage->link_count && guess >= 0; i++)
        if (is_of(&run->stage->links[i], "teachers")) {
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
    .variant = variant, .check = check, .run = run_train_tasks, .estimate = estimate,
};
