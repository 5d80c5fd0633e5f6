/* The gap as a page: a table of the whole, and plots by length, by frequency and of calibration. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/html.h"
#include "base/memory.h"
#include "base/plot.h"
#include "distill/gap.h"
#include "distill/gap_figures.h"

#define SURE 0.05               /* p below this is set in bold */

/* ---- the table ---- */

static void add_cell(struct strbuf *out, const char *text, bool bold)
{
    strbuf_printf(out, bold ? "<td class=\"best\">" : "<td>");
    html_text(out, text);
    strbuf_puts(out, "</td>");
}

static void add_number(struct strbuf *out, const char *format, double value, double spread, bool bold)
{
    char text[GAP_CELL], more[GAP_CELL];
    gap_number(text, format, value);
    if (isfinite(value) && isfinite(spread)) {
        gap_number(more, format, spread);
        char *both = xasprintf("%s ±%s", text, more);
        add_cell(out, both, bold);
        free(both);
    } else {
        add_cell(out, text, bold);
    }
}

static void add_row(struct strbuf *out, const json_t *gap, const struct gap_row_of_table *row)
{
    const json_t *where = gap_where(gap, row);
    double a = gap_at(where, "teacher", row->key, NULL), b = gap_at(where, "student", row->key, NULL);
    double p = gap_at(where, "significance", row->key, "p");
    if (!isfinite(a) && !isfinite(b))           /* not measured */
        return;
    strbuf_puts(out, "<tr><td>");
    html_text(out, row->title);
    strbuf_puts(out, "</td>");
    add_number(out, row->format, a, gap_at(where, "significance", row->key, "teacher_interval"), row->better * (a - b) > 0);
    add_number(out, row->format, b, gap_at(where, "significance", row->key, "student_interval"), row->better * (b - a) > 0);
    add_number(out, row->format, b - a, gap_at(where, "significance", row->key, "interval"), false);
    add_number(out, "%.4f", p, NAN, p < SURE);
    strbuf_puts(out, "</tr>\n");
}

static void add_percents(struct strbuf *out, const json_t *gap, const char *title, const char *key)
{
    strbuf_printf(out, "<tr><td>%s</td>", title);
    add_number(out, "%.1f%%", 100 * gap_at(gap, "agreement", "greedy", key), NAN, false);
    add_number(out, "%.1f%%", 100 * gap_at(gap, "agreement", "beam", key), NAN, false);
    strbuf_puts(out, "</tr>\n");
}

static void add_agreement(struct strbuf *out, const json_t *gap)
{
    const json_t *gold = json_object_get(gap, "gold");
    strbuf_puts(out, "<h2>Agreement</h2>\n<div class=\"wide\"><table><thead><tr><th>student and teacher</th><th>greedy</th>"
                     "<th>beam</th></tr></thead>\n<tbody>\n");
    add_percents(out, gap, "equal outputs", "exact");
    add_percents(out, gap, "words in common", "overlap");
    strbuf_puts(out, "</tbody></table></div>\n");
    if (isfinite(gap_at(gold, "soft_cross_entropy", NULL, NULL)))
        strbuf_printf(out, "<p>The student's cross-entropy to the teacher's distribution is %.4f nats a gold token, of "
                      "which %.4f are divergence.</p>\n", gap_at(gold, "soft_cross_entropy", NULL, NULL),
                      gap_at(gold, "divergence", NULL, NULL));
    else
        strbuf_puts(out, "<p>The vocabularies differ, so distributions are not compared; calibration is of each model's own pieces.</p>\n");
}

static void add_table(struct strbuf *out, const json_t *gap)
{
    double lines = gap_at(gap, "lines", NULL, NULL);
    strbuf_puts(out, "<h2>The whole test set</h2>\n<div class=\"wide\"><table>\n<thead><tr><th></th><th>teacher</th>"
                     "<th>student</th><th>gap</th><th>p</th></tr></thead>\n<tbody>\n");
    for (int i = 0; i < GAP_ROWS; i++)
        add_row(out, gap, &gap_rows[i]);
    strbuf_printf(out, "</tbody></table></div>\n<p class=\"dim\">%.0f %s; beam search of %.0f. ± spans the central "
                  "95 %% of %.0f resamples of the sentences, p is that of paired bootstrap resampling, in bold below "
                  "0.05. The better model's figure is in bold.</p>\n", lines, lines == 1 ? "sentence" : "sentences",
                  gap_at(gap, "beam", NULL, NULL), gap_at(gap, "samples", NULL, NULL));
}

