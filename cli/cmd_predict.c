/* coho predict: labels, tags and numbers for texts, by the heads of a model. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/decoding.h"
#include "corpora/examples.h"
#include "corpora/task.h"
#include "decode/predict.h"
#include "seq2seq/model.h"

struct predict_options {
    char *model, *task, *input, *second, *output;
    int threads, utf8;
    int64_t window;
    bool probabilities, json, examples, quiet;
};

#define FIELD(member) offsetof(struct predict_options, member)
static const struct option predict_options[] = {
    { "model", OPTION_STRING, FIELD(model), .letter = 'm', .required = true, .help = "model folder" },
    { "task", OPTION_STRING, FIELD(task), NULL,
      .help = "which of the model's tasks; needed when it has several" },
    { "input", OPTION_STRING, FIELD(input), "-", .letter = 'i',
      .help = "texts, one a line, or two with a tab between (plain, gzip, zstd, xz); -: standard input" },
    { "second", OPTION_STRING, FIELD(second), NULL,
      .help = "file with the second text for each line of the input, for tasks of two texts" },
    { "output", OPTION_STRING, FIELD(output), NULL, .letter = 'o',
      .help = "file to write; without: standard output" },
    { "examples", OPTION_FLAG, FIELD(examples), "false",
      .help = "lines are examples: a label and a tab before the text, which are passed over" },
    { "probabilities", OPTION_FLAG, FIELD(probabilities), "false",
      .help = "a tab and each label's probability behind the label, in the order of the labels" },
    { "json", OPTION_FLAG, FIELD(json), "false", .help = "a JSON object a line" },
    { "threads", OPTION_INT, FIELD(threads), "0", 0, 1024, "threads; 0: one a core" },
    { "window", OPTION_LONG, FIELD(window), "4096", 1, 1000000,
      "lines read and sorted by length together; output comes a window at a time" },
    { "bad-utf8", OPTION_CHOICE, FIELD(utf8), "refuse", .choices = utf8_policy_names,
      .help = "what to do with lines that are not UTF-8" },
    { "quiet", OPTION_FLAG, FIELD(quiet), "false", .letter = 'q', .help = "no messages" },
    { 0 }
};
#undef FIELD

struct job {
    struct predict_options options;
    struct model *model;
    int task;
    struct sink sink;
    struct progress progress;
};

/* ---- one line's output ---- */

static const char *label_of(const struct task *t, const struct prediction *p, int place)
{
    return t->labels.items[prediction_label(p, place)];
}

static void print_text(const struct job *job, const struct prediction *p)
{
    const struct task *t = &job->model->tasks[job->task];
    FILE *out = job->sink.stream;
    if (t->kind == TASK_REGRESS) {
        fprintf(out, "%.6g\n", (double)p->value[0]);
        return;
    }
    for (int i = 0; i < p->places; i++)
        fprintf(out, "%s%s", i ? " " : "", label_of(t, p, i));
    for (int i = 0; job->options.probabilities && i < p->places * p->outputs; i++)
        fprintf(out, "%c%.6f", i ? ' ' : '\t', (double)p->value[i]);
    fputc('\n', out);
}

static json_t *place_json(const struct task *t, const struct prediction *p, int place)
{
    json_t *probabilities = json_object();
    for (int i = 0; i < p->outputs; i++)
        json_object_set_new(probabilities, t->labels.items[i],
                            json_real((double)p->value[(size_t)place * (size_t)p->outputs + (size_t)i]));
    return json_pack("{s:s, s:o}", "label", label_of(t, p, place), "probabilities", probabilities);
}

static void print_json(const struct job *job, const struct prediction *p, int64_t number)
{
    const struct task *t = &job->model->tasks[job->task];
    json_t *line = json_pack("{s:I, s:s}", "line", (json_int_t)number, "task", t->name);
    if (t->kind == TASK_REGRESS) {
        json_object_set_new(line, "value", json_real((double)p->value[0]));
    } else if (t->kind == TASK_TAG) {
        json_t *words = json_array();
        for (int i = 0; i < p->places; i++)
            json_array_append_new(words, place_json(t, p, i));
        json_object_set_new(line, "words", words);
    } else {
        json_t *place = place_json(t, p, 0);
        json_object_update(line, place);
        json_decref(place);
    }
    json_dumpf(line, job->sink.stream, JSON_COMPACT | JSON_REAL_PRECISION(6));
    fputc('\n', job->sink.stream);
    json_decref(line);
}

/* ---- the run ---- */

