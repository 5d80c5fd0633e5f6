/* sacreBLEU's text and JSON. */
#include "eval/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/table.h"

/* ---- signatures ---- */

/* The next "key:value" of a signature; false at its end. */
static bool next_field(const char **at, struct text *key, struct text *value)
{
    if (!**at)
        return false;
    size_t length = strcspn(*at, "|"), split = strcspn(*at, ":");
    *key = (struct text){ *at, split };
    *value = (struct text){ *at + split + 1, length - split - 1 };
    *at += length;
    *at += **at == '|';
    return true;
}

static void put_key(struct strbuf *out, struct text key, bool short_keys)
{
    static const char *const shorts[][2] = {
        { "nrefs", "#" }, { "case", "c" }, { "eff", "e" }, { "smooth", "s" }, { "space", "s" },
        { "version", "v" },
    };
    for (size_t i = 0; short_keys && i < ARRAY_COUNT(shorts); i++)
        if (strlen(shorts[i][0]) == key.length && !memcmp(shorts[i][0], key.bytes, key.length)) {
            strbuf_puts(out, shorts[i][1]);
            return;
        }
    strbuf_add(out, key.bytes, key.length);
}

void report_signature(struct strbuf *out, const struct metric_report *r, bool short_keys)
{
    const char *at = r->signature;
    struct text key, value;
    while (next_field(&at, &key, &value)) {
        put_key(out, key, short_keys);
        strbuf_putc(out, ':');
        strbuf_add(out, value.bytes, value.length);
        if (*at)
            strbuf_putc(out, '|');
    }
}

/* ---- text ---- */

static void put_name(struct strbuf *out, const struct metric_report *r, bool short_keys)
{
    strbuf_puts(out, r->name);
    strbuf_putc(out, '|');
    report_signature(out, r, short_keys);
}

static void put_figures(struct strbuf *out, const struct metric_report *r, int width)
{
    strbuf_printf(out, " = %.*f", width, r->score);
    if (*r->verbose)
        strbuf_printf(out, " %s", r->verbose);
}

void report_text(struct strbuf *out, const struct metric_report *r, int width, bool short_keys)
{
    put_name(out, r, short_keys);
    put_figures(out, r, width);
}

void report_texts(struct strbuf *out, const struct metric_report *reports, size_t count, int width,
                  bool short_keys)
{
    struct strbuf name = { 0 };
    size_t widest = 0;
    for (size_t i = 0; i < count; i++) {
        strbuf_reset(&name);
        put_name(&name, &reports[i], short_keys);
        widest = name.length > widest ? name.length : widest;
    }
    for (size_t i = 0; i < count; i++) {
        strbuf_reset(&name);
        put_name(&name, &reports[i], short_keys);
        strbuf_printf(out, "%*s", (int)widest, name.text);
        put_figures(out, &reports[i], width);
        strbuf_putc(out, '\n');
    }
    strbuf_release(&name);
}

/* ---- JSON ---- */

/* The shortest decimal that reads back as the same double, as Python's repr. */
static void put_shortest(struct strbuf *out, double value)
{
    char text[40];
    int digits = 0;
    do
        snprintf(text, sizeof text, "%.*e", digits++, value);
    while (strtod(text, NULL) != value);

    int exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    if (exponent < -4 || exponent > 15) {
        strbuf_puts(out, text);
        return;
    }
    int decimals = digits - 1 - exponent;
    strbuf_printf(out, "%.*f", decimals > 1 ? decimals : 1, value);
}

static void put_member(struct strbuf *out, const char *divider, struct text key, struct text value)
{
    strbuf_puts(out, divider);
    strbuf_putc(out, '"');
    strbuf_add(out, key.bytes, key.length);
    strbuf_puts(out, "\": \"");
    strbuf_add(out, value.bytes, value.length);
    strbuf_putc(out, '"');
}

/* The score is rounded to `width` decimals before it is written as short as it can be.  No value
 * holds a character that JSON would escape. */
void report_json(struct strbuf *out, const struct metric_report *r, int width, bool one_line)
{
    const char *divider = one_line ? ", " : ",\n ", *at = r->signature;
    struct text key, value;
    char rounded[400];

    snprintf(rounded, sizeof rounded, "%.*f", width, r->score);
    put_member(out, one_line ? "{" : "{\n ", text_of("name"), text_of(r->name));
    strbuf_printf(out, "%s\"score\": ", divider);
    put_shortest(out, strtod(rounded, NULL));
    put_member(out, divider, text_of("signature"), text_of(r->signature));
    if (*r->verbose)
        put_member(out, divider, text_of("verbose_score"), text_of(r->verbose));
    while (next_field(&at, &key, &value))
        put_member(out, divider, key, value);
    strbuf_puts(out, one_line ? "}" : "\n}");
}

void report_jsons(struct strbuf *out, const struct metric_report *reports, size_t count, int width)
{
    if (count != 1)
        strbuf_puts(out, "[\n");
    for (size_t i = 0; i < count; i++) {
        report_json(out, &reports[i], width, false);
        strbuf_puts(out, i + 1 < count ? ",\n" : "\n");
    }
    if (count != 1)
        strbuf_puts(out, "]\n");
}

/* ---- several systems ---- */

static void add_row(struct table *t, const char *first, char *const *cell)
{
    table_row(t, first, cell[0], cell[1], cell[2], cell[3], cell[4], cell[5], cell[6], cell[7],
              NULL);
}

static void print_table(struct strbuf *out, const struct table *t)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    table_print(t, stream);
    fclose(stream);
    strbuf_add(out, text, length);
    free(text);
}

void report_systems_text(struct strbuf *out, const char *const *names, size_t systems,
                         const struct metric_report *reports, size_t count, int width,
                         bool short_keys)
{
    struct table table = { 0 };
    char *cell[REPORT_METRICS_MAX] = { 0 };     /* NULL ends a row */

    for (size_t m = 0; m < count; m++)
        cell[m] = xstrdup(reports[m].name);
    add_row(&table, "System", cell);
    for (size_t s = 0; s < systems; s++) {
        for (size_t m = 0; m < count; m++) {
            free(cell[m]);
            cell[m] = xasprintf("%.*f", width, reports[s * count + m].score);
        }
        add_row(&table, names[s], cell);
    }
    print_table(out, &table);
    table_release(&table);
    strbuf_puts(out, "\nsignatures\n");
    for (size_t m = 0; m < count; m++) {
        free(cell[m]);
        strbuf_printf(out, " - %-10s ", reports[m].name);
        report_signature(out, &reports[m], short_keys);
        strbuf_putc(out, '\n');
    }
}

void report_systems_json(struct strbuf *out, const char *const *names, size_t systems,
                         const struct metric_report *reports, size_t count, int width)
{
    json_t *all = json_array();
    for (size_t s = 0; s < systems; s++) {
        json_t *one = json_pack("{s:s}", "system", names[s]);
        for (size_t m = 0; m < count; m++) {
            char *score = xasprintf("%.*f", width, reports[s * count + m].score);
            json_object_set_new(one, reports[s * count + m].name, json_string(score));
            free(score);
        }
        json_array_append_new(all, one);
    }
    char *text = json_dumps(all, JSON_INDENT(4) | JSON_ENSURE_ASCII);
    strbuf_puts(out, text);
    strbuf_putc(out, '\n');
    free(text);
    json_decref(all);
}
