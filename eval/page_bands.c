/* Figures by the length of the reference, by the frequency of words, and of sentences by score. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/html.h"
#include "base/memory.h"
#include "eval/page_part.h"

#define SCORE_BINS 11                   /* of sentences: 0–10 … 90–100, and more (TER) */

/* ---- a plot and a table ---- */

struct banded {
    const char *title, *x_label, *y_label, *first_column, *count_column;
    const char (*bands)[32];            /* (count) */
    const double *x, *sizes;            /* (count) where a band is drawn; how many are in it, NAN: not told */
    size_t count;
    const double *values;               /* (systems, count); NAN: none */
    bool log_x;
    int decimals;
};

static void put_banded_plot(const struct page_view *v, const struct banded *b)
{
    struct plot_series *series = xcalloc(v->systems, sizeof *series);
    char **notes = xcalloc(v->systems * b->count, sizeof *notes);
    for (size_t s = 0; s < v->systems; s++) {
        const double *values = b->values + s * b->count;
        for (size_t i = 0; i < b->count; i++)
            notes[s * b->count + i] = xasprintf("%.*f (%s)", b->decimals, values[i], b->bands[i]);
        series[s] = (struct plot_series){ v->names[s], (int)s, (double *)(uintptr_t)b->x,
                                          (double *)(uintptr_t)values, b->count,
                                          (const char *const *)notes + s * b->count };
    }
    plot_svg(v->out, &(struct plot){ b->title, b->x_label, b->y_label, b->log_x, series, v->systems });
    for (size_t i = 0; i < v->systems * b->count; i++)
        free(notes[i]);
    free(notes);
    free(series);
}

static void put_banded_table(const struct page_view *v, const struct banded *b)
{
    strbuf_printf(v->out, "<details><summary>%s in figures</summary>\n<div class=\"wide\"><table>\n<thead><tr>"
                  "<th>%s</th><th>%s</th>", b->title, b->first_column, b->count_column);
    for (size_t s = 0; s < v->systems; s++) {
        strbuf_puts(v->out, "<th>");
        html_text(v->out, v->names[s]);
        strbuf_puts(v->out, "</th>");
    }
    strbuf_puts(v->out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < b->count; i++) {
        if (b->sizes[i] == 0)
            continue;
        strbuf_printf(v->out, "<tr><td>%s</td><td>%.0f</td>", b->bands[i], b->sizes[i]);
        for (size_t s = 0; s < v->systems; s++) {
            double value = b->values[s * b->count + i];
            strbuf_puts(v->out, "<td>");
            if (!isnan(value))
                strbuf_printf(v->out, "%.*f", b->decimals, value);
            strbuf_puts(v->out, "</td>");
        }
        strbuf_puts(v->out, "</tr>\n");
    }
    strbuf_puts(v->out, "</tbody></table></div></details>\n");
}

/* The table of scores is one, too. */
static void put_legend(const struct page_view *v)
{
    if (v->systems > PLOT_COLOURS)
        return;
    strbuf_puts(v->out, "<ul class=\"legend\">");
    for (size_t s = 0; s < v->systems; s++) {
        strbuf_puts(v->out, "<li>");
        plot_swatch(v->out, (int)s);
        html_text(v->out, v->names[s]);
        strbuf_puts(v->out, "</li>");
    }
    strbuf_puts(v->out, "</ul>\n");
}

/* Where a band is drawn: its middle, on a logarithmic axis its geometric one. */
static double middle_of(const struct band *b, bool logarithmic)
{
    if (logarithmic && b->to == 0)
        return 0.3;
    if (b->to == UINT_MAX)
        return b->from * (logarithmic ? 2 : 1.15);
    return logarithmic ? sqrt((double)b->from * b->to) : (b->from + (double)b->to) / 2;
}

/* ---- by length ---- */

