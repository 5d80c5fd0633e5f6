/* The stage `label-task`: unlabelled texts get the label that a model is surest of, and those that it
 * is sure enough of become examples (pseudo-labels, Lee 2013). */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "corpora/examples.h"
#include "decode/predict.h"
#include "distill/facts.h"
#include "distill/forecast.h"
#include "distill/inputs.h"
#include "distill/kinds.h"
#include "distill/stamp.h"
#include "distill/task_files.h"
#include "seq2seq/model.h"

struct label_task_stage {
    char *texts, *second;
    float threshold;
    bool balance;
};

#define FIELD(member) offsetof(struct label_task_stage, member)
static const struct option stage_options[] = {
    { "texts", OPTION_STRING, FIELD(texts), NULL, .required = true,
      .help = "file of texts without labels: one a line, or two with a tab between" },
    { "second", OPTION_STRING, FIELD(second), NULL, .help = "file with the second text for each line of texts" },
    { "threshold", OPTION_FLOAT, FIELD(threshold), "0.9", 0, 1,
      "texts whose likeliest label has a lower probability are left out" },
    { "balance", OPTION_FLAG, FIELD(balance), "false", 0, 0, "as many of each label: of each the surest ones" },
    { 0 }
};
#undef FIELD
static const struct stage_options tables[] = { { stage_options, 0 }, { NULL } };

static const struct stage_input inputs[] = {
    { "model", "model", true, false },
    { "task", "task", true, false },
    { NULL }
};

static int no_classification(const char *task, struct error *err)
{
    return error_set(err, "task '%s' is no classification: only labels come with a confidence", task);
}

static int check(struct stage_view *v, struct error *err)
{
    const char *task = stage_link(v->stage, "task")->label;
    if (facts_of(v, "task")->task != TASK_CLASSIFY) {
        v->key = "task";
        return no_classification(task, err);
    }
    return facts_know_task(v, "model", task, err);
}

static void facts(struct stage_facts *out, const struct stage_view *v)
{
    (void)v;
    *out = (struct stage_facts){ .no_dev = true, .no_test = true, .task = TASK_CLASSIFY };
}

static void reads(const struct stage *s, struct strings *paths)
{
    const struct label_task_stage *c = s->config;
    strings_add(paths, c->texts);
    if (c->second)
        strings_add(paths, c->second);
}

/* A text that is kept. */
struct guess {
    size_t line;
    int label;
    float sure;
};

struct work {
    struct stage_run *run;
    const struct label_task_stage *config;
    struct task_files files;    /* of the task, for its labels */
    struct model *model;
    struct strings lines;
    struct guess *guesses;
    size_t count;
};

static int open_work(struct work *w, struct error *err)
{
    const struct stage_link *link = stage_link(w->run->stage, "task");
    char *folder = stage_link_folder(w->run, link);
    int ret = task_files_read(&w->files, folder, err);
    if (ret == 0 && w->files.task.kind != TASK_CLASSIFY)
        ret = no_classification(link->label, err);
    if (ret == 0 && !(w->model = input_model(w->run, "model", err)))
        ret = -1;
    free(folder);
    return ret < 0 ? -1 : text_lines_read(&w->lines, w->config->texts, w->config->second, err);
}

static int guess_all(struct work *w, struct error *err)
{
    const struct stage_link *link = stage_link(w->run->stage, "task");
    int task = model_find_task(w->model, link->label);
    size_t n = w->lines.count;
    if (task < 0)
        return error_set(err, "the model does not know task '%s'", link->label);
    struct prediction *out = xcalloc(n + 1, sizeof *out);
    int ret = predict_lines(out, w->model, task, (const char *const *)w->lines.items, n, w->run->threads,
                            w->config->texts, 1, err);
    w->guesses = xcalloc(n + 1, sizeof *w->guesses);
    for (size_t i = 0; i < n && ret == 0; i++) {
        int label = prediction_label(&out[i], 0);
        if (out[i].value[label] >= w->config->threshold)
            w->guesses[w->count++] = (struct guess){ i, label, out[i].value[label] };
    }
    predictions_release(out, n);
    free(out);
    return ret;
}