/* ---- plots over bands ---- */

/* One line of a plot: a number of each band at a path, times a factor; and how far a bar reaches. */
struct line {
    const char *label;
    int colour;
    const char *first, *second, *third;
    double factor;
    const char *test, *interval;        /* under "significance"; NULL: no bars */
};
#define MOST_LINES 4

struct bands_plot {
    const char *title, *y_label;
    struct line lines[MOST_LINES + 1];
};

struct bands {
    const json_t *items;
    const char *x_label;
    size_t count;
    char (*text)[GAP_CELL];
    const char **names;
};

static struct bands bands_new(const json_t *items, const char *x_label)
{
    struct bands b = { items, x_label, json_array_size(items), NULL, NULL };
    b.text = xcalloc(b.count + 1, sizeof *b.text);
    b.names = xcalloc(b.count + 1, sizeof *b.names);
    for (size_t i = 0; i < b.count; i++) {
        gap_band_brief(b.text[i], json_array_get(items, i));
        b.names[i] = b.text[i];
    }
    return b;
}

static void bands_free(struct bands *b)
{
    free(b->text);
    free(b->names);
}

static size_t line_count(const struct bands_plot *plot)
{
    size_t count = 0;
    while (plot->lines[count].label)
        count++;
    return count;
}

static bool anything(const struct plot_series *series, size_t count)
{
    for (size_t s = 0; s < count; s++)
        for (size_t i = 0; i < series[s].count; i++)
            if (isfinite(series[s].y[i]))
                return true;
    return false;
}

/* Lines stand a little beside each other, so that their bars do not hide one another.  What was not measured has
 * no plot. */
static void add_plot(struct strbuf *out, const struct bands *b, const struct bands_plot *plot)
{
    size_t lines = line_count(plot);
    struct plot_series series[MOST_LINES];
    double *numbers = xmalloc((3 * b->count * lines + 1) * sizeof *numbers);
    for (size_t s = 0; s < lines; s++) {
        const struct line *l = &plot->lines[s];
        double *x = numbers + 3 * b->count * s, *y = x + b->count, *spread = y + b->count;
        for (size_t i = 0; i < b->count; i++) {
            const json_t *band = json_array_get(b->items, i);
            x[i] = (double)i + 0.12 * ((double)s - 0.5 * (double)(lines - 1));
            y[i] = l->factor * gap_at(band, l->first, l->second, l->third);
            spread[i] = l->test ? l->factor * gap_at(band, "significance", l->test, l->interval) : NAN;
        }
        series[s] = (struct plot_series){ .label = l->label, .colour = l->colour, .x = x, .y = y, .count = b->count,
                                          .spread = spread };
    }
    if (anything(series, lines))
        plot_svg(out, &(struct plot){ .title = plot->title, .x_label = b->x_label, .y_label = plot->y_label,
                                      .series = series, .count = lines, .names = b->names, .name_count = b->count });
    free(numbers);
}

enum { COLOUR_TEACHER, COLOUR_STUDENT, COLOUR_TEACHER_GREEDY, COLOUR_STUDENT_GREEDY, COLOUR_BOTH,
       COLOUR_BOTH_GREEDY, COLOUR_IDEAL = 7 };

