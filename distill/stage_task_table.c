/* The stage `task-table`: models beside each other, a column a task, and their average.  A row may
 * be several models, each of some of the tasks: single-task models as one row. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/table.h"
#include "distill/kinds.h"
#include "distill/results.h"
#include "distill/summary.h"

struct task_table_stage {
    struct strings tasks;
};

#define FIELD(member) offsetof(struct task_table_stage, member)
static const struct option table_options[] = {
    { "tasks", OPTION_LIST, FIELD(tasks), NULL, 0, 0, "the columns, in their order", .required = true },
    { 0 }
};
#undef FIELD
static const struct stage_options tables[] = { { table_options, 0 }, { NULL } };

static const struct stage_input inputs[] = {
    { "rows", "task-scores", true, true },
    { NULL }
};

/* ---- figures ---- */

/* The seeds of a label stand in the same order for every task, so the k-th run of a row is made of
 * the k-th copies of its models. */
static double run_score(const struct stage_run *run, const char *label, const char *task, int k)
{
    for (size_t i = 0; i < run->stage->link_count; i++) {
        const struct stage_link *link = &run->stage->links[i];
        double score = strcmp(link->label, label) ? NAN : manifest_figure(stage_link_manifest(run, link), task);
        if (isfinite(score) && k-- == 0)
            return score;
    }
    return NAN;
}

static struct summary row_summary(const struct stage_run *run, const char *label, const char *task)
{
    struct summary s = { 0 };
    double squares = 0, value;
    while (isfinite(value = run_score(run, label, task, s.runs))) {
        double before = s.mean;
        s.runs++;
        s.mean += (value - s.mean) / s.runs;
        squares += (value - before) * (value - s.mean);
    }
    if (!s.runs)
        s.mean = NAN;
    s.deviation = s.runs > 1 ? sqrt(squares / (s.runs - 1)) : NAN;
    return s;
}

/* Of the averages over the tasks, run by run; only where a row has all tasks. */
static struct summary row_average(const struct stage_run *run, const char *label)
{
    const struct task_table_stage *c = run->stage->config;
    struct summary s = { 0 };
    double squares = 0;
    for (;;) {
        double sum = 0, before = s.mean;
        for (size_t i = 0; i < c->tasks.count; i++)
            sum += run_score(run, label, c->tasks.items[i], s.runs);
        if (!isfinite(sum))
            break;
        sum /= (double)c->tasks.count;
        s.runs++;
        s.mean += (sum - s.mean) / s.runs;
        squares += (sum - before) * (sum - s.mean);
    }
    if (!s.runs)
        s.mean = NAN;
    s.deviation = s.runs > 1 ? sqrt(squares / (s.runs - 1)) : NAN;
    return s;
}

static void set_summary(json_t *row, const char *key, struct summary s)
{
    char *spread = xasprintf("%s" SPREAD, key);
    json_object_set_new(row, key, isfinite(s.mean) ? json_real(s.mean) : json_null());
    if (isfinite(s.deviation))
        json_object_set_new(row, spread, json_real(s.deviation));
    free(spread);
}

static json_t *collect(const struct stage_run *run)
{
    const struct task_table_stage *c = run->stage->config;
    json_t *results = json_object();
    for (size_t i = 0; i < run->stage->link_count; i++) {
        const char *label = run->stage->links[i].label;
        if (!stage_label_is_new(run, i))
            continue;
        json_t *row = json_object();
        struct summary average = row_average(run, label);
        for (size_t k = 0; k < c->tasks.count; k++)
            set_summary(row, c->tasks.items[k], row_summary(run, label, c->tasks.items[k]));
        set_summary(row, "average", average);
        json_object_set_new(row, "runs", json_integer(average.runs));
        json_object_set_new(results, label, row);
    }
    return results;
}

/* ---- text ---- */

static char *cell(const json_t *row, const char *key)
{
    char *spread = xasprintf("%s" SPREAD, key);
    const json_t *mean = json_object_get(row, key), *deviation = json_object_get(row, spread);
    free(spread);
    if (!json_is_number(mean))
        return xstrdup("–");
    if (!deviation)
        return xasprintf("%.2f", json_number_value(mean));
    return xasprintf("%.2f ±%.2f", json_number_value(mean), json_number_value(deviation));
}

static void add_row(struct table *t, const char *name, const struct strings *tasks, const json_t *row)
{
    size_t count = tasks->count + 2;
    char **cells = xcalloc(count, sizeof *cells);
    cells[0] = xstrdup(name);
    for (size_t i = 0; i < tasks->count; i++)
        cells[1 + i] = row ? cell(row, tasks->items[i]) : xstrdup(tasks->items[i]);
    cells[count - 1] = row ? cell(row, "average") : xstrdup("average");
    table_cells(t, (const char *const *)cells, count);
    for (size_t i = 0; i < count; i++)
        free(cells[i]);
    free(cells);
}

static int write_text(const struct stage_run *run, const json_t *results, struct error *err)
{
    const struct task_table_stage *c = run->stage->config;
    char *path = path_join(run->root, "table.txt");
    struct outfile out = { 0 };
    struct table table = { 0 };
    const char *name;
    json_t *row;
    int ret = outfile_open(&out, path, err);
    add_row(&table, "model", &c->tasks, NULL);
    json_object_foreach((json_t *)(uintptr_t)results, name, row)
        add_row(&table, name, &c->tasks, row);
    if (ret == 0) {
        table_print(&table, out.stream);
        fprintf(out.stream, "\naccuracy, Pearson's correlation, F1 of spans or BLEU, times 100; ±: standard deviation "
                            "over seeds\n");
        ret = outfile_commit(&out, err);
    }
    table_release(&table);
    free(path);
    return ret;
}

static int run_task_table(struct stage_run *run, struct error *err)
{
    json_t *results = collect(run);
    char *path = path_join(run->root, "table.json"), *text = json_dumps(results, JSON_INDENT(2) | JSON_REAL_PRECISION(7));
    int ret = write_text(run, results, err) < 0 ? -1 : file_write(path, text, strlen(text), err);
    stage_output(run, "../table.txt");
    stage_output(run, "../table.json");
    free(text);
    free(path);
    json_decref(results);
    return ret;
}

static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    (void)run;
    cost->seconds = cost->bytes = 0;
}

const struct stage_kind stage_task_table = {
    .name = "task-table", .summary = "writing the table of tasks", .makes = "table", .version = 1, .gathers = true,
    .config_size = sizeof(struct task_table_stage), .options = tables, .inputs = inputs,
    .run = run_task_table, .estimate = estimate,
};
