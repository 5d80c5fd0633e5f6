/* The stage `evaluate-tasks`: what a model of several tasks scores on each of them.
 *
 * Figures: "<task>.<metric>" for every metric that fits, "<task>" for the one that counts
 * (accuracy, Pearson's correlation, F1 of spans, BLEU; all times 100), and "average" of those. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/lines.h"
#include "base/memory.h"
#include "decode/predict.h"
#include "decode/translate.h"
#include "distill/forecast.h"
#include "distill/kinds.h"
#include "distill/task_files.h"
#include "eval/answers.h"
#include "eval/metric.h"
#include "seq2seq/model.h"

enum set { SET_TEST, SET_DEV };
static const char *const set_names[] = { "test", "dev", NULL };

struct evaluate_tasks_stage {
    int set;
};

#define FIELD(member) offsetof(struct evaluate_tasks_stage, member)
static const struct option evaluate_options[] = {
    { "set", OPTION_CHOICE, FIELD(set), "test", 0, 0, "what the model is evaluated on", set_names },
    { 0 }
};
#undef FIELD
static const struct stage_options tables[] = { { evaluate_options, 0 }, { NULL } };

static const struct stage_input inputs[] = {
    { "model", "model", true, false },
    { "tasks", "task", true, true },
    { NULL }
};

/* Which metrics a kind of task has; the first one counts. */
static const struct measured {
    enum answer_kind kind;
    const char *metrics[4];
} measured[] = {
    [TASK_CLASSIFY] = { ANSWER_LABEL, { "accuracy", "f1_macro", "mcc" } },
    [TASK_REGRESS] = { ANSWER_NUMBER, { "pearson", "spearman", "mse" } },
    [TASK_TAG] = { ANSWER_TAGS, { "span_f1", "span_precision", "span_recall" } },
};

static void put(struct stage_run *run, const char *task, const char *metric, double value)
{
    char *key = metric ? xasprintf("%s.%s", task, metric) : xstrdup(task);
    if (isfinite(value))
        json_object_set_new(run->figures, key, json_real(value));
    free(key);
}

/* ---- heads ---- */

static char *answer_text(const struct task *t, const struct prediction *p)
{
    struct strbuf text = { 0 };
    if (t->kind == TASK_REGRESS)
        strbuf_printf(&text, "%.9g", (double)p->value[0]);
    for (int i = 0; t->kind != TASK_REGRESS && i < p->places; i++)
        strbuf_printf(&text, "%s%s", i ? " " : "", t->labels.items[prediction_label(p, i)]);
    return strbuf_detach(&text);
}

