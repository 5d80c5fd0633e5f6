/* Tables of systems, as sacreBLEU and tabulate, which it uses, draw them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/table.h"
#include "eval/report.h"

static const struct metric_report *report_at(const struct report_systems *r, size_t system, size_t metric)
{
    return &r->reports[system * r->count + metric];
}

/* ---- JSON ---- */

/* As Python's json.dumps: what is not ASCII is escaped, in UTF-16. */
static void put_string(struct strbuf *out, const char *string)
{
    struct text t = text_of(string);
    strbuf_putc(out, '"');
    for (size_t at = 0; at < t.length; ) {
        uint32_t c = text_next(t, &at);
        if (c == '"' || c == '\\')
            strbuf_printf(out, "\\%c", (char)c);
        else if (c >= 0x10000)
            strbuf_printf(out, "\\u%04x\\u%04x", 0xD800 + ((c - 0x10000) >> 10), 0xDC00 + (c & 0x3FF));
        else if (c < ' ' || c > '~')
            strbuf_printf(out, "\\u%04x", c);
        else
            strbuf_putc(out, (char)c);
    }
    strbuf_putc(out, '"');
}

static void put_number(struct strbuf *out, const char *key, double value)
{
    strbuf_printf(out, "            \"%s\": ", key);
    if (isnan(value))
        strbuf_puts(out, "null");
    else
        report_number(out, value);
}

static void put_result(struct strbuf *out, const struct metric_report *m)
{
    strbuf_puts(out, "{\n");
    put_number(out, "score", m->score);
    strbuf_puts(out, ",\n");
    put_number(out, "p_value", m->p);
    strbuf_puts(out, ",\n");
    put_number(out, "mean", m->mean);
    strbuf_puts(out, ",\n");
    put_number(out, "ci", m->interval);
    strbuf_puts(out, "\n        }");
}

void report_systems_json(struct strbuf *out, const struct report_systems *r)
{
    strbuf_puts(out, "[");
    for (size_t s = 0; s < r->systems; s++) {
        strbuf_puts(out, s ? ",\n    {\n        \"system\": " : "\n    {\n        \"system\": ");
        put_string(out, r->names[s]);
        for (size_t m = 0; m < r->count; m++) {
            const struct metric_report *one = report_at(r, s, m);
            strbuf_printf(out, ",\n        \"%s\": ", one->name);
            if (r->test != PAIRED_NONE)
                put_result(out, one);
            else
                strbuf_printf(out, "\"%.*f\"", r->width, one->score);
        }
        strbuf_puts(out, "\n    }");
    }
    strbuf_puts(out, "\n]\n");
}

/* ---- cells ---- */

/* Every cell is text of one line or two; row 0 is the header. */
struct grid {
    char **cells;               /* (rows, columns) */
    int *widths;                /* (columns) characters */
    size_t rows, columns;
};

static char **cell_at(const struct grid *g, size_t row, size_t column)
{
    return &g->cells[row * g->columns + column];
}

static char *score_cell(const struct report_systems *r, const struct metric_report *m, char divider)
{
    struct strbuf cell = { 0 };
    strbuf_printf(&cell, "%.*f", r->width, m->score);
    if (!isnan(m->mean))
        strbuf_printf(&cell, " (%.*f ± %.*f)", r->width, m->mean, r->width, m->interval);
    if (!isnan(m->p))
        strbuf_printf(&cell, "%c(p = %.4f)%s", divider, m->p, m->p > 0.05 ? "" : "*");
    return strbuf_detach(&cell);
}

static int widest_line(const char *cell)
{
    int widest = 0;
    for (;;) {
        size_t length = strcspn(cell, "\n");
        char *line = xstrndup(cell, length);
        int width = text_columns(line);
        widest = width > widest ? width : widest;
        free(line);
        if (!cell[length])
            return widest;
        cell += length + 1;
    }
}

