/* The table of a run as text. */
#include "distill/results.h"

#include <math.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/table.h"

#define COUNT "count"
#define TIME "time"

const struct column columns[COLUMNS + 1] = {
    { "parameters", "weights", "weights of the model", COUNT, 0 },
    { "bleu_greedy", "BLEU", "BLEU of the test set, greedy decoding", "%.2f", 4 },
    { "bleu_beam5", "BLEU b5", "BLEU of the test set, beam search", "%.2f", 4 },
    { "chrf_greedy", "chrF", "chrF2 of the test set, greedy decoding", "%.2f", 4 },
    { "chrf_beam5", "chrF b5", "chrF2 of the test set, beam search", "%.2f", 4 },
    { "perplexity", "ppl", "per token of the gold test targets", "%.2f", 4 },
    { "mode_share", "p(ŷ)", "mean probability that the model gives to its own best output", "%.4f", 6 },
    { "words_per_s_greedy", "w/s", "source words decoded a second, greedy", COUNT, 1 },
    { "words_per_s_beam5", "w/s b5", "source words decoded a second, beam search", COUNT, 1 },
    { "train_seconds", "training", "time of training, that of the starting weights included", TIME, 1 },
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

static void add_row(struct table *table, const char *name, char cells[][32])
{
    table_row(table, name, cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6],
              cells[7], cells[8], cells[9], NULL);
}

void results_print(const json_t *results, FILE *out)
{
    struct table table = { 0 };
    char cells[COLUMNS][32];
    const char *name;
    json_t *row;
    for (size_t i = 0; i < COLUMNS; i++)
        snprintf(cells[i], sizeof cells[i], "%s", columns[i].title);
    add_row(&table, "model", cells);
    json_object_foreach((json_t *)(uintptr_t)results, name, row) {
        for (size_t i = 0; i < COLUMNS; i++) {
            const json_t *value = json_object_get(row, columns[i].key);
            column_text(cells[i], sizeof cells[i], &columns[i],
                        json_is_number(value) ? json_number_value(value) : NAN);
        }
        add_row(&table, name, cells);
    }
    table_print(&table, out);
    fprintf(out, "\nb5: beam search, else greedy; ppl: perplexity of the gold targets, per token; p(ŷ): "
                 "mean probability\nthat the model gives to its own best output; w/s: source words "
                 "decoded a second\n");
    table_release(&table);
}