static const struct bands_plot output_plots[] = {
    { "BLEU", "BLEU", {
        { "teacher, beam", COLOUR_TEACHER, "teacher", "bleu_beam", NULL, 1, "bleu_beam", "teacher_interval" },
        { "student, beam", COLOUR_STUDENT, "student", "bleu_beam", NULL, 1, "bleu_beam", "student_interval" },
        { "teacher, greedy", COLOUR_TEACHER_GREEDY, "teacher", "bleu_greedy", NULL, 1, "bleu_greedy", "teacher_interval" },
        { "student, greedy", COLOUR_STUDENT_GREEDY, "student", "bleu_greedy", NULL, 1, "bleu_greedy", "student_interval" } } },
    { "chrF", "chrF", {
        { "teacher, beam", COLOUR_TEACHER, "teacher", "chrf_beam", NULL, 1, "chrf_beam", "teacher_interval" },
        { "student, beam", COLOUR_STUDENT, "student", "chrf_beam", NULL, 1, "chrf_beam", "student_interval" },
        { "teacher, greedy", COLOUR_TEACHER_GREEDY, "teacher", "chrf_greedy", NULL, 1, "chrf_greedy", "teacher_interval" },
        { "student, greedy", COLOUR_STUDENT_GREEDY, "student", "chrf_greedy", NULL, 1, "chrf_greedy", "student_interval" } } },
    { "Probability of its own output, p(ŷ)", "mean probability", {
        { "teacher, beam", COLOUR_TEACHER, "teacher", "mode_share", NULL, 1, NULL, NULL },
        { "student, beam", COLOUR_STUDENT, "student", "mode_share", NULL, 1, NULL, NULL } } },
    { "Equal outputs", "% of sentences", {
        { "both, beam", COLOUR_BOTH, "agreement", "beam", "exact", 100, NULL, NULL },
        { "both, greedy", COLOUR_BOTH_GREEDY, "agreement", "greedy", "exact", 100, NULL, NULL } } },
    { "Words in common", "% of words", {
        { "both, beam", COLOUR_BOTH, "agreement", "beam", "overlap", 100, NULL, NULL },
        { "both, greedy", COLOUR_BOTH_GREEDY, "agreement", "greedy", "overlap", 100, NULL, NULL } } },
};
static const struct bands_plot gold_plots[] = {
    { "NLL of gold, a token", "nats", {
        { "teacher", COLOUR_TEACHER, "teacher", "nll", NULL, 1, NULL, NULL },
        { "student", COLOUR_STUDENT, "student", "nll", NULL, 1, NULL, NULL } } },
    { "Calibration error on gold", "share of tokens", {
        { "teacher", COLOUR_TEACHER, "teacher", "calibration_error", NULL, 1, NULL, NULL },
        { "student", COLOUR_STUDENT, "student", "calibration_error", NULL, 1, NULL, NULL } } },
    { "Cross-entropy to the teacher on gold", "nats a token", {
        { "cross-entropy", COLOUR_STUDENT, "soft_cross_entropy", NULL, NULL, 1, NULL, NULL } } },
    { "Divergence from the teacher on gold", "nats a token", {
        { "divergence", COLOUR_STUDENT, "divergence", NULL, NULL, 1, NULL, NULL } } },
};
static const struct bands_plot piece_plots[] = {
    { "Pieces of the reference that come out: F1", "F1", {
        { "teacher, beam", COLOUR_TEACHER, "teacher", "f1_beam", NULL, 1, NULL, NULL },
        { "student, beam", COLOUR_STUDENT, "student", "f1_beam", NULL, 1, NULL, NULL },
        { "teacher, greedy", COLOUR_TEACHER_GREEDY, "teacher", "f1_greedy", NULL, 1, NULL, NULL },
        { "student, greedy", COLOUR_STUDENT_GREEDY, "student", "f1_greedy", NULL, 1, NULL, NULL } } },
    { "Probability of the pieces of its own output", "mean probability", {
        { "teacher, beam", COLOUR_TEACHER, "teacher", "piece_share", NULL, 1, NULL, NULL },
        { "student, beam", COLOUR_STUDENT, "student", "piece_share", NULL, 1, NULL, NULL } } },
    { "Pieces in common", "% of pieces", {
        { "both, beam", COLOUR_BOTH, "agreement", "beam", NULL, 100, NULL, NULL },
        { "both, greedy", COLOUR_BOTH_GREEDY, "agreement", "greedy", NULL, 100, NULL, NULL } } },
};

static void add_legend(struct strbuf *out)
{
    static const char *const names[] = { "teacher, beam", "student, beam", "teacher, greedy", "student, greedy",
                                         "both, beam", "both, greedy" };
    strbuf_puts(out, "<ul class=\"legend\">");
    for (int i = 0; i < (int)ARRAY_COUNT(names); i++) {
        strbuf_puts(out, "<li>");
        plot_swatch(out, i);
        strbuf_printf(out, "%s</li>", names[i]);
    }
    strbuf_puts(out, "</ul>\n");
}

static void add_plots(struct strbuf *out, const json_t *items, const char *x_label, const struct bands_plot *plots,
                      size_t count)
{
    struct bands b = bands_new(items, x_label);
    for (size_t i = 0; i < count && b.count; i++)
        add_plot(out, &b, &plots[i]);
    bands_free(&b);
}

