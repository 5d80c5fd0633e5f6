/* The rows as tables of docs/options.md. */
#include <string.h>

#include "base/option.h"
#include "base/option_row.h"
#include "base/strbuf.h"

/* What Markdown would take for something else, or for the end of a cell. */
static void add_escaped(struct strbuf *b, const char *text)
{
    for (; *text; text++) {
        if (*text == '<')
            strbuf_puts(b, "&lt;");
        else if (strchr("|*_`\\", *text))
            strbuf_printf(b, "\\%c", *text);
        else
            strbuf_putc(b, *text);
    }
}

static bool is_on(const struct option *o)
{
    return o->kind == OPTION_FLAG && o->fallback && !strcmp(o->fallback, "true");
}

static void add_name(struct strbuf *b, const struct option *o, const char *dashes)
{
    if (o->letter && *dashes)
        strbuf_printf(b, "`-%c` ", o->letter);
    strbuf_printf(b, "`%s%s%s`", dashes, is_on(o) && *dashes ? "[no-]" : "", o->name);
    if (o->alias && *dashes)
        strbuf_printf(b, " `-%s`", o->alias);
}

static void add_values(struct strbuf *b, const struct option *o)
{
    static const char *const kinds[] = {
        [OPTION_FLAG] = "", [OPTION_INT] = "integer", [OPTION_LONG] = "integer",
        [OPTION_FLOAT] = "number", [OPTION_STRING] = "text", [OPTION_CHOICE] = "",
        [OPTION_LIST] = "texts", [OPTION_SIZE] = "bytes, as 300M or 4G",
        [OPTION_COURSE] = "number or [course](cookbook.md#weights-that-change)"
    };
    char range[80];
    strbuf_puts(b, kinds[o->kind]);
    if (o->kind == OPTION_CHOICE) {
        join_names(b, o->choices);
    } else if (row_has_range(o)) {
        row_range(range, sizeof range, o);
        strbuf_printf(b, ", %s", range);
    }
}

/* On a command line a flag is given or not; elsewhere it has a value. */
static void add_default(struct strbuf *b, const struct option *o, const char *dashes)
{
    if (o->required)
        strbuf_puts(b, "required");
    else if (is_on(o) && *dashes)
        strbuf_puts(b, "on");
    else if (o->fallback && *o->fallback && (o->kind != OPTION_FLAG || !*dashes))
        strbuf_printf(b, "`%s`", o->fallback);
}

static void print_row(FILE *out, const struct option *o, const char *dashes)
{
    struct strbuf row = { 0 };
    strbuf_puts(&row, "| ");
    add_name(&row, o, dashes);
    strbuf_puts(&row, " | ");
    if (o->kind == OPTION_FLAG && !*dashes)
        strbuf_puts(&row, "true, false");
    else
        add_values(&row, o);
    strbuf_puts(&row, " | ");
    add_default(&row, o, dashes);
    strbuf_puts(&row, " | ");
    add_escaped(&row, o->help);
    fprintf(out, "%s |\n", row.text);
    strbuf_release(&row);
}

void options_markdown(FILE *out, const struct option_group *groups, const char *dashes)
{
    for (EACH_GROUP(g, groups)) {
        if (!g->options->name)
            continue;
        if (g->title)
            fprintf(out, "*%s*\n\n", g->title);
        fprintf(out, "| option | value | default | |\n|---|---|---|---|\n");
        for (EACH_OPTION(o, g))
            print_row(out, o, dashes);
        putc('\n', out);
    }
}