static int surest_first(const void *a, const void *b)
{
    const struct guess *x = a, *y = b;
    if (x->sure != y->sure)
        return x->sure < y->sure ? 1 : -1;
    return (x->line > y->line) - (x->line < y->line);
}

static int by_line(const void *a, const void *b)
{
    const struct guess *x = a, *y = b;
    return (x->line > y->line) - (x->line < y->line);
}

/* As many of each label as the rarest one has. */
static int balance(struct work *w, struct error *err)
{
    int labels = task_outputs(&w->files.task);
    size_t *seen = xcalloc((size_t)labels, sizeof *seen), least = w->count, kept = 0;
    int ret = 0;
    for (size_t i = 0; i < w->count; i++)
        seen[w->guesses[i].label]++;
    for (int k = 0; k < labels && ret == 0; k++) {
        least = seen[k] < least ? seen[k] : least;
        if (!seen[k])
            ret = error_set(err, "no text of '%s' has the label '%s' with a probability of %g, so none can be kept of "
                            "any; lower the threshold or leave balance out", w->config->texts,
                            w->files.task.labels.items[k], (double)w->config->threshold);
        seen[k] = 0;
    }
    qsort(w->guesses, w->count, sizeof *w->guesses, surest_first);
    for (size_t i = 0; i < w->count && ret == 0; i++)
        if (seen[w->guesses[i].label]++ < least)
            w->guesses[kept++] = w->guesses[i];
    w->count = kept;
    qsort(w->guesses, w->count, sizeof *w->guesses, by_line);
    free(seen);
    return ret;
}

static int write_examples(struct work *w, struct error *err)
{
    struct task_files out = { .train = { .examples = xstrdup("train.tsv"), .count = (int64_t)w->count } };
    struct outfile file = { 0 };
    char *path = stage_path(w->run, "train.tsv");
    task_copy(&out.task, &w->files.task);
    int ret = outfile_open(&file, path, err);
    for (size_t i = 0; i < w->count && ret == 0; i++)
        fprintf(file.stream, "%s\t%s\n", out.task.labels.items[w->guesses[i].label], w->lines.items[w->guesses[i].line]);
    if (ret == 0)
        ret = outfile_commit(&file, err);
    if (ret == 0)
        ret = task_files_write(&out, w->run->folder, err);
    stage_output(w->run, "train.tsv");
    stage_output(w->run, TASK_FILE);
    task_files_release(&out);
    free(path);
    return ret;
}

static void put_figures(const struct work *w)
{
    double sure = 0;
    for (size_t i = 0; i < w->count; i++)
        sure += (double)w->guesses[i].sure;
    json_object_set_new(w->run->figures, "texts", json_integer((json_int_t)w->lines.count));
    json_object_set_new(w->run->figures, "kept", json_integer((json_int_t)w->count));
    json_object_set_new(w->run->figures, "confidence", json_real(sure / (double)w->count));
}

static int run_label_task(struct stage_run *run, struct error *err)
{
    struct work w = { .run = run, .config = run->stage->config };
    int ret = -1;
    if (open_work(&w, err) == 0 && guess_all(&w, err) == 0 && (!w.config->balance || balance(&w, err) == 0))
        ret = w.count ? write_examples(&w, err)
                      : error_set(err, "no text of '%s' has a label with a probability of %g; lower the threshold",
                                  w.config->texts, (double)w.config->threshold);
    if (ret == 0)
        put_figures(&w);
    free(w.guesses);
    strings_release(&w.lines);
    model_free(w.model);
    task_files_release(&w.files);
    return ret;
}

static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    const struct label_task_stage *c = run->stage->config;
    double bytes = (double)path_bytes(c->texts), weights = stage_input_cost(run, "model")->weights;
    cost->bytes = bytes;
    cost->train_words = bytes < 0 ? -1 : forecast_words(bytes);
    cost->eval_words = 0;
    cost->seconds = bytes < 0 || weights < 0 ? -1 : forecast_scoring(cost->train_words, weights, run->threads);
}

const struct stage_kind stage_label_task = {
    .name = "label-task", .summary = "labelling texts for a task", .makes = "task", .version = 1,
    .config_size = sizeof(struct label_task_stage), .options = tables, .inputs = inputs,
    .check = check, .facts = facts,
    .reads = reads, .run = run_label_task, .estimate = estimate,
};
