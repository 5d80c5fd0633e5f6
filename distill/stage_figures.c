/* The stage `figures`: what stages that make corpora have measured, side by side, as text and JSON, over
 * all seeds. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/table.h"
#include "distill/kinds.h"
#include "distill/summary.h"

struct figures_stage {
    struct strings columns;
};

#define FIELD(member) offsetof(struct figures_stage, member)
static const struct option figures_options[] = {
    { "columns", OPTION_LIST, FIELD(columns), NULL, 0, 0, "names of figures, as in the stages' manifests", NULL, 0, true },
    { 0 }
};
static const struct stage_options tables[] = { { figures_options, 0 }, { NULL } };
#undef FIELD

static const struct stage_input inputs[] = {
    { "rows", "corpus", true, true },
    { NULL }
};

#define CELL 48

static void cell_text(char text[CELL], struct summary s)
{
    if (!isfinite(s.mean))
        snprintf(text, CELL, "–");
    else if (s.runs > 1 && isfinite(s.deviation))
        snprintf(text, CELL, "%.4g ±%.2g", s.mean, s.deviation);
    else
        snprintf(text, CELL, "%.4g", s.mean);
}

static json_t *cell_json(struct summary s)
{
    json_t *it = json_pack("{s:o, s:i}", "mean", isfinite(s.mean) ? json_real(s.mean) : json_null(), "runs", s.runs);
    if (s.runs > 1 && isfinite(s.deviation))
        json_object_set_new(it, "sd", json_real(s.deviation));
    return it;
}

static void add_row(const struct stage_run *run, struct table *table, json_t *json, const char *label)
{
    const struct figures_stage *c = run->stage->config;
    const char **cells = xcalloc(c->columns.count + 1, sizeof *cells);
    char (*texts)[CELL] = xcalloc(c->columns.count, sizeof *texts);
    json_t *row = json_object();
    cells[0] = label;
    for (size_t i = 0; i < c->columns.count; i++) {
        struct summary s = stage_summary(run, label, c->columns.items[i]);
        cell_text(texts[i], s);
        cells[1 + i] = texts[i];
        json_object_set_new(row, c->columns.items[i], cell_json(s));
    }
    table_cells(table, cells, 1 + c->columns.count);
    json_object_set_new(json, label, row);
    free(texts);
    free(cells);
}

static void add_head(const struct figures_stage *c, struct table *table)
{
    const char **cells = xcalloc(c->columns.count + 1, sizeof *cells);
    cells[0] = "";
    for (size_t i = 0; i < c->columns.count; i++)
        cells[1 + i] = c->columns.items[i];
    table_cells(table, cells, 1 + c->columns.count);
    free(cells);
}

static int write_text(const char *path, const struct table *table, struct error *err)
{
    struct outfile out = { 0 };
    if (outfile_open(&out, path, err) < 0)
        return -1;
    table_print(table, out.stream);
    return outfile_commit(&out, err);
}

static int run_figures(struct stage_run *run, struct error *err)
{
    struct table table = { 0 };
    json_t *json = json_object();
    char *text_path = stage_path(run, "figures.txt"), *json_path = stage_path(run, "figures.json");
    add_head(run->stage->config, &table);
    for (size_t i = 0; i < run->stage->link_count; i++)
        if (stage_label_is_new(run, i))
            add_row(run, &table, json, run->stage->links[i].label);
    int ret = write_text(text_path, &table, err) < 0 || json_write(json, json_path, err) < 0 ? -1 : 0;
    stage_output(run, "figures.txt");
    stage_output(run, "figures.json");
    table_release(&table);
    json_decref(json);
    free(text_path);
    free(json_path);
    return ret;
}

static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    (void)run;
    *cost = (struct stage_cost){ .seconds = 0, .bytes = 5e3 };
}

const struct stage_kind stage_figures = {
    .name = "figures", .summary = "what stages have measured, side by side", .makes = "figures", .version = 1,
    .gathers = true,
    .config_size = sizeof(struct figures_stage), .options = tables, .inputs = inputs,
    .run = run_figures, .estimate = estimate,
};
