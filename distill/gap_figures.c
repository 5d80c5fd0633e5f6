#include "distill/gap_figures.h"

#include <math.h>
#include <stdio.h>

const struct gap_row_of_table gap_rows[GAP_ROWS] = {
    { "BLEU, greedy", "%.2f", "bleu_greedy", NULL, 1 },
    { "BLEU, beam", "%.2f", "bleu_beam", NULL, 1 },
    { "chrF, greedy", "%.2f", "chrf_greedy", NULL, 1 },
    { "chrF, beam", "%.2f", "chrf_beam", NULL, 1 },
    { "p of its own output", "%.4f", "mode_share", NULL, 1 },
    { "NLL of gold, a token", "%.4f", "nll", "gold", -1 },
    { "gold is likeliest", "%.4f", "right", "gold", 1 },
    { "calibration error", "%.4f", "calibration_error", "gold", -1 },
};

const json_t *gap_where(const json_t *gap, const struct gap_row_of_table *row)
{
    return row->within ? json_object_get(gap, row->within) : gap;
}

double gap_at(const json_t *object, const char *first, const char *second, const char *third)
{
    const json_t *it = json_object_get(object, first);
    if (second)
        it = json_object_get(it, second);
    if (third)
        it = json_object_get(it, third);
    return json_is_number(it) ? json_number_value(it) : NAN;
}

void gap_number(char text[GAP_CELL], const char *format, double value)
{
    char number[GAP_CELL - 1];
    snprintf(number, sizeof number, format, value);
    snprintf(text, GAP_CELL, "%s", isfinite(value) ? number : "–");
}

void gap_band(char text[GAP_CELL], const json_t *band)
{
    json_int_t from = json_integer_value(json_object_get(band, "from"));
    const json_t *to = json_object_get(band, "to");
    if (!json_is_integer(to))
        snprintf(text, GAP_CELL, "%" JSON_INTEGER_FORMAT " and more", from);
    else if (json_integer_value(to) == from)
        snprintf(text, GAP_CELL, "%" JSON_INTEGER_FORMAT, from);
    else
        snprintf(text, GAP_CELL, "%" JSON_INTEGER_FORMAT "-%" JSON_INTEGER_FORMAT, from, json_integer_value(to));
}

/* Bands of frequencies begin at powers of ten and reach to the next. */
void gap_band_brief(char text[GAP_CELL], const json_t *band)
{
    json_int_t from = json_integer_value(json_object_get(band, "from"));
    const json_t *to = json_object_get(band, "to");
    if (from >= 1000)
        snprintf(text, GAP_CELL, from >= 1000000 ? "%" JSON_INTEGER_FORMAT "M+" : "%" JSON_INTEGER_FORMAT "k+",
                 from >= 1000000 ? from / 1000000 : from / 1000);
    else if (!json_is_integer(to))
        snprintf(text, GAP_CELL, "%" JSON_INTEGER_FORMAT "+", from);
    else
        gap_band(text, band);
}
