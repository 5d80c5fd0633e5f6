/* The gap as text. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/table.h"
#include "distill/gap.h"

#define CELL 40

/* A number at "teacher/nll" and the like, or NAN. */
static double at(const json_t *object, const char *first, const char *second)
{
    const json_t *it = json_object_get(object, first);
    if (second)
        it = json_object_get(it, second);
    return json_is_number(it) ? json_number_value(it) : NAN;
}

static void number(char *text, const char *format, double value)
{
    if (isfinite(value))
        snprintf(text, CELL, format, value);
    else
        snprintf(text, CELL, "–");
}

/* "6-10", "61 and more"; words or times. */
static void band_text(char *text, const json_t *band)
{
    json_int_t from = json_integer_value(json_object_get(band, "from"));
    const json_t *to = json_object_get(band, "to");
    if (!json_is_integer(to))
        snprintf(text, CELL, "%" JSON_INTEGER_FORMAT " and more", from);
    else if (json_integer_value(to) == from)
        snprintf(text, CELL, "%" JSON_INTEGER_FORMAT, from);
    else
        snprintf(text, CELL, "%" JSON_INTEGER_FORMAT "-%" JSON_INTEGER_FORMAT, from, json_integer_value(to));
}

static void both_row(struct table *t, const char *name, const char *format, const json_t *where, const char *key)
{
    char teacher[CELL], student[CELL], gap[CELL];
    double a = at(where, "teacher", key), b = at(where, "student", key);
    number(teacher, format, a);
    number(student, format, b);
    number(gap, format, b - a);
    table_row(t, name, teacher, student, gap, NULL);
}

static void print_all(const json_t *gap, FILE *out)
{
    const json_t *gold = json_object_get(gap, "gold");
    struct table t = { 0 };
    table_row(&t, "", "teacher", "student", "gap", NULL);
    both_row(&t, "BLEU, greedy", "%.2f", gap, "bleu_greedy");
    both_row(&t, "BLEU, beam", "%.2f", gap, "bleu_beam");
    both_row(&t, "chrF, greedy", "%.2f", gap, "chrf_greedy");
    both_row(&t, "chrF, beam", "%.2f", gap, "chrf_beam");
    both_row(&t, "p of its own output", "%.4f", gap, "mode_share");
    if (gold) {
        both_row(&t, "NLL of gold, a token", "%.4f", gold, "nll");
        both_row(&t, "gold is likeliest", "%.4f", gold, "right");
        both_row(&t, "calibration error", "%.4f", gold, "calibration_error");
    }
    table_print(&t, out);
    table_release(&t);
}

static void print_agreement(const json_t *gap, FILE *out)
{
    const json_t *agreement = json_object_get(gap, "agreement"), *gold = json_object_get(gap, "gold");
    fprintf(out, "\nequal outputs: %.1f%% greedy, %.1f%% by beam search; words in common: %.1f%%, %.1f%%\n",
            100 * at(agreement, "greedy", "exact"), 100 * at(agreement, "beam", "exact"),
            100 * at(agreement, "greedy", "overlap"), 100 * at(agreement, "beam", "overlap"));
    if (gold)
        fprintf(out, "student's cross-entropy to the teacher: %.4f a token, of which divergence %.4f\n",
                at(gold, "soft_cross_entropy", NULL), at(gold, "divergence", NULL));
    else
        fprintf(out, "the vocabularies differ, so distributions are not compared\n");
}

static void print_significance(const json_t *gap, FILE *out)
{
    const json_t *tests = json_object_get(gap, "significance");
    const char *name;
    json_t *it;
    json_object_foreach((json_t *)(uintptr_t)tests, name, it)
        fprintf(out, "%s: p = %.4f by paired bootstrap\n", name, at(it, "p", NULL));
}

static void print_lengths(const json_t *gap, FILE *out)
{
    struct table t = { 0 };
    json_t *band;
    size_t i;
    table_row(&t, "words", "lines", "BLEU teacher", "student", "gap", "equal", "in common", "p teacher", "student", NULL);
    json_array_foreach(json_object_get(gap, "by_length"), i, band) {
        char name[CELL], lines[CELL], cells[7][CELL];
        double a = at(band, "teacher", "bleu_beam"), b = at(band, "student", "bleu_beam");
        const json_t *agreement = json_object_get(band, "agreement");
        band_text(name, band);
        number(lines, "%.0f", at(band, "lines", NULL));
        number(cells[0], "%.2f", a);
        number(cells[1], "%.2f", b);
        number(cells[2], "%+.2f", b - a);
        number(cells[3], "%.1f%%", 100 * at(agreement, "beam", "exact"));
        number(cells[4], "%.1f%%", 100 * at(agreement, "beam", "overlap"));
        number(cells[5], "%.4f", at(band, "teacher", "mode_share"));
        number(cells[6], "%.4f", at(band, "student", "mode_share"));
        table_row(&t, name, lines, cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6], NULL);
    }
    fprintf(out, "\nby the length of the source, beam search\n\n");
    table_print(&t, out);
    table_release(&t);
}

static void print_frequencies(const json_t *gap, FILE *out)
{
    struct table t = { 0 };
    json_t *band;
    size_t i;
    if (!json_object_get(gap, "gold_by_frequency"))
        return;
    table_row(&t, "times seen", "tokens", "NLL teacher", "student", "right teacher", "student", "divergence", NULL);
    json_array_foreach(json_object_get(gap, "gold_by_frequency"), i, band) {
        char name[CELL], cells[6][CELL];
        band_text(name, band);
        number(cells[0], "%.0f", at(band, "tokens", NULL));
        number(cells[1], "%.4f", at(band, "teacher", "nll"));
        number(cells[2], "%.4f", at(band, "student", "nll"));
        number(cells[3], "%.4f", at(band, "teacher", "right"));
        number(cells[4], "%.4f", at(band, "student", "right"));
        number(cells[5], "%.4f", at(band, "divergence", NULL));
        table_row(&t, name, cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], NULL);
    }
    fprintf(out, "\nby how often the gold piece was seen in training\n\n");
    table_print(&t, out);
    table_release(&t);
}

static void print_corpora(const json_t *gap, FILE *out)
{
    const json_t *corpora = json_object_get(gap, "corpora");
    if (corpora)
        fprintf(out, "\ndistilled corpus: complexity %.4f nats (gold %.4f), faithfulness %.4f nats from gold\n",
                at(corpora, "complexity", "distilled"), at(corpora, "complexity", "gold"),
                at(corpora, "faithfulness", NULL));
}

void gap_print(const json_t *gap, FILE *out)
{
    print_all(gap, out);
    print_agreement(gap, out);
    print_significance(gap, out);
    print_lengths(gap, out);
    print_frequencies(gap, out);
    print_corpora(gap, out);
}
