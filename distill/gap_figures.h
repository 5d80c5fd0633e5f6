#ifndef DISTILL_GAP_FIGURES_H
#define DISTILL_GAP_FIGURES_H

#include <jansson.h>

/* Reading the gap's JSON (gap.h): what its text and its page have in common. */
#define GAP_CELL 48

/* The number at first, or first/second, or first/second/third; NAN where there is none. */
double gap_at(const json_t *object, const char *first, const char *second, const char *third);

/* "0.0123", "–" for what is not finite. */
void gap_number(char text[GAP_CELL], const char *format, double value);

/* "6-10", "61 and more" of a band; brief: "61+", "1k+", for an axis. */
void gap_band(char text[GAP_CELL], const json_t *band);
void gap_band_brief(char text[GAP_CELL], const json_t *band);

/* The rows of the first table: a figure of both models, in the whole or under "gold". */
struct gap_row_of_table {
    const char *title, *format, *key;
    const char *within;         /* NULL: the whole */
    int better;                 /* 1: more is better, -1: less */
};
#define GAP_ROWS 8
extern const struct gap_row_of_table gap_rows[GAP_ROWS];

/* Where such a row stands in the JSON; NULL: not measured. */
const json_t *gap_where(const json_t *gap, const struct gap_row_of_table *row);

#endif
