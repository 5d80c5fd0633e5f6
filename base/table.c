/* Aligned columns of text. */
#include "base/table.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

int text_columns(const char *text)
{
    int columns = 0;
    for (; *text; text++)
        columns += ((unsigned char)*text & 0xC0) != 0x80;
    return columns;
}

void table_cells(struct table *t, const char *const *cells, size_t count)
{
    char **row = xcalloc(count + 1, sizeof *row);
    for (size_t i = 0; i < count; i++)
        row[i] = xstrdup(cells[i]);
    ARRAY_GROW(t->rows, t->room, t->count + 1);
    t->rows[t->count++] = row;
}

void table_row(struct table *t, const char *first, ...)
{
    const char **cells = NULL;
    size_t count = 0, room = 0;
    va_list args;

    va_start(args, first);
    for (const char *cell = first; cell; cell = va_arg(args, const char *)) {
        ARRAY_GROW(cells, room, count + 1);
        cells[count++] = cell;
    }
    va_end(args);
    table_cells(t, cells, count);
    free(cells);
}

static size_t cell_count(char *const *cells)
{
    size_t count = 0;
    while (cells[count])
        count++;
    return count;
}

static size_t widest_row(const struct table *t)
{
    size_t most = 0;
    for (size_t i = 0; i < t->count; i++) {
        size_t count = cell_count(t->rows[i]);
        most = count > most ? count : most;
    }
    return most;
}

/* NULL where the row is shorter. */
static const char *cell_at(const struct table *t, size_t row, size_t column)
{
    return column < cell_count(t->rows[row]) ? t->rows[row][column] : NULL;
}

static bool is_number(const char *cell)
{
    return cell[strspn(cell, "+-.,0123456789")] == '\0' || strchr("+-.0123456789", cell[0]);
}

struct column {
    int width;
    bool right;
};

static struct column measure(const struct table *t, size_t at)
{
    struct column c = { 0, at > 0 };
    for (size_t i = 0; i < t->count; i++) {
        const char *cell = cell_at(t, i, at);
        if (!cell)
            continue;
        int width = text_columns(cell);
        c.width = width > c.width ? width : c.width;
        if (i > 0 && !is_number(cell))
            c.right = false;
    }
    return c;
}

static void print_row(const struct table *t, size_t row, const struct column *columns, FILE *out)
{
    size_t count = cell_count(t->rows[row]);
    for (size_t j = 0; j < count; j++) {
        const char *cell = t->rows[row][j];
        int pad = columns[j].width - text_columns(cell);
        bool last = j + 1 == count;
        fprintf(out, "%s%*s%s%*s", j ? "  " : "", columns[j].right ? pad : 0, "", cell,
                columns[j].right || last ? 0 : pad, "");
    }
    putc('\n', out);
}

static void print_rule(const struct column *columns, size_t count, FILE *out)
{
    for (size_t j = 0; j < count; j++) {
        fputs(j ? "  " : "", out);
        for (int i = 0; i < columns[j].width; i++)
            putc('-', out);
    }
    putc('\n', out);
}

void table_print(const struct table *t, FILE *out)
{
    size_t count = widest_row(t);
    struct column *columns = xcalloc(count, sizeof *columns);

    for (size_t j = 0; j < count; j++)
        columns[j] = measure(t, j);
    for (size_t i = 0; i < t->count; i++) {
        print_row(t, i, columns, out);
        if (i == 0)
            print_rule(columns, count, out);
    }
    free(columns);
}

void table_release(struct table *t)
{
    for (size_t i = 0; i < t->count; i++) {
        for (char **cell = t->rows[i]; *cell; cell++)
            free(*cell);
        free(t->rows[i]);
    }
    free(t->rows);
    *t = (struct table){ 0 };
}