/* Divides examples into labels and what stands behind them. */
static int split_examples(struct strings *labels, struct strings *texts, const char *path, struct error *err)
{
    struct strings lines = { 0 };
    int ret = lines_read(&lines, path, 0, err);
    for (size_t i = 0; i < lines.count && ret == 0; i++) {
        char *tab = strchr(lines.items[i], '\t');
        if (!tab) {
            ret = error_set(err, "%s:%zu: no tab: an example is a label, a tab and a text", path, i + 1);
            break;
        }
        *tab = '\0';
        strings_add(labels, lines.items[i]);
        strings_add(texts, tab + 1);
    }
    strings_release(&lines);
    return ret;
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

static struct text *texts_of(const struct strings *s)
{
    struct text *texts = xcalloc(s->count + 1, sizeof *texts);
    for (size_t i = 0; i < s->count; i++)
        texts[i] = text_of(s->items[i]);
    return texts;
}

static int score_answers(struct stage_run *run, const struct task *t, const struct strings *gold,
                         const struct strings *answers, double *main, struct error *err)
{
    const struct measured *m = &measured[t->kind];
    struct text *x = texts_of(gold), *y = texts_of(answers);
    struct answers pairs = { 0 };
    int ret = answers_read(&pairs, m->kind, x, y, gold->count, err);
    for (size_t i = 0; ret == 0 && i < ARRAY_COUNT(m->metrics) && m->metrics[i]; i++) {
        double score = 100 * answers_score(answer_metric_find(m->metrics[i]), &pairs);
        put(run, t->name, m->metrics[i], score);
        if (i == 0)
            *main = score;
    }
    answers_release(&pairs);
    free(x);
    free(y);
    return ret;
}

static int predict_set(struct stage_run *run, const struct model *m, int task, const struct task_set *set,
                       double *main, struct error *err)
{
    const struct task *t = &m->tasks[task];
    struct strings gold = { 0 }, texts = { 0 }, answers = { 0 };
    struct prediction *out = NULL;
    int ret = split_examples(&gold, &texts, set->examples, err);
    if (ret == 0) {
        out = xcalloc(texts.count + 1, sizeof *out);
        ret = predict_lines(out, m, task, (const char *const *)texts.items, texts.count, run->threads, set->examples,
                            1, err);
    }
    for (size_t i = 0; i < texts.count && ret == 0; i++) {
        char *text = answer_text(t, &out[i]);
        strings_add(&answers, text);
        free(text);
    }
    if (ret == 0)
        ret = write_answers(run, t->name, &answers, err);
    if (ret == 0)
        ret = score_answers(run, t, &gold, &answers, main, err);
    if (out)
        predictions_release(out, texts.count);
    free(out);
    strings_release(&gold);
    strings_release(&texts);
    strings_release(&answers);
    return ret;
}

/* ---- translation ---- */

static int translate_set(struct stage_run *run, const struct model *m, int task, const struct task_set *set,
                         double *main, struct error *err)
{
    struct strings sources = { 0 }, references = { 0 }, answers = { 0 };
    struct search_config search = { 0 };
    struct translation *out = NULL;
    int ret = lines_read(&sources, set->examples, 0, err) < 0 || lines_read(&references, set->targets, 0, err) < 0
        ? -1 : 0;
    options_default((struct option_group[]){ { NULL, search_options, &search }, { 0 } });
    search.beam = search.n_best = 1;
    if (ret == 0 && sources.count != references.count)
        ret = error_set(err, "'%s' has %zu lines but '%s' has %zu", set->examples, sources.count, set->targets,
                        references.count);
    if (ret == 0) {
        out = xcalloc(sources.count + 1, sizeof *out);
        ret = translate_lines(out, m, (const char *const *)sources.items, sources.count, &search, run->threads, NULL,
                              err);
    }
    for (size_t i = 0; i < sources.count && ret == 0; i++)
        strings_add(&answers, out[i].text[0]);
    if (ret == 0)
        ret = write_answers(run, m->tasks[task].name, &answers, err);
    if (ret == 0) {
        const char *const *hyps = (const char *const *)answers.items, *const *refs = (const char *const *)references.items;
        *main = bleu_of_lines(hyps, refs, sources.count);
        put(run, m->tasks[task].name, "bleu", *main);
        put(run, m->tasks[task].name, "chrf", chrf_of_lines(hyps, refs, sources.count));
    }
    if (out)
        translations_release(out, sources.count);
    free(out);
    strings_release(&sources);
    strings_release(&references);
    strings_release(&answers);
    return ret;
}

/* ---- the stage ---- */

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
    else if (!set->examples)
        ret = error_set(err, "task '%s' has no %s examples", link->label, set_names[c->set]);
    else
        ret = m->tasks[task].kind == TASK_TRANSLATE ? translate_set(run, m, task, set, main, err)
                                                    : predict_set(run, m, task, set, main, err);
    task_files_release(&files);
    return ret;
}

static int run_evaluate_tasks(struct stage_run *run, struct error *err)
{
    char *folder = stage_input_folder(run, "model");
    struct model *m = model_load(folder, err);
    double sum = 0, count = 0;
    int ret = m ? 0 : -1;
    free(folder);
    for (size_t i = 0; i < run->stage->link_count && ret == 0; i++) {
        const struct stage_link *link = &run->stage->links[i];
        double main = NAN;
        if (strcmp(link->input->name, "tasks"))
            continue;
        ret = evaluate_task(run, m, link, &main, err);
        put(run, link->label, NULL, main);
        sum += main;
        count++;
    }
    if (ret == 0) {
        put(run, "average", NULL, sum / count);
        put(run, "parameters", NULL, (double)model_parameters(m));
        put(run, "train_seconds", NULL, manifest_figure(stage_input_manifest(run, "model"), "train_seconds"));
    }
    model_free(m);
    return ret;
}

const struct stage_kind stage_evaluate_tasks = {
    .name = "evaluate-tasks", .summary = "evaluating a model of several tasks", .makes = "task-scores", .version = 1,
    .config_size = sizeof(struct evaluate_tasks_stage), .options = tables, .inputs = inputs,
    .run = run_evaluate_tasks,
};
