/* sacreBLEU's text and JSON. */
#include "eval/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

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

static void put_key(struct strbuf *out, const char *metric, struct text key, bool short_keys)
{
    static const char *const shorts[][2] = {
        { "nrefs", "#" }, { "case", "c" }, { "eff", "e" }, { "smooth", "s" }, { "space", "s" },
        { "version", "v" }, { "seed", "rs" },
        { "norm", "nr" }, { "punct", "pn" }, { "asian", "as" },
    };
    if (short_keys && key.length == 3 && !memcmp(key.bytes, "tok", 3) && strstr(metric, "TER"))
        key.length = 1;                 /* sacreBLEU's BLEU leaves it long */
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
        put_key(out, r->name, key, short_keys);
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

/* "27.0 (μ = 27.0 ± 0.6)", or the score alone. */
static void put_score(struct strbuf *out, const struct metric_report *r, int width)
{
    strbuf_printf(out, "%.*f", width, r->score);
    if (r->mean > 0)
        strbuf_printf(out, " (μ = %.*f ± %.*f)", width, r->mean, width, r->interval);
}

static void put_figures(struct strbuf *out, const struct metric_report *r, int width)
{
    strbuf_puts(out, " = ");
    put_score(out, r, width);
    if (*r->verbose)
        strbuf_printf(out, " %s", r->verbose);
}

void report_scores(struct strbuf *out, const struct metric_report *reports, size_t count, int width, bool json)
{
    bool array = json && count > 1;
    strbuf_puts(out, array ? "[\n" : "");
    for (size_t i = 0; i < count; i++) {
        put_score(out, &reports[i], width);
        strbuf_puts(out, array && i + 1 < count ? ",\n" : "\n");
    }
    strbuf_puts(out, array ? "]\n" : "");
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
void report_number(struct strbuf *out, double value)
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

static void put_rounded(struct strbuf *out, double value, int width)
{
    char rounded[400];
    snprintf(rounded, sizeof rounded, "%.*f", width, value);
    report_number(out, strtod(rounded, NULL));
}

/* The score is rounded to `width` decimals before it is written as short as it can be.  No value
 * holds a character that JSON would escape. */
void report_json(struct strbuf *out, const struct metric_report *r, int width, bool one_line)
{
    const char *divider = one_line ? ", " : ",\n ", *at = r->signature;
    struct text key, value;

    put_member(out, one_line ? "{" : "{\n ", text_of("name"), text_of(r->name));
    strbuf_printf(out, "%s\"score\": ", divider);
    put_rounded(out, r->score, width);
    put_member(out, divider, text_of("signature"), text_of(r->signature));
    if (r->mean > 0) {
        strbuf_printf(out, "%s\"confidence_mean\": ", divider);
        put_rounded(out, r->mean, width);
        strbuf_printf(out, "%s\"confidence_var\": ", divider);
        put_rounded(out, r->interval, width);
        strbuf_printf(out, "%s\"confidence\": \"μ = %.*f ± %.*f\"", divider, width, r->mean, width, r->interval);
    }
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
