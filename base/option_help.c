/* --help: the rows as two columns. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/option.h"
#include "base/option_row.h"
#include "base/strbuf.h"
#include "base/table.h"

static const char *value_name(enum option_kind kind)
{
    switch (kind) {
    case OPTION_FLAG: return "";
    case OPTION_INT: case OPTION_LONG: return " N";
    case OPTION_FLOAT: case OPTION_COURSE: return " X";
    case OPTION_SIZE: return " SIZE";
    case OPTION_CHOICE: return " NAME";
    case OPTION_LIST: return " TEXT …";
    default: return " TEXT";
    }
}

static bool is_on(const struct option *o)
{
    return o->kind == OPTION_FLAG && o->fallback && !strcmp(o->fallback, "true");
}

static void add_left(struct strbuf *b, const struct option *o)
{
    if (o->letter)
        strbuf_printf(b, "  -%c, ", o->letter);
    else
        strbuf_puts(b, "      ");
    strbuf_printf(b, "--%s%s%s", is_on(o) ? "[no-]" : "", o->name, value_name(o->kind));
    if (o->alias)
        strbuf_printf(b, ", -%s", o->alias);
}

/* " (choices; range; default X)" */
static void add_facts(struct strbuf *b, const struct option *o)
{
    const char *between = " (";
    if (o->kind == OPTION_CHOICE) {
        strbuf_puts(b, between);
        join_names(b, o->choices);
        between = "; ";
    }
    if (row_has_range(o) && o->kind != OPTION_CHOICE) {
        char range[80];
        row_range(range, sizeof range, o);
        strbuf_printf(b, "%s%s", between, range);
        between = "; ";
    }
    if (o->required) {
        strbuf_printf(b, "%srequired", between);
        between = "; ";
    } else if (is_on(o) || (o->fallback && *o->fallback && o->kind != OPTION_FLAG)) {
        strbuf_printf(b, "%sdefault %s", between, is_on(o) ? "on" : o->fallback);
        between = "; ";
    }
    if (between[0] == ';')
        strbuf_putc(b, ')');
}

#define HELP_WIDTH 100
#define WIDEST_LEFT 32

/* Words of `text` between column `indent` and HELP_WIDTH. */
static void print_wrapped(FILE *out, const char *text, int indent)
{
    int column = indent;
    while (*text) {
        size_t length = strcspn(text, " ");
        char *word = xstrndup(text, length);
        int width = text_columns(word);
        if (column > indent && column + 1 + width > HELP_WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        }
        fprintf(out, "%s%s", column > indent ? " " : "", word);
        column += width + (column > indent);
        free(word);
        text += length;
        text += strspn(text, " ");
    }
    putc('\n', out);
}

static void print_option(FILE *out, const struct option *o, int column)
{
    struct strbuf left = { 0 }, right = { 0 };
    int width;

    add_left(&left, o);
    strbuf_puts(&right, o->help);
    add_facts(&right, o);
    width = text_columns(left.text);
    if (width + 2 > column)
        fprintf(out, "%s\n%*s", left.text, column, "");
    else
        fprintf(out, "%s%*s", left.text, column - width, "");
    print_wrapped(out, right.text, column);
    strbuf_release(&left);
    strbuf_release(&right);
}

static int help_column(const struct option_group *groups)
{
    int widest = 0;
    for (EACH_GROUP(g, groups))
        for (EACH_OPTION(o, g)) {
            struct strbuf left = { 0 };
            add_left(&left, o);
            int width = text_columns(left.text);
            if (width > widest && width <= WIDEST_LEFT)
                widest = width;
            strbuf_release(&left);
        }
    return widest + 2;
}

void options_help(FILE *out, const struct option_group *groups)
{
    int column = help_column(groups);
    for (EACH_GROUP(g, groups)) {
        fprintf(out, "%s%s:\n", g == groups ? "" : "\n", g->title ? g->title : "options");
        for (EACH_OPTION(o, g))
            print_option(out, o, column);
    }
}
