/* Statistics of a corpus as HTML. */
#include "distill/corpus_section.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/html.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/plot.h"
#include "distill/report.h"

static const char *const sides[] = { "source", "target" };

/* Rows of the table: members of a side. */
static const struct { const char *key, *name, *format; } rows[] = {
    { "lines", "lines", "%.0f" }, { "words", "words", "%.0f" }, { "mean_words", "words a line", "%.1f" },
    { "median_words", "median", "%.0f" }, { "words_95", "95% have at most", "%.0f" },
    { "mean_characters", "characters a line", "%.1f" }, { "types", "different words", "%.0f" },
    { "hapaxes", "words that come once", "%.0f" }, { "duplicates", "lines that came before", "%.0f" },
    { "pieces_per_word", "pieces a word", "%.2f" }, { "unknown_share", "unknown pieces, share", "%.5f" },
    { "used", "pieces of the vocabulary in use", "%.0f" },
};

static void add_cell(struct strbuf *out, const json_t *side, size_t row)
{
    const json_t *value = json_object_get(side, rows[row].key);
    strbuf_puts(out, "<td>");
    if (json_is_number(value)) {
        char text[48];
        snprintf(text, sizeof text, rows[row].format, json_number_value(value));
        strbuf_puts(out, text);
    }
    strbuf_puts(out, "</td>");
}

static void add_table(struct strbuf *out, const json_t *stats)
{
    strbuf_puts(out, "<div class=\"wide\"><table>\n<thead><tr><th></th><th>source</th><th>target</th></tr>"
                     "</thead>\n<tbody>\n");
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const json_t *source = json_object_get(stats, sides[0]), *target = json_object_get(stats, sides[1]);
        if (!json_object_get(source, rows[i].key) && !json_object_get(target, rows[i].key))
            continue;
        strbuf_printf(out, "<tr><td>%s</td>", rows[i].name);
        add_cell(out, source, i);
        add_cell(out, target, i);
        strbuf_puts(out, "</tr>\n");
    }
    strbuf_puts(out, "</tbody></table></div>\n");
}

static void add_overlap(struct strbuf *out, const json_t *stats)
{
    const json_t *o = json_object_get(stats, "overlap");
    if (!o)
        return;
    strbuf_printf(out, "<p>Of %.0f held-out lines %.0f are in the corpus; of their words %.2f%% are not, of "
                  "their runs of four words %.2f%% are.</p>\n",
                  json_number_value(json_object_get(o, "lines")),
                  json_number_value(json_object_get(o, "found")),
                  100 * json_number_value(json_object_get(o, "unseen_words")),
                  100 * json_number_value(json_object_get(o, "grams_found")));
}

/* Lines by their words, each side in percent of its lines; the last point is of all longer ones. */
static void add_lengths(struct strbuf *out, const json_t *stats)
{
    struct plot_series series[2];
    double *x[2], *y[2];
    size_t count = 0;
    for (int i = 0; i < 2; i++) {
        const json_t *side = json_object_get(stats, sides[i]), *lengths = json_object_get(side, "lengths");
        double lines = json_number_value(json_object_get(side, "lines"));
        size_t n = json_array_size(lengths);
        if (!n || lines <= 0)
            continue;
        x[count] = xcalloc(n, sizeof **x);
        y[count] = xcalloc(n, sizeof **y);
        for (size_t k = 0; k < n; k++) {
            x[count][k] = (double)k;
            y[count][k] = 100 * json_number_value(json_array_get(lengths, k)) / lines;
        }
        while (n > 1 && y[count][n - 1] == 0)
            n--;
        series[count] = (struct plot_series){ sides[i], i, x[count], y[count], n, NULL };
        count++;
    }
    if (count) {
        strbuf_puts(out, "<ul class=\"legend\">");
        for (size_t i = 0; i < count; i++) {
            strbuf_puts(out, "<li>");
            plot_swatch(out, series[i].colour);
            strbuf_printf(out, "%s</li>", series[i].label);
        }
        strbuf_puts(out, "</ul>\n<div class=\"plots\">\n");
        plot_svg(out, &(struct plot){ .title = "Words a line", .x_label = "words", .y_label = "lines, %",
                                      .series = series, .count = count });
        strbuf_puts(out, "</div>\n");
    }
    for (size_t i = 0; i < count; i++) {
        free(x[i]);
        free(y[i]);
    }
}

void corpus_section(struct strbuf *out, const char *title, const json_t *stats)
{
    strbuf_puts(out, "<h2>");
    html_text(out, title);
    strbuf_puts(out, "</h2>\n");
    add_table(out, stats);
    add_overlap(out, stats);
    add_lengths(out, stats);
}

void corpus_sections(struct strbuf *out, const char *run_folder)
{
    struct dirent **names;
    int count = scandir(run_folder, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char *path = xasprintf("%s/%s/%s", run_folder, names[i]->d_name, STATS_FILE);
        json_t *stats = names[i]->d_name[0] != '.' && file_exists(path) ? json_read(path, NULL) : NULL;
        if (stats) {
            char *title = xasprintf("Corpus: %s", names[i]->d_name);
            corpus_section(out, title, stats);
            free(title);
        }
        json_decref(stats);
        free(path);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
}

int corpus_page_write(const char *path, const char *title, const json_t *stats, struct error *err)
{
    struct strbuf html = { 0 };
    html_head(&html, title, NULL, NULL);
    corpus_section(&html, "Corpus", stats);
    strbuf_puts(&html, "</body></html>\n");
    int ret = file_write(path, html.text, html.length, err);
    strbuf_release(&html);
    return ret;
}
