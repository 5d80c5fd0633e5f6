/* The stage `task-outputs`: what one model or several say of the examples of a task, kept for
 * students that learn from it without a teacher at hand. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "corpora/store.h"
#include "corpora/task.h"
#include "distill/facts.h"
#include "distill/forecast.h"
#include "distill/inputs.h"
#include "distill/kinds.h"
#include "distill/task_files.h"
#include "distill/task_outputs.h"
#include "seq2seq/model.h"
#include "seq2seq/teacher.h"
#include "tokenize/tokenizer.h"

struct task_outputs_stage {
    int average, max_length;
    float temperature;
};


#define FIELD(member) offsetof(struct task_outputs_stage, member)
static const struct option stage_options[] = {
    { "average", OPTION_CHOICE, FIELD(average), "probability", 0, 0,
      "what several models average: probabilities or their logarithms", average_names },
    { "soft-temperature", OPTION_FLOAT, FIELD(temperature), "1", 0.01, 100,
      "divides the models' logits before probabilities are taken" },
    { "max-length", OPTION_INT, FIELD(max_length), "256", 1, 1e6,
      "examples with more tokens are left out; students learn those from their labels" },
    { 0 }
};
#undef FIELD
static const struct stage_options tables[] = { { stage_options, 0 }, { NULL } };

static const struct stage_input inputs[] = {
    { "model", "model", true, true },
    { "task", "task", true, false },
    { NULL }
};

static int translates(const char *task, struct error *err)
{
    return error_set(err, "task '%s' is a translation; keep what models say of it by a stage of kind label with "
                     "soft-targets", task);
}

static int check(struct stage_view *v, struct error *err)
{
    const char *task = stage_link(v->stage, "task")->label;
    if (facts_of(v, "task")->task == TASK_TRANSLATE) {
        v->key = "task";
        return translates(task, err);
    }
    const struct task_outputs_stage *c = v->stage->config;
    if (facts_take(v, "model", c->max_length, err) < 0)
        return -1;
    return facts_same_vocabulary(v, "model", NULL, "models that speak as one have the same", err) < 0 ? -1
        : facts_know_task(v, "model", task, err);
}

static void facts(struct stage_facts *out, const struct stage_view *v)
{
    facts_pass(out, v, "model");
    out->tasks = NULL;
}

struct work {
    struct stage_run *run;
    struct task_files files;
    struct models models;
    struct store *examples;
    struct teacher *teacher;
    json_t *about;
};

/* What made the outputs, for their file. */
static void describe(struct work *w)
{
    const struct stage *s = w->run->stage;
    json_t *teachers = json_array();
    for (size_t i = 0, n = 0; i < s->link_count; i++) {
        char text[HASH_TEXT];
        if (!stage_link_is(&s->links[i], "model"))
            continue;
        hash_text(text, model_fingerprint(w->models.items[n++]));
        json_array_append_new(teachers, json_pack("{s:s, s:s}", "model", w->run->stages[s->links[i].stage].name,
                                                  "fingerprint", text));
    }
    w->about = json_pack("{s:s, s:o}", "source", w->files.train.examples, "teachers", teachers);
}

/* The examples as the students' own stores have them: under the task's name in the recipe. */
static int open_examples(struct work *w, struct error *err)
{
    const struct stage_link *link = stage_link(w->run->stage, "task");
    char *folder = stage_link_folder(w->run, link);
    int ret = task_files_read(&w->files, folder, err);
    free(folder);
    if (ret < 0)
        return -1;
    free(w->files.task.name);
    w->files.task.name = xstrdup(link->label);
    if (w->files.task.kind == TASK_TRANSLATE)
        return translates(link->label, err);
    return 0;
}

static int build_store(struct work *w, struct error *err)
{
    char *path = stage_path(w->run, "examples.ids");
    int ret = examples_build(path, w->files.train.examples, &w->files.task, w->models.items[0]->source_tokenizer, err);
    if (ret == 0)
        w->examples = store_open(path, true, err);
    free(path);
    return w->examples ? 0 : -1;
}

static int write_outputs(struct work *w, struct error *err)
{
    const struct task_outputs_stage *c = w->run->stage->config;
    const struct teacher_config config = {
        .average = (enum average)c->average, .temperature = c->temperature, .task = w->files.task.name,
    };
    for (int i = 0; i < w->models.count; i++)
        if (model_takes(w->models.items[i], c->max_length, "a model", err) < 0)
            return -1;
    w->teacher = teacher_new(models_list(&w->models), w->models.count, &config, err);
    if (!w->teacher)
        return -1;
    if (teacher_vocab(w->teacher) != task_outputs(&w->files.task))
        return error_set(err, "the models know %d labels of task '%s', which has %d", teacher_vocab(w->teacher),
                         w->files.task.name, task_outputs(&w->files.task));
    char *path = stage_path(w->run, TASK_OUTPUTS_FILE);
    int ret = task_outputs_write(path, w->teacher, &w->files.task, w->examples, model_eos(w->models.items[0]), c->max_length,
                                 w->about, err);
    free(path);
    stage_output(w->run, TASK_OUTPUTS_FILE);
    return ret;
}

static int finish(struct work *w, struct error *err)
{
    json_object_set_new(w->run->figures, "examples", json_integer(store_count(w->examples)));
    return stage_remove(w->run, "examples.ids", err);
}

static int run_task_outputs(struct stage_run *run, struct error *err)
{
    struct work w = { .run = run };
    int ret = -1;
    if (open_examples(&w, err) == 0 && input_models_whole(&w.models, run, "model", err) == 0) {
        describe(&w);
        ret = build_store(&w, err) < 0 || write_outputs(&w, err) < 0 ? -1 : finish(&w, err);
    }
    teacher_free(w.teacher);
    store_close(w.examples);
    models_release(&w.models);
    json_decref(w.about);
    task_files_release(&w.files);
    return ret;
}

static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    double words = stage_input_cost(run, "task")->train_words;
    cost->seconds = cost->bytes = 0;
    for (size_t i = 0; i < run->stage->link_count; i++) {
        double weights = run->costs[run->stage->links[i].stage].weights;
        if (!stage_link_is(&run->stage->links[i], "model") || cost->seconds < 0)
            continue;
        cost->seconds = weights < 0 || words < 0 ? -1 : cost->seconds + forecast_scoring(words, weights, run->threads);
    }
}

const struct stage_kind stage_task_outputs = {
    .name = "task-outputs", .summary = "keeping what models say of a task", .makes = "task-outputs", .version = 1,
    .config_size = sizeof(struct task_outputs_stage), .options = tables, .inputs = inputs,
    .check = check, .facts = facts,
    .run = run_task_outputs, .estimate = estimate,
};
