/* The formats "tsv" and "csv": a column for each side, by number from 1 or by the name that the
 * first row gives it. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/bytes.h"
#include "base/memory.h"
#include "corpora/import_formats.h"
#include "corpora/record.h"

struct import_table {
    struct record record;
    const char *name[2];                /* of each side's column; NULL: by number */
    size_t column[2];                   /* from 0 */
    bool needed[2];                     /* false: the side is not asked for */
    bool started;
};

static void close_table(void *state)
{
    struct import_table *t = state;
    record_close(&t->record);
    free(t);
}

static void choose_column(struct import_table *t, int side, const char *field)
{
    char *end;
    long number = field ? strtol(field, &end, 10) : side + 1;
    if (field && (*end || number < 1))
        t->name[side] = field;
    t->column[side] = (size_t)number - 1;
}

static void *open_table(const struct import_config *config, const char *path, char separator,
                        bool quoted, struct error *err)
{
    struct import_table *t = xcalloc(1, sizeof *t);
    t->record = (struct record){ .separator = separator, .quoted = quoted };
    if (record_open(&t->record, path, err) < 0) {
        free(t);
        return NULL;
    }
    t->record.in.utf8 = (enum utf8_policy)config->bad_utf8;
    for (int side = 0; side < 2; side++) {
        t->needed[side] = import_needs(config, side);
        if (t->needed[side])
            choose_column(t, side, side ? config->target_field : config->source_field);
    }
    return t;
}

static void *open_tsv(const struct import_config *config, const char *source, const char *target,
                      struct error *err)
{
    (void)target;
    return open_table(config, source, '\t', false, err);
}

static void *open_csv(const struct import_config *config, const char *source, const char *target,
                      struct error *err)
{
    const char *separator = config->separator ? config->separator : ",";
    (void)target;
    if (!strcmp(separator, "\\t"))
        separator = "\t";
    if (strlen(separator) != 1 || strchr("\"\n\r", *separator)) {
        error_set(err, "separator '%s' is not one character that may divide the fields of a CSV "
                       "file; ',' and ';' are usual", separator);
        return NULL;
    }
    return open_table(config, source, *separator, true, err);
}

static int find_column(struct import_table *t, int side, struct error *err)
{
    const struct record *r = &t->record;
    for (size_t i = 0; i < r->count; i++)
        if (text_equal(text_trim(record_field(r, i)), text_of(t->name[side]))) {
            t->column[side] = i;
            return 0;
        }
    return error_set(err, "%s:%lld: no column is called '%s'; name one of the first row, or give "
                          "its number", path_shown(r->in.path), (long long)r->line, t->name[side]);
}

/* Takes the row of names, where columns are chosen by name. */
static int read_names(struct import_table *t, struct error *err)
{
    t->started = true;
    if (!t->name[0] && !t->name[1])
        return 0;
    if (record_next(&t->record, err) < 0)
        return -1;
    for (int side = 0; side < 2; side++)
        if (t->name[side] && find_column(t, side, err) < 0)
            return -1;
    return 0;
}

static struct text field_of(const struct import_table *t, int side)
{
    return t->needed[side] ? record_field(&t->record, t->column[side]) : (struct text){ "", 0 };
}

static int next_pair(void *state, struct text_pair *out, struct error *err)
{
    struct import_table *t = state;
    const struct record *r = &t->record;
    if (!t->started && read_names(t, err) < 0)
        return -1;
    int more = record_next(&t->record, err);
    if (more <= 0)
        return more;
    for (int side = 0; side < 2; side++)
        if (t->needed[side] && t->column[side] >= r->count)
            return error_set(err, "%s:%lld: column %zu is wanted and the row has %zu; mend the row, "
                                  "or choose columns with --source-field and --target-field",
                             path_shown(r->in.path), (long long)r->line, t->column[side] + 1, r->count);
    *out = (struct text_pair){ field_of(t, 0), field_of(t, 1) };
    return 1;
}

static int64_t repaired_lines(void *state)
{
    return ((struct import_table *)state)->record.in.replaced;
}

const struct corpus_format import_tsv = {
    .name = "tsv", .summary = "fields divided by tabs; --source-field and --target-field choose",
    .inputs = INPUTS_ONE, .suffixes = (const char *const[]){ "tsv", NULL },
    .open = open_tsv, .next = next_pair, .repaired = repaired_lines, .close = close_table,
};

const struct corpus_format import_csv = {
    .name = "csv", .summary = "fields in quotation marks, divided by --separator",
    .inputs = INPUTS_ONE, .suffixes = (const char *const[]){ "csv", NULL },
    .open = open_csv, .next = next_pair, .repaired = repaired_lines, .close = close_table,
};
