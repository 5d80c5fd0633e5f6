/* How the steps of `coho corpus` report. */
#include "cli/corpus_job.h"

#include <inttypes.h>

#include "base/log.h"

int corpus_print_json(json_t *json)
{
    json_dumpf(json, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(json);
    return 0;
}

void corpus_row(struct table *t, const char *name, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, number);
    table_row(t, name, text, NULL);
}

int corpus_print_table(struct table *t)
{
    table_print(t, stdout);
    table_release(t);
    return 0;
}

void corpus_warn_repairs(int64_t repaired)
{
    if (repaired)
        log_warning("%" PRId64 " lines were not UTF-8; their bad bytes count as U+FFFD", repaired);
}
