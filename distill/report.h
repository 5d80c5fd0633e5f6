#ifndef DISTILL_REPORT_H
#define DISTILL_REPORT_H

#include <jansson.h>

#include "base/strbuf.h"

struct error;

/* A run as one HTML page that needs nothing else: the table, the learning curves, BLEU against
 * speed.
 *
 * A folder of a recipe's run holds, beside table.json, report.json, which says what belongs to
 * the table's rows:
 *
 *     { "title": …, "about": …, "rows": [ { "name": "teacher", "model": "teacher" } … ] }
 *
 * where model is the folder, relative to the run's, with the training log.  A folder of a model
 * alone (log.jsonl) gives a page with its curves. */
#define REPORT_FILE "report.json"
#define PAGE_FILE "report.html"
#define TABLE_FILE "table.json"

/* Adds the page to `out`.  results may be NULL. */
int report_page(struct strbuf *out, const char *folder, const json_t *report, const json_t *results,
                struct error *err);

/* Makes <folder>/report.html out of what lies there; *page is its path, the caller's. */
int report_write(char **page, const char *folder, struct error *err);

#endif