static void add_lengths(struct strbuf *out, const json_t *gap)
{
    strbuf_puts(out, "<h2>By the length of the source</h2>\n");
    add_legend(out);
    strbuf_puts(out, "<div class=\"plots\">\n");
    add_plots(out, json_object_get(gap, "by_length"), "words of the source", output_plots, ARRAY_COUNT(output_plots));
    add_plots(out, json_object_get(gap, "gold_by_length"), "words of the source", gold_plots, ARRAY_COUNT(gold_plots));
    strbuf_puts(out, "</div>\n");
}

static void add_frequencies(struct strbuf *out, const json_t *gap)
{
    static const char label[] = "times that the piece was seen in training";
    if (!json_object_get(gap, "by_frequency"))
        return;
    strbuf_puts(out, "<h2>By how often a piece was seen in training</h2>\n");
    add_legend(out);
    strbuf_puts(out, "<div class=\"plots\">\n");
    add_plots(out, json_object_get(gap, "by_frequency"), label, piece_plots, ARRAY_COUNT(piece_plots));
    add_plots(out, json_object_get(gap, "gold_by_frequency"), label, gold_plots, ARRAY_COUNT(gold_plots));
    strbuf_puts(out, "</div>\n");
}

/* ---- calibration ---- */

#define MOST_BINS 100

/* How often the likeliest token is right, by the probability that it is given. */
static void add_calibration(struct strbuf *out, const json_t *gap)
{
    static const char *const names[] = { "teacher", "student" };
    double x[2][MOST_BINS], y[2][MOST_BINS], ideal[2] = { 0, 1 };
    struct plot_series series[3] = {
        { .label = "as sure as right", .colour = COLOUR_IDEAL, .x = ideal, .y = ideal, .count = 2, .bare = true } };
    const json_t *gold = json_object_get(gap, "gold");
    for (int model = 0; model < 2; model++) {
        const json_t *bins = json_object_get(json_object_get(gold, names[model]), "calibration");
        size_t count = json_array_size(bins) < MOST_BINS ? json_array_size(bins) : MOST_BINS;
        for (size_t i = 0; i < count; i++) {
            x[model][i] = gap_at(json_array_get(bins, i), "confidence", NULL, NULL);
            y[model][i] = gap_at(json_array_get(bins, i), "right", NULL, NULL);
        }
        series[1 + model] = (struct plot_series){ .label = names[model], .colour = model, .x = x[model], .y = y[model],
                                                  .count = count };
    }
    if (!gold)
        return;
    strbuf_puts(out, "<h2>Calibration</h2>\n<p>Of the gold tokens where a model gives its likeliest token this "
                     "probability, the share where that token is right: on the diagonal it is as sure as it is right, "
                     "below it too sure.</p>\n<div class=\"plots\">\n");
    plot_svg(out, &(struct plot){ .title = "Calibration on gold tokens", .x_label = "probability of the likeliest token",
                                  .y_label = "share of tokens where it is right", .series = series, .count = 3 });
    strbuf_puts(out, "</div>\n");
}

static void add_corpora(struct strbuf *out, const json_t *gap)
{
    const json_t *corpora = json_object_get(gap, "corpora");
    if (!corpora)
        return;
    char distilled[GAP_CELL], gold[GAP_CELL], faithful[GAP_CELL];
    gap_number(distilled, "%.4f", gap_at(corpora, "complexity", "distilled", NULL));
    gap_number(gold, "%.4f", gap_at(corpora, "complexity", "gold", NULL));
    gap_number(faithful, "%.4f", gap_at(corpora, "faithfulness", NULL, NULL));
    strbuf_printf(out, "<h2>The distilled corpus</h2>\n<p>Complexity %s nats, that of gold %s: the entropy of what a "
                  "source piece becomes. Faithfulness: %s nats from gold (0 is the same corpus).</p>\n", distilled, gold,
                  faithful);
}

void gap_page(struct strbuf *out, const json_t *gap, const char *title, const char *about)
{
    html_head(out, title, about, NULL);
    add_table(out, gap);
    add_agreement(out, gap);
    add_lengths(out, gap);
    add_frequencies(out, gap);
    add_calibration(out, gap);
    add_corpora(out, gap);
    strbuf_puts(out, "</body></html>\n");
}