/* A header is as wide as its text and two more. */
static void fill_grid(struct grid *g, const struct report_systems *r, char divider)
{
    *g = (struct grid){ .rows = r->systems + 1, .columns = r->count + 1 };
    g->cells = xcalloc(g->rows * g->columns, sizeof *g->cells);
    g->widths = xcalloc(g->columns, sizeof *g->widths);
    *cell_at(g, 0, 0) = xstrdup("System");
    for (size_t m = 0; m < r->count; m++)
        *cell_at(g, 0, m + 1) = xasprintf("%s%s", report_at(r, 0, m)->name,
                                          r->test == PAIRED_BOOTSTRAP ? " (μ ± 95% CI)" : "");
    for (size_t s = 0; s < r->systems; s++) {
        *cell_at(g, s + 1, 0) = xstrdup(r->names[s]);
        for (size_t m = 0; m < r->count; m++)
            *cell_at(g, s + 1, m + 1) = score_cell(r, report_at(r, s, m), divider);
    }
    for (size_t row = 0; row < g->rows; row++)
        for (size_t c = 0; c < g->columns; c++) {
            int width = widest_line(*cell_at(g, row, c)) + (row == 0 ? 2 : 0);
            g->widths[c] = width > g->widths[c] ? width : g->widths[c];
        }
}

static void release_grid(struct grid *g)
{
    for (size_t i = 0; i < g->rows * g->columns; i++)
        free(g->cells[i]);
    free(g->cells);
    free(g->widths);
}

/* The names to the right, figures in the middle. */
static char *padded(const struct grid *g, size_t column, const char *text, size_t length)
{
    char *line = xstrndup(text, length);
    int spare = g->widths[column] - text_columns(line);
    int left = column == 0 ? spare : spare / 2;
    char *cell = xasprintf(" %*s%s%*s ", left, "", line, spare - left, "");
    free(line);
    return cell;
}

/* ---- text ---- */

static void put_rule(struct strbuf *out, const struct grid *g, const char *left, const char *line,
                     const char *cross, const char *right)
{
    strbuf_puts(out, left);
    for (size_t c = 0; c < g->columns; c++) {
        for (int i = 0; i < g->widths[c] + 2; i++)
            strbuf_puts(out, line);
        strbuf_puts(out, c + 1 < g->columns ? cross : right);
    }
    strbuf_putc(out, '\n');
}

/* The given line of each cell; false when no cell has that many. */
static bool put_grid_line(struct strbuf *out, const struct grid *g, size_t row, int line)
{
    struct strbuf all = { 0 };
    bool any = false;
    strbuf_puts(&all, "│");
    for (size_t c = 0; c < g->columns; c++) {
        const char *text = *cell_at(g, row, c);
        for (int i = 0; i < line && text; i++) {
            text = strchr(text, '\n');
            text = text ? text + 1 : NULL;
        }
        any |= text != NULL;
        char *cell = padded(g, c, text ? text : "", text ? strcspn(text, "\n") : 0);
        strbuf_puts(&all, cell);
        strbuf_puts(&all, "│");
        free(cell);
    }
    if (any) {
        strbuf_add(out, all.text, all.length);
        strbuf_putc(out, '\n');
    }
    strbuf_release(&all);
    return any;
}

static void put_grid(struct strbuf *out, const struct report_systems *r)
{
    struct grid g;
    fill_grid(&g, r, '\n');
    put_rule(out, &g, "╒", "═", "╤", "╕");
    for (size_t row = 0; row < g.rows; row++) {
        for (int line = 0; put_grid_line(out, &g, row, line); line++)
            ;
        if (row + 1 == g.rows)
            put_rule(out, &g, "╘", "═", "╧", "╛");
        else if (row == 0)
            put_rule(out, &g, "╞", "═", "╪", "╡");
        else
            put_rule(out, &g, "├", "─", "┼", "┤");
    }
    strbuf_putc(out, '\n');
    release_grid(&g);
}

static void put_dashes(struct strbuf *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        strbuf_putc(out, '-');
    strbuf_putc(out, '\n');
}

