/* The stage `table`: the scores of several models side by side, as text, as JSON and as the page
 * of the run.  Its outputs stand in the run's own folder, where people look for them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "distill/kinds.h"
#include "distill/report.h"
#include "distill/results.h"
#include "distill/summary.h"

struct table_stage {
    char *title;
};

#define FIELD(member) offsetof(struct table_stage, member)
static const struct option table_options[] = {
    { "title", OPTION_STRING, FIELD(title), NULL, 0, 0, "heading of the page; else the recipe's name" },
    { 0 }
};
static const struct stage_options tables[] = { { table_options, 0 }, { NULL } };
#undef FIELD

static const struct stage_input inputs[] = {
    { "rows", "scores", true, true },
    { NULL }
};

/* row → { every column's key: figure, or null where it was not measured }, of several runs with
 * their number, and the spread of a figure under its key and "_sd" */
static json_t *collect(const struct stage_run *run)
{
    json_t *results = json_object();
    for (size_t i = 0; i < run->stage->link_count; i++) {
        const char *label = run->stage->links[i].label;
        json_t *row = json_object();
        for (const struct column *c = columns; c->key && stage_label_is_new(run, i); c++) {
            struct summary s = stage_summary(run, label, c->key);
            json_object_set_new(row, c->key, column_json(c, s.mean));
            if (s.runs == 1)
                continue;
            char *spread = xasprintf("%s" SPREAD, c->key);
            json_object_set_new(row, spread, column_json(c, s.deviation));
            json_object_set_new(row, "runs", json_integer(s.runs));
            free(spread);
        }
        if (json_object_size(row))
            json_object_set(results, label, row);
        json_decref(row);
    }
    return results;
}

/* The processor's name as /proc/cpuinfo tells it. */
static void machine_text(char *text, size_t room)
{
    FILE *f = fopen("/proc/cpuinfo", "re");
    char line[256];
    snprintf(text, room, "unknown processor");
    while (f && fgets(line, sizeof line, f)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) || !colon)
            continue;
        colon[1 + strcspn(colon + 1, "\n")] = '\0';
        snprintf(text, room, "%s", colon + 2);
        break;
    }
    if (f)
        fclose(f);
}

static json_t *describe(const struct stage_run *run)
{
    const struct table_stage *c = run->stage->config;
    json_t *rows = json_array();
    char machine[200], date[32], *about;
    time_t now = time(NULL);
    struct tm utc;
    for (size_t i = 0; i < run->stage->link_count; i++) {
        const struct stage_link *scores = &run->stage->links[i];
        const struct stage_link *model = stage_link(&run->stages[scores->stage], "model");
        if (!stage_label_is_new(run, i))
            continue;                           /* the curves of the first seed stand for all */
        json_array_append_new(rows, json_pack("{s:s, s:s}", "name", scores->label, "model",
                                              model ? run->stages[model->stage].name : ""));
    }
    gmtime_r(&now, &utc);
    strftime(date, sizeof date, "%Y-%m-%d", &utc);
    machine_text(machine, sizeof machine);
    about = xasprintf("%s, %s, %d threads, coho " COHO_VERSION, date, machine, run->threads);
    json_t *report = json_pack("{s:s, s:s, s:o}", "title", c->title ? c->title : run->recipe,
                               "about", about, "rows", rows);
    free(about);
    return report;
}

static int write_text(const struct stage_run *run, const json_t *results, struct error *err)
{
    char *path = path_join(run->root, "table.txt");
    struct outfile out = { 0 };
    int ret = outfile_open(&out, path, err);
    if (ret == 0) {
        results_print(results, out.stream);
        ret = outfile_commit(&out, err);
    }
    free(path);
    return ret;
}

/* Ten digits and not seventeen: 38.12 rather than 38.119999999999997. */
static int write_json(const struct stage_run *run, const json_t *value, const char *name,
                      struct error *err)
{
    char *path = path_join(run->root, name);
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    int ret = file_write(path, text, strlen(text), err);
    free(text);
    free(path);
    return ret;
}

static int run_table(struct stage_run *run, struct error *err)
{
    static const char *const outputs[] = { "table.txt", TABLE_FILE, REPORT_FILE, PAGE_FILE };
    json_t *results = collect(run), *report = describe(run);
    int ret = -1;
    if (write_text(run, results, err) == 0 && write_json(run, results, TABLE_FILE, err) == 0
        && write_json(run, report, REPORT_FILE, err) == 0)
        ret = report_write(NULL, run->root, err);
    for (size_t i = 0; i < ARRAY_COUNT(outputs); i++) {
        char *path = xasprintf("../%s", outputs[i]);
        stage_output(run, path);
        free(path);
    }
    json_decref(results);
    json_decref(report);
    return ret;
}

static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    (void)run;
    *cost = (struct stage_cost){ .seconds = 0, .bytes = 50e3 };
}

const struct stage_kind stage_table = {
    .name = "table", .summary = "writing the table and the report", .makes = "table", .version = 1,
    .gathers = true,
    .config_size = sizeof(struct table_stage), .options = tables, .inputs = inputs,
    .run = run_table, .estimate = estimate,
};
