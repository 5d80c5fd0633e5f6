/* The stage `evaluate-tasks`: what a model of several tasks scores on each of them.
 *
 * Figures: those of distill/task_scores.h, "<task>" for the one that counts, and "average" of those. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "distill/facts.h"
#include "distill/forecast.h"
#include "distill/inputs.h"
#include "distill/kinds.h"
#include "distill/task_scores.h"
#include "distill/test_lines.h"
#include "seq2seq/model.h"


struct evaluate_tasks_stage {
    int set;
};

#define FIELD(member) offsetof(struct evaluate_tasks_stage, member)
static const struct option evaluate_options[] = {
    { "set", OPTION_CHOICE, FIELD(set), "test", 0, 0, "what the model is evaluated on", test_set_names },
    { 0 }
};
#undef FIELD
static const struct stage_options tables[] = { { evaluate_options, 0 }, { NULL } };

static const struct stage_input inputs[] = {
    { "model", "model", true, false },
    { "tasks", "task", true, true },
    { NULL }
};

static int no_score(const char *task, struct error *err)
{
    return error_set(err, "task '%s' is to restore damaged texts, which has no score", task);
}

static int check(struct stage_view *v, struct error *err)
{
    const struct evaluate_tasks_stage *c = v->stage->config;
    for (size_t i = 0; i < v->stage->link_count; i++) {
        const struct stage_link *link = &v->stage->links[i];
        if (!stage_link_is(link, "tasks"))
            continue;
        v->key = "tasks";
        if (v->facts[link->stage].damaged)
            return no_score(link->label, err);
        if (facts_know_task(v, "model", link->label, err) < 0)
            return -1;
    }
    return facts_have_set(v, "tasks", c->set, err);
}

static void put(struct stage_run *run, const char *key, double value)
{
    if (isfinite(value))
        json_object_set_new(run->figures, key, json_real(value));
}

static int write_answers(struct stage_run *run, const char *task, const struct strings *answers, struct error *err)
{
    char *name = xasprintf("%s.answers", task), *path = stage_path(run, name);
    struct outfile out = { 0 };
    int ret = outfile_open(&out, path, err);
    for (size_t i = 0; i < answers->count && ret == 0; i++)
        fprintf(out.stream, "%s\n", answers->items[i]);
    if (ret == 0)
        ret = outfile_commit(&out, err);
    stage_output(run, name);
    free(path);
    free(name);
    return ret;
}

static int score_set(struct stage_run *run, const struct model *m, int task, const struct task_set *set,
                     double *main, struct error *err)
{
    struct strings answers = { 0 };
    int ret = task_score(main, &answers, run->figures, m, task, set, run->threads, err);
    if (ret == 0)
        ret = write_answers(run, m->tasks[task].name, &answers, err);
    strings_release(&answers);
    return ret;
}

static int evaluate_task(struct stage_run *run, const struct model *m, const struct stage_link *link, double *main,
                         struct error *err)
{
    const struct evaluate_tasks_stage *c = run->stage->config;
    char *folder = stage_link_folder(run, link);
    struct task_files files;
    int ret = task_files_read(&files, folder, err), task = model_find_task(m, link->label);
    free(folder);
    if (ret < 0)
        return -1;
    const struct task_set *set = c->set == SET_TEST ? &files.test : &files.dev;
    if (task < 0)
        ret = error_set(err, "the model does not know task '%s'", link->label);
    else if (files.infill > 0)
        ret = no_score(link->label, err);
    else if (!set->examples)
        ret = error_set(err, "task '%s' has no %s examples", link->label, test_set_names[c->set]);
    else
        ret = score_set(run, m, task, set, main, err);
    task_files_release(&files);
    return ret;
}

static int run_evaluate_tasks(struct stage_run *run, struct error *err)
{
    struct model *m = input_model(run, "model", err);
    double sum = 0, count = 0;
    int ret = m ? 0 : -1;
    for (size_t i = 0; i < run->stage->link_count && ret == 0; i++) {
        const struct stage_link *link = &run->stage->links[i];
        double main = NAN;
        if (strcmp(link->input->name, "tasks"))
            continue;
        ret = evaluate_task(run, m, link, &main, err);
        put(run, link->label, main);
        sum += main;
        count++;
    }
    if (ret == 0) {
        put(run, "average", sum / count);
        put(run, "parameters", (double)model_parameters(m));
        put(run, "train_seconds", manifest_figure(stage_input_manifest(run, "model"), "train_seconds"));
    }
    model_free(m);
    return ret;
}

static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    double weights = stage_input_cost(run, "model")->weights;
    cost->seconds = weights < 0 ? -1 : 0;
    cost->bytes = 0;
    for (size_t i = 0; i < run->stage->link_count; i++) {
        const struct stage_link *link = &run->stage->links[i];
        double words = run->costs[link->stage].eval_words;
        if (strcmp(link->input->name, "tasks") || cost->seconds < 0)
            continue;
        cost->seconds = words < 0 ? -1 : cost->seconds + forecast_decoding(words, weights, 1, run->threads);
        cost->bytes += words > 0 ? words : 0;
    }
}

const struct stage_kind stage_evaluate_tasks = {
    .name = "evaluate-tasks", .summary = "evaluating a model of several tasks", .makes = "task-scores", .version = 1,
    .config_size = sizeof(struct evaluate_tasks_stage), .options = tables, .inputs = inputs,
    .check = check,
    .run = run_evaluate_tasks, .estimate = estimate,
};