void page_lengths(const struct page_view *v)
{
    const struct eval_page *p = v->page;
    size_t lines[LENGTH_BANDS];
    double x[LENGTH_BANDS], sizes[LENGTH_BANDS];
    char names[LENGTH_BANDS][32];
    unsigned char *band_of = xcalloc(v->n + 1, 1);
    double *values = xcalloc(v->systems * LENGTH_BANDS * p->scores->count, sizeof *values);
    struct banded *all = xcalloc(p->scores->count, sizeof *all);

    length_bands_of(band_of, lines, p->set->refs, v->n);
    for (size_t b = 0; b < LENGTH_BANDS; b++) {
        band_text(names[b], &length_bands[b]);
        x[b] = middle_of(&length_bands[b], false);
        sizes[b] = (double)lines[b];
    }
    for (size_t m = 0; m < p->scores->count; m++) {
        double *own = values + m * v->systems * LENGTH_BANDS;
        const char *name = page_report(v, 0, m)->name;
        length_scores(own, p->metrics[m], p->config, v->rows[m], v->systems, v->n, band_of);
        all[m] = (struct banded){ name, "words of the reference", name, "words", "lines",
                                  (const char (*)[32])names, x, sizes, LENGTH_BANDS, own, false, p->scores->width };
    }
    strbuf_puts(v->out, "<h2>By the length of the reference</h2>\n");
    put_legend(v);
    strbuf_puts(v->out, "<div class=\"plots\">\n");
    for (size_t m = 0; m < p->scores->count; m++)
        put_banded_plot(v, &all[m]);
    strbuf_puts(v->out, "</div>\n");
    for (size_t m = 0; m < p->scores->count; m++)
        put_banded_table(v, &all[m]);
    free(all);
    free(values);
    free(band_of);
}

/* ---- by frequency ---- */

static void count_references(struct word_counts *counts, const struct page_view *v)
{
    struct diff_words words = { 0 };
    for (size_t i = 0; i < v->n; i++) {
        diff_read(&words, v->page->set->refs[i]);
        word_counts_add(counts, &words);
    }
    diff_release(&words);
}

void page_frequencies(const struct page_view *v, const struct text *const *hyps)
{
    const struct word_counts *training = v->page->training;
    struct word_counts own = { 0 };
    struct word_share *shares = xcalloc(v->systems * FREQUENCY_BANDS, sizeof *shares);
    double *values = xcalloc(v->systems * FREQUENCY_BANDS, sizeof *values);
    double x[FREQUENCY_BANDS], sizes[FREQUENCY_BANDS];
    char names[FREQUENCY_BANDS][32];

    if (!training)
        count_references(&own, v);
    word_shares(shares, training ? training : &own, hyps, v->systems, v->page->set->refs, v->n);
    for (size_t b = 0; b < FREQUENCY_BANDS; b++) {
        band_text(names[b], &frequency_bands[b]);
        x[b] = middle_of(&frequency_bands[b], true);
        sizes[b] = shares[b].ref;
        for (size_t s = 0; s < v->systems; s++)
            values[s * FREQUENCY_BANDS + b] = sizes[b] > 0 ? word_share_f1(&shares[s * FREQUENCY_BANDS + b]) : NAN;
    }
    struct banded b = { "F1 of words", training ? "times in the training text, logarithmic; 0 at the left"
                        : "times in the references, logarithmic", "F1 of words, %", "times", "words",
                        (const char (*)[32])names, x, sizes, FREQUENCY_BANDS, values, true, 1 };
    strbuf_puts(v->out, "<h2>By the frequency of words</h2>\n<p class=\"dim\">How well words are got that come so "
                        "often: F1 of a translation's words against its reference's, each word as often as it is "
                        "in both.</p>\n");
    put_legend(v);
    strbuf_puts(v->out, "<div class=\"plots\">\n");
    put_banded_plot(v, &b);
    strbuf_puts(v->out, "</div>\n");
    put_banded_table(v, &b);
    word_counts_release(&own);
    free(shares);
    free(values);
}

/* ---- sentences by their score ---- */

void page_sentence_scores(const struct page_view *v)
{
    double *values = xcalloc(v->systems * SCORE_BINS, sizeof *values), x[SCORE_BINS], sizes[SCORE_BINS];
    char names[SCORE_BINS][32], *title = xasprintf("Sentences by their %s", page_report(v, 0, 0)->name);
    size_t used = metric_falls(v->page->metrics[0]) ? SCORE_BINS : SCORE_BINS - 1;
    for (size_t s = 0; s < v->systems; s++)
        for (size_t i = 0; i < v->n; i++) {
            double at = v->sentences[s][i] / 10;
            size_t bin = at < (double)used ? (size_t)at : used - 1;
            values[s * used + bin] += 100. / (double)v->n;
        }
    for (size_t b = 0; b < used; b++) {
        x[b] = 10. * (double)b + 5;
        sizes[b] = NAN;
        snprintf(names[b], sizeof names[b], b < 10 ? "%zu–%zu" : "%zu and more", 10 * b, 10 * b + 10);
    }
    strbuf_puts(v->out, "<h2>Sentence by sentence</h2>\n");
    put_legend(v);
    strbuf_puts(v->out, "<div class=\"plots\">\n");
    put_banded_plot(v, &(struct banded){ title, "score of the sentence", "sentences, %", "score", "",
                                         (const char (*)[32])names, x, sizes, used, values, false, 1 });
    strbuf_puts(v->out, "</div>\n");
    free(title);
    free(values);
}