static int print_window(struct job *job, const struct strings *window, int64_t first, struct error *err)
{
    size_t n = window->count;
    struct prediction *out = xcalloc(n + 1, sizeof *out);
    int ret = predict_lines(out, job->model, job->task, (const char *const *)window->items, n, job->options.threads,
                            job->options.input, first, err);
    for (size_t i = 0; i < n && ret == 0; i++) {
        if (job->options.json)
            print_json(job, &out[i], first + (int64_t)i);
        else
            print_text(job, &out[i]);
    }
    predictions_release(out, n);
    free(out);
    progress_add(&job->progress, (int64_t)n);
    return ret < 0 ? -1 : sink_check(&job->sink, err);
}

/* Without the label of an example. */
static const char *text_of(const struct job *job, const char *line)
{
    const char *tab = job->options.examples ? strchr(line, '\t') : NULL;
    return tab ? tab + 1 : line;
}

static int predict(struct job *job, struct error *err)
{
    struct text_lines in = { 0 };
    struct strings window = { 0 };
    int more = 1, ret = text_lines_open(&in, job->options.input, job->options.second, err);
    in.files.source.utf8 = in.files.target.utf8 = (enum utf8_policy)job->options.utf8;
    progress_start(&job->progress, "predicting", "lines", lines_ahead(job->options.input));
    for (int64_t first = 1; ret == 0 && more > 0; first += (int64_t)window.count) {
        strings_release(&window);
        while ((int64_t)window.count < job->options.window && (more = text_lines_next(&in, err)) > 0)
            strings_add(&window, text_of(job, in.text));
        ret = more < 0 ? -1 : print_window(job, &window, first, err);
    }
    progress_end(&job->progress);
    strings_release(&window);
    text_lines_close(&in);
    return ret;
}

/* The task that was named, or the only one. */
static int choose_task(struct job *job, struct error *err)
{
    const struct model *m = job->model;
    struct strbuf known = { 0 };
    for (int i = 0; i < m->task_count; i++)
        strbuf_printf(&known, "%s%s", i ? ", " : "", m->tasks[i].name);
    int ret = 0;
    if (!m->task_count)
        ret = error_set(err, "the model in '%s' knows no tasks; it translates: use `coho translate`", job->options.model);
    else if (!job->options.task && m->task_count > 1)
        ret = error_set(err, "the model in '%s' knows several tasks; name one with --task: %s", job->options.model,
                        known.text);
    job->task = job->options.task && ret == 0 ? model_find_task(m, job->options.task) : 0;
    if (ret == 0 && job->task < 0)
        ret = error_set(err, "the model in '%s' knows no task '%s', but %s", job->options.model, job->options.task,
                        known.text);
    if (ret == 0 && m->tasks[job->task].kind == TASK_TRANSLATE)
        ret = error_set(err, "task '%s' is a translation; use `coho translate`%s%s", m->tasks[job->task].name,
                        m->tasks[job->task].tag ? " on lines that begin with " : "",
                        m->tasks[job->task].tag ? m->tasks[job->task].tag : "");
    strbuf_release(&known);
    return ret;
}

static int run(struct job *job, struct error *err)
{
    job->model = model_load_decoder(job->options.model, PRODUCTS_STORED, err);
    if (!job->model || choose_task(job, err) < 0 || files_differ(job->options.output, job->options.input, err) < 0
        || files_differ(job->options.output, job->options.second, err) < 0 || sink_open(&job->sink, job->options.output, err) < 0)
        return -1;
    return predict(job, err) < 0 ? -1 : sink_commit(&job->sink, err);
}

int cmd_predict(const struct command *self, int argc, char **argv)
{
    struct job job = { 0 };
    struct error err = { 0 };
    const struct option_group groups[] = { { NULL, predict_options, &job.options }, { 0 } };
    const char **rest = xmalloc((size_t)argc * sizeof *rest);
    int rest_count, status;

    options_default(groups);
    status = command_parse(self, groups, argc, argv, rest, &rest_count);
    if (status < 0 && job.options.second && job.options.examples)
        status = command_misuse(self, "--second goes with texts alone, not with --examples");
    if (status < 0 && rest_count)
        status = command_misuse(self, "unexpected '%s': give the texts with --input", rest[0]);
    if (status < 0) {
        log_quiet(job.options.quiet);
        interrupt_install();
        status = run(&job, &err) < 0 ? command_fail(self, &err) : 0;
    }
    sink_abort(&job.sink);
    model_free(job.model);
    options_release(groups);
    free(rest);
    return status;
}
