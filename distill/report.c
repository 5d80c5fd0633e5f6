/* The page of a run. */
#include "distill/report.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/html.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/plot.h"
#include "distill/corpus_section.h"
#include "distill/curves.h"
#include "distill/results.h"

struct page {
    struct strbuf *out;
    const json_t *report, *results;
    const json_t *rows;                 /* the report's */
    struct curve *curves;               /* one a row */
    size_t count;
};

static const char *row_text(const struct page *p, size_t row, const char *key)
{
    const char *text = json_string_value(json_object_get(json_array_get(p->rows, row), key));
    return text ? text : "";
}

/* A figure of the table's row, or NAN. */
static double figure(const struct page *p, const char *row, const char *key)
{
    const json_t *value = json_object_get(json_object_get(p->results, row), key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* ---- the table ---- */

/* Which end of a column is the good one: higher 1, lower -1, neither 0. */
static int better_end(const char *key)
{
    if (!strncmp(key, "bleu", 4) || !strncmp(key, "chrf", 4) || !strncmp(key, "words", 5))
        return 1;
    return !strcmp(key, "perplexity") ? -1 : 0;
}

static double best_of(const struct page *p, const char *key)
{
    double best = NAN;
    const char *name;
    json_t *row;
    int end = better_end(key);
    json_object_foreach((json_t *)(uintptr_t)p->results, name, row) {
        double value = figure(p, name, key);
        if (end && isfinite(value) && (!isfinite(best) || end * value > end * best))
            best = value;
    }
    return best;
}

static void add_cell(struct page *p, const char *text, bool best)
{
    strbuf_printf(p->out, best ? "<td class=\"best\">" : "<td>");
    html_text(p->out, text);
    strbuf_puts(p->out, "</td>");
}

static void add_table_row(struct page *p, const char *name)
{
    char text[48];
    strbuf_puts(p->out, "<tr><td>");
    html_text(p->out, name);
    strbuf_puts(p->out, "</td>");
    for (const struct column *c = columns; c->key; c++) {
        double value = figure(p, name, c->key);
        column_cell(text, sizeof text, c, json_object_get(p->results, name));
        add_cell(p, text, isfinite(value) && value == best_of(p, c->key));
    }
    column_text(text, sizeof text, &(struct column){ .format = "%+.2f" },
                figure(p, name, "bleu_beam5") - figure(p, name, "bleu_greedy"));
    add_cell(p, text, false);
    strbuf_puts(p->out, "</tr>\n");
}

static void add_table(struct page *p)
{
    const char *name;
    json_t *row;
    strbuf_puts(p->out, "<h2>Results</h2>\n<div class=\"wide\"><table>\n<thead><tr><th>model</th>");
    for (const struct column *c = columns; c->key; c++) {
        strbuf_puts(p->out, "<th title=\"");
        html_text(p->out, c->explained);
        strbuf_puts(p->out, "\">");
        html_text(p->out, c->title);
        strbuf_puts(p->out, "</th>");
    }
    strbuf_puts(p->out, "<th title=\"BLEU of beam search less that of greedy decoding\">gap</th>"
                        "</tr></thead>\n<tbody>\n");
    json_object_foreach((json_t *)(uintptr_t)p->results, name, row)
        add_table_row(p, name);
    strbuf_puts(p->out, "</tbody></table></div>\n<p class=\"dim\">");
    for (const struct column *c = columns; c->key; c++) {
        html_text(p->out, c->title);
        strbuf_puts(p->out, ": ");
        html_text(p->out, c->explained);
        strbuf_puts(p->out, c[1].key ? "; " : "; gap: BLEU b5 less BLEU.</p>\n");
    }
}

/* ---- plots ---- */

static void add_legend(struct page *p)
{
    strbuf_puts(p->out, "<ul class=\"legend\">");
    for (size_t i = 0; i < p->count; i++) {
        strbuf_puts(p->out, "<li>");
        plot_swatch(p->out, (int)i);
        html_text(p->out, row_text(p, i, "name"));
        strbuf_puts(p->out, "</li>");
    }
    strbuf_puts(p->out, "</ul>\n");
}

/* Two points a model: its greedy and its beam decoding, joined. */
static void add_speed_plot(struct page *p)
{
    struct plot_series *series = xcalloc(p->count, sizeof *series);
    double (*x)[2] = xcalloc(p->count, sizeof *x), (*y)[2] = xcalloc(p->count, sizeof *y);
    static const char *const notes[] = { "greedy", "beam 5" };
    for (size_t i = 0; i < p->count; i++) {
        const char *name = row_text(p, i, "name");
        x[i][0] = figure(p, name, "words_per_s_greedy");
        x[i][1] = figure(p, name, "words_per_s_beam5");
        y[i][0] = figure(p, name, "bleu_greedy");
        y[i][1] = figure(p, name, "bleu_beam5");
        series[i] = (struct plot_series){ name, (int)i, x[i], y[i], 2, notes };
    }
    plot_svg(p->out, &(struct plot){
        "Quality against speed: beam 5 (left) and greedy (right)", "source words a second, logarithmic",
        "BLEU, test set", true, series, p->count });
    free(series);
    free(x);
    free(y);
}

enum measure { MEASURE_NLL, MEASURE_BLEU };

static bool has_curve(const struct page *p, enum measure m)
{
    for (size_t i = 0; i < p->count; i++)
        for (size_t k = 0; k < p->curves[i].count; k++)
            if (isfinite(m == MEASURE_NLL ? p->curves[i].nll[k] : p->curves[i].bleu[k]))
                return true;
    return false;
}

static void add_curve_plot(struct page *p, enum measure m, bool over_time)
{
    struct plot_series *series = xcalloc(p->count, sizeof *series);
    char title[96];
    for (size_t i = 0; i < p->count; i++) {
        const struct curve *c = &p->curves[i];
        series[i] = (struct plot_series){ row_text(p, i, "name"), (int)i,
            over_time ? c->seconds : c->update, m == MEASURE_NLL ? c->nll : c->bleu, c->count, NULL };
    }
    snprintf(title, sizeof title, "Dev %s over %s", m == MEASURE_NLL ? "NLL" : "BLEU, greedy,",
             over_time ? "time" : "updates");
    plot_svg(p->out, &(struct plot){
        title, over_time ? "seconds of training" : "updates",
        m == MEASURE_NLL ? "NLL a token, nats" : "BLEU", false, series, p->count });
    free(series);
}

static void add_curves(struct page *p)
{
    static const enum measure measures[] = { MEASURE_NLL, MEASURE_BLEU };
    strbuf_puts(p->out, "<h2>Learning curves</h2>\n");
    add_legend(p);
    strbuf_puts(p->out, "<div class=\"plots\">\n");
    for (size_t i = 0; i < ARRAY_COUNT(measures); i++)
        if (has_curve(p, measures[i])) {
            add_curve_plot(p, measures[i], false);
            add_curve_plot(p, measures[i], true);
        }
    strbuf_puts(p->out, "</div>\n");
}

/* ---- the page ---- */

static void add_head(struct page *p)
{
    html_head(p->out, json_string_value(json_object_get(p->report, "title")),
              json_string_value(json_object_get(p->report, "about")), NULL);
}

static int read_curves(struct page *p, const char *folder, struct error *err)
{
    p->curves = xcalloc(p->count + 1, sizeof *p->curves);
    for (size_t i = 0; i < p->count; i++) {
        char *model = path_join(folder, row_text(p, i, "model"));
        int ret = curve_read(&p->curves[i], model, err);
        free(model);
        if (ret < 0)
            return -1;
    }
    return 0;
}

int report_page(struct strbuf *out, const char *folder, const json_t *report, const json_t *results,
                struct error *err)
{
    struct page p = { .out = out, .report = report, .results = results };
    int ret;
    p.rows = json_object_get(report, "rows");
    p.count = json_array_size(p.rows);
    ret = read_curves(&p, folder, err);
    if (ret == 0) {
        add_head(&p);
        if (results) {
            add_table(&p);
            strbuf_puts(out, "<h2>Quality and speed</h2>\n");
            add_legend(&p);
            strbuf_puts(out, "<div class=\"plots\">\n");
            add_speed_plot(&p);
            strbuf_puts(out, "</div>\n");
        }
        if (has_curve(&p, MEASURE_NLL) || has_curve(&p, MEASURE_BLEU))
            add_curves(&p);
        corpus_sections(out, folder);
        strbuf_puts(out, "</body></html>\n");
    }
    for (size_t i = 0; i < p.count; i++)
        curve_release(&p.curves[i]);
    free(p.curves);
    return ret;
}

/* ---- from a folder ---- */

/* A model's folder is a run of one row. */
static json_t *report_of_model(const char *folder)
{
    char *real = realpath(folder, NULL);
    const char *name = path_name(real ? real : folder);
    json_t *report = json_pack("{s:s, s:[{s:s, s:s}]}", "title", name, "rows", "name", name, "model", ".");
    free(real);
    return report;
}

static int read_inputs(json_t **report, json_t **results, const char *folder, struct error *err)
{
    char *about = path_join(folder, REPORT_FILE), *table = path_join(folder, TABLE_FILE);
    char *log = path_join(folder, "log.jsonl");
    int ret = 0;
    *report = *results = NULL;
    if (file_exists(about))
        ret = (*report = json_read(about, err)) && (*results = json_read(table, err)) ? 0 : -1;
    else if (file_exists(log))
        *report = report_of_model(folder);
    else
        ret = error_set(err, "%s holds no finished run (%s, %s) and no model's log.jsonl", folder,
                        REPORT_FILE, TABLE_FILE);
    free(about);
    free(table);
    free(log);
    return ret;
}

int report_write(char **page, const char *folder, struct error *err)
{
    struct strbuf html = { 0 };
    json_t *report, *results;
    char *path = path_join(folder, PAGE_FILE);
    int ret = read_inputs(&report, &results, folder, err);
    if (ret == 0)
        ret = report_page(&html, folder, report, results, err);
    if (ret == 0)
        ret = file_write(path, html.text, html.length, err);
    if (ret == 0 && page)
        *page = xstrdup(path);
    json_decref(report);
    json_decref(results);
    strbuf_release(&html);
    free(path);
    return ret;
}