static void put_explanation(struct strbuf *out, const struct report_systems *r)
{
    bool bootstrap = r->test == PAIRED_BOOTSTRAP;
    char *title = xasprintf("Paired %s test with %d %s",
                            bootstrap ? "bootstrap resampling" : "approximate randomization", r->samples,
                            bootstrap ? "resampling trials" : "trials");
    put_dashes(out, strlen(title));
    strbuf_printf(out, "%s\n", title);
    put_dashes(out, strlen(title));
    strbuf_printf(out, " - Each system is pairwise compared to %s.\n   Actual system score %s for each metric.\n\n",
                  r->names[0], bootstrap ? "/ bootstrap estimated true mean / 95% CI are provided" : "is provided");
    strbuf_puts(out,
        " - Null hypothesis: the system and the baseline translations are essentially\n"
        "   generated by the same underlying process. For a given system and the baseline,\n"
        "   the p-value is roughly the probability of the absolute score difference (delta)\n"
        "   or higher occurring due to chance, under the assumption that the null hypothesis is correct.\n\n"
        " - Assuming a significance threshold of 0.05, the null hypothesis can be rejected\n"
        "   for p-values < 0.05 (marked with \"*\"). This means that the delta is unlikely to be attributed\n"
        "   to chance, hence the system is significantly \"different\" than the baseline.\n"
        "   Otherwise, the p-values are highlighted in red.\n\n"
        " - NOTE: Significance does not tell whether a system is \"better\" than the baseline but rather\n"
        "   emphasizes the \"difference\" of the systems in terms of the replicability of the delta.\n\n");
    free(title);
}

/* What stands below the table. */
static void put_foot(struct strbuf *out, const struct report_systems *r)
{
    if (r->test != PAIRED_NONE)
        put_explanation(out, r);
    put_dashes(out, 17);
    strbuf_puts(out, "Metric signatures\n");
    put_dashes(out, 17);
    for (size_t m = 0; m < r->count; m++) {
        strbuf_printf(out, " - %-10s ", report_at(r, 0, m)->name);
        report_signature(out, report_at(r, 0, m), r->short_keys);
        strbuf_putc(out, '\n');
    }
}

void report_systems_text(struct strbuf *out, const struct report_systems *r)
{
    put_grid(out, r);
    put_foot(out, r);
}

/* ---- LaTeX ---- */

static void put_latex(struct strbuf *out, const char *text)
{
    static const char *const escapes[][2] = {
        { "&", "\\&" }, { "%", "\\%" }, { "$", "\\$" }, { "#", "\\#" }, { "_", "\\_" },
        { "^", "\\^{}" }, { "{", "\\{" }, { "}", "\\}" }, { "~", "\\textasciitilde{}" },
        { "\\", "\\textbackslash{}" }, { "<", "\\ensuremath{<}" }, { ">", "\\ensuremath{>}" },
    };
    for (; *text; text++) {
        size_t i = 0;
        while (i < ARRAY_COUNT(escapes) && escapes[i][0][0] != *text)
            i++;
        if (i < ARRAY_COUNT(escapes))
            strbuf_puts(out, escapes[i][1]);
        else
            strbuf_putc(out, *text);
    }
}

void report_systems_latex(struct strbuf *out, const struct report_systems *r)
{
    struct grid g;
    fill_grid(&g, r, ' ');
    strbuf_puts(out, "\\begin{tabular}{r");
    for (size_t m = 0; m < r->count; m++)
        strbuf_putc(out, 'c');
    strbuf_puts(out, "}\n\\toprule\n");
    for (size_t row = 0; row < g.rows; row++) {
        for (size_t c = 0; c < g.columns; c++) {
            const char *text = *cell_at(&g, row, c);
            char *cell = padded(&g, c, text, strlen(text));
            put_latex(out, cell);
            strbuf_puts(out, c + 1 < g.columns ? "&" : "\\\\\n");
            free(cell);
        }
        if (row == 0)
            strbuf_puts(out, "\\midrule\n");
    }
    strbuf_puts(out, "\\bottomrule\n\\end{tabular}\n\n");
    release_grid(&g);
    put_foot(out, r);
}
