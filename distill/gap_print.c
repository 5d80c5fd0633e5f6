/* The gap as text. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/table.h"
#include "distill/gap.h"
#include "distill/gap_figures.h"

static void print_all(const json_t *gap, FILE *out)
{
    struct table t = { 0 };
    table_row(&t, "", "teacher", "student", "gap", "p", NULL);
    for (int i = 0; i < GAP_ROWS; i++) {
        const struct gap_row_of_table *row = &gap_rows[i];
        const json_t *where = gap_where(gap, row);
        char teacher[GAP_CELL], student[GAP_CELL], between[GAP_CELL], p[GAP_CELL];
        double a = gap_at(where, "teacher", row->key, NULL), b = gap_at(where, "student", row->key, NULL);
        if (!isfinite(a) && !isfinite(b))       /* not measured */
            continue;
        gap_number(teacher, row->format, a);
        gap_number(student, row->format, b);
        gap_number(between, row->format, b - a);
        gap_number(p, "%.4f", gap_at(where, "significance", row->key, "p"));
        table_row(&t, row->title, teacher, student, between, p, NULL);
    }
    table_print(&t, out);
    table_release(&t);
    fprintf(out, "p: paired bootstrap of %.0f samples\n", gap_at(gap, "samples", NULL, NULL));
}

static void print_agreement(const json_t *gap, FILE *out)
{
    const json_t *gold = json_object_get(gap, "gold");
    fprintf(out, "\nequal outputs: %.1f%% greedy, %.1f%% by beam search; words in common: %.1f%%, %.1f%%\n",
            100 * gap_at(gap, "agreement", "greedy", "exact"), 100 * gap_at(gap, "agreement", "beam", "exact"),
            100 * gap_at(gap, "agreement", "greedy", "overlap"), 100 * gap_at(gap, "agreement", "beam", "overlap"));
    if (isfinite(gap_at(gold, "soft_cross_entropy", NULL, NULL)))
        fprintf(out, "student's cross-entropy to the teacher: %.4f a token, of which divergence %.4f\n",
                gap_at(gold, "soft_cross_entropy", NULL, NULL), gap_at(gold, "divergence", NULL, NULL));
    else
        fprintf(out, "the vocabularies differ, so distributions are not compared; calibration is of each model's own pieces\n");
}

/* A column of a table of bands: a number at a path, in the format, times a factor. */
struct band_column {
    const char *title, *format, *first, *second, *third;
    double factor;
};
#define MOST_COLUMNS 10

static void print_bands(const json_t *bands, const char *heading, const char *of, const struct band_column *columns,
                        FILE *out)
{
    struct table t = { 0 };
    const char *row[MOST_COLUMNS + 1] = { of };
    char cells[MOST_COLUMNS + 1][GAP_CELL];
    size_t count = 1, i;
    json_t *band;
    if (!json_array_size(bands))
        return;
    for (const struct band_column *c = columns; c->title; c++)
        row[count++] = c->title;
    table_cells(&t, row, count);
    json_array_foreach((json_t *)(uintptr_t)bands, i, band) {
        gap_band(cells[0], band);
        for (size_t k = 1; k < count; k++) {
            const struct band_column *c = &columns[k - 1];
            gap_number(cells[k], c->format, c->factor * gap_at(band, c->first, c->second, c->third));
        }
        for (size_t k = 0; k < count; k++)
            row[k] = cells[k];
        table_cells(&t, row, count);
    }
    fprintf(out, "\n%s\n\n", heading);
    table_print(&t, out);
    table_release(&t);
}

static const struct band_column of_lengths[] = {
    { "lines", "%.0f", "lines", NULL, NULL, 1 },
    { "BLEU teacher", "%.2f", "teacher", "bleu_beam", NULL, 1 },
    { "student", "%.2f", "student", "bleu_beam", NULL, 1 },
    { "p", "%.4f", "significance", "bleu_beam", "p", 1 },
    { "equal", "%.1f%%", "agreement", "beam", "exact", 100 },
    { "in common", "%.1f%%", "agreement", "beam", "overlap", 100 },
    { "p(ŷ) teacher", "%.4f", "teacher", "mode_share", NULL, 1 },
    { "student", "%.4f", "student", "mode_share", NULL, 1 },
    { 0 }
};
static const struct band_column of_gold_lengths[] = {
    { "tokens", "%.0f", "tokens", NULL, NULL, 1 },
    { "NLL teacher", "%.4f", "teacher", "nll", NULL, 1 },
    { "student", "%.4f", "student", "nll", NULL, 1 },
    { "p", "%.4f", "significance", "nll", "p", 1 },
    { "calibration teacher", "%.4f", "teacher", "calibration_error", NULL, 1 },
    { "student", "%.4f", "student", "calibration_error", NULL, 1 },
    { "soft", "%.4f", "soft_cross_entropy", NULL, NULL, 1 },
    { "divergence", "%.4f", "divergence", NULL, NULL, 1 },
    { 0 }
};
static const struct band_column of_frequencies[] = {
    { "in gold", "%.0f", "reference_pieces", NULL, NULL, 1 },
    { "F1 teacher", "%.4f", "teacher", "f1_beam", NULL, 1 },
    { "student", "%.4f", "student", "f1_beam", NULL, 1 },
    { "p", "%.4f", "significance", "f1_beam", "p", 1 },
    { "in common", "%.1f%%", "agreement", "beam", NULL, 100 },
    { "p of its own: teacher", "%.4f", "teacher", "piece_share", NULL, 1 },
    { "student", "%.4f", "student", "piece_share", NULL, 1 },
    { 0 }
};

static void print_corpora(const json_t *gap, FILE *out)
{
    const json_t *corpora = json_object_get(gap, "corpora");
    char distilled[GAP_CELL], gold[GAP_CELL], faithful[GAP_CELL];
    gap_number(distilled, "%.4f", gap_at(corpora, "complexity", "distilled", NULL));
    gap_number(gold, "%.4f", gap_at(corpora, "complexity", "gold", NULL));
    gap_number(faithful, "%.4f", gap_at(corpora, "faithfulness", NULL, NULL));
    if (corpora)
        fprintf(out, "\ndistilled corpus: complexity %s nats (gold %s), faithfulness %s nats from gold\n", distilled, gold,
                faithful);
}

void gap_print(const json_t *gap, FILE *out)
{
    print_all(gap, out);
    print_agreement(gap, out);
    print_bands(json_object_get(gap, "by_length"), "by the length of the source: outputs of beam search", "words",
                of_lengths, out);
    print_bands(json_object_get(gap, "gold_by_length"), "by the length of the source: gold", "words", of_gold_lengths,
                out);
    print_bands(json_object_get(gap, "by_frequency"),
                "by how often the piece was seen in training: outputs of beam search", "times seen", of_frequencies, out);
    print_bands(json_object_get(gap, "gold_by_frequency"), "by how often the gold piece was seen in training",
                "times seen", of_gold_lengths, out);
    print_corpora(gap, out);
}
