/* The table of a run as text. */
#include "distill/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/table.h"

#define COUNT "count"
#define TIME "time"

const struct column columns[COLUMNS + 1] = {
    { "parameters", "weights", "weights of the model", COUNT, 0, false },
    { "bleu_greedy", "BLEU", "BLEU of the test set, greedy decoding", "%.2f", 4, true },
    { "bleu_beam5", "BLEU b5", "BLEU of the test set, beam search", "%.2f", 4, true },
    { "chrf_greedy", "chrF", "chrF2 of the test set, greedy decoding", "%.2f", 4, true },
    { "chrf_beam5", "chrF b5", "chrF2 of the test set, beam search", "%.2f", 4, true },
    { "perplexity", "ppl", "per token of the gold test targets", "%.2f", 4, true },
    { "mode_share", "p(ŷ)", "mean probability that the model gives to its own best output", "%.4f", 6, true },
    { "words_per_s_greedy", "w/s", "source words decoded a second, greedy", COUNT, 1, false },
    { "words_per_s_beam5", "w/s b5", "source words decoded a second, beam search", COUNT, 1, false },
    { "train_seconds", "training", "time of training, that of the starting weights included", TIME, 1, false },
    { 0 }
};

static void count_text(char *text, size_t room, double value)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%.0f", value);
    size_t n = 0;
    for (int i = 0; i < length && n + 2 < room; i++) {
        if (i && (length - i) % 3 == 0)
            text[n++] = ',';
        text[n++] = digits[i];
    }
    text[n] = '\0';
}

void column_text(char *text, size_t room, const struct column *c, double value)
{
    if (!isfinite(value))
        snprintf(text, room, "–");
    else if (!strcmp(c->format, COUNT))
        count_text(text, room, value);
    else if (!strcmp(c->format, TIME))
        snprintf(text, room, "%s", clock_text(value));
    else
        snprintf(text, room, c->format, value);
}

json_t *column_json(const struct column *c, double value)
{
    double scale = pow(10, c->decimals);
    if (!isfinite(value))
        return json_null();
    if (c->decimals == 0)
        return json_integer((json_int_t)llround(value));
    return json_real(round(value * scale) / scale);
}

#define CELL 48

static double number_of(const json_t *row, const char *key)
{
    const json_t *value = json_object_get(row, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

void column_cell(char *text, size_t room, const struct column *c, const json_t *row)
{
    char *key = xasprintf("%s" SPREAD, c->key), spread[CELL];
    double deviation = number_of(row, key);
    column_text(text, room, c, number_of(row, c->key));
    if (c->spread && isfinite(deviation)) {
        column_text(spread, sizeof spread, c, deviation);
        size_t length = strlen(text);
        snprintf(text + length, room - length, " ±%s", spread);
    }
    free(key);
}

static void add_row(struct table *table, const char *name, char cells[][CELL])
{
    const char *row[1 + COLUMNS] = { name };
    for (size_t i = 0; i < COLUMNS; i++)
        row[1 + i] = cells[i];
    table_cells(table, row, 1 + COLUMNS);
}

void results_print(const json_t *results, FILE *out)
{
    struct table table = { 0 };
    char cells[COLUMNS][CELL];
    const char *name;
    json_t *row;
    json_int_t runs = 0;
    for (size_t i = 0; i < COLUMNS; i++)
        snprintf(cells[i], sizeof cells[i], "%s", columns[i].title);
    add_row(&table, "model", cells);
    json_object_foreach((json_t *)(uintptr_t)results, name, row) {
        for (size_t i = 0; i < COLUMNS; i++)
            column_cell(cells[i], sizeof cells[i], &columns[i], row);
        add_row(&table, name, cells);
        json_int_t of_row = json_integer_value(json_object_get(row, "runs"));
        runs = of_row > runs ? of_row : runs;
    }
    table_print(&table, out);
    fprintf(out, "\nb5: beam search, else greedy; ppl: perplexity of the gold targets, per token; p(ŷ): "
                 "mean probability\nthat the model gives to its own best output; w/s: source words "
                 "decoded a second\n");
    if (runs > 1)
        fprintf(out, "±: standard deviation over %" JSON_INTEGER_FORMAT " seeds, beside their mean\n", runs);
    table_release(&table);
}
