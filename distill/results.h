#ifndef DISTILL_RESULTS_H
#define DISTILL_RESULTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What the table tells of each model.  A row's key names the figure in the evaluate stage's
 * manifest and in table.json.  To add a column: measure it in stage_evaluate.c, add a row. */
struct column {
    const char *key;
    const char *title;          /* of the text table and the page */
    const char *explained;      /* one line for the page */
    const char *format;         /* of printf, for a double */
    int decimals;               /* kept in table.json: what is beyond them is noise */
    bool spread;                /* of several runs, the text tells the deviation, too */
};
#define COLUMNS 10
extern const struct column columns[COLUMNS + 1];         /* a row without a key ends it */

/* "12,345" for counts, "5:03" for seconds, the format otherwise; "–" where it was not measured. */
void column_text(char *text, size_t room, const struct column *c, double value);

/* The same from a row of results: "15.56", or "15.56 ±0.31" over several runs. */
void column_cell(char *text, size_t room, const struct column *c, const json_t *row);

/* The figure for table.json, rounded to its decimals; null where it was not measured. */
json_t *column_json(const struct column *c, double value);

/* results: row name → { key: number, … }, as in table.json; of several runs ("runs") the means, with
 * the standard deviations under the keys with SPREAD behind. */
#define SPREAD "_sd"
void results_print(const json_t *results, FILE *out);

#endif
