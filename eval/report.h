#ifndef EVAL_REPORT_H
#define EVAL_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"
#include "eval/metric.h"

/* Scores as sacreBLEU writes them, to the character.  Each function appends to `out`. */

/* "BLEU|nrefs:1|… = 22.7 56.2/28.7/… (BP = …)", with `width` decimals; short_keys abbreviates
 * the signature's keys. */
void report_text(struct strbuf *out, const struct metric_report *r, int width, bool short_keys);

/* Such lines for several metrics, their "=" one below the other. */
void report_texts(struct strbuf *out, const struct metric_report *reports, size_t count, int width,
                  bool short_keys);

/* An object with name, score, signature, verbose_score and the signature's fields; on lines of
 * their own, or all on one line. */
void report_json(struct strbuf *out, const struct metric_report *r, int width, bool one_line);

/* One object, or an array of several. */
void report_jsons(struct strbuf *out, const struct metric_report *reports, size_t count, int width);

/* Several systems: reports (systems, count).  A table with the signatures below it, or an array of
 * objects that hold the system's name and its scores. */
void report_systems_text(struct strbuf *out, const char *const *names, size_t systems,
                         const struct metric_report *reports, size_t count, int width,
                         bool short_keys);
void report_systems_json(struct strbuf *out, const char *const *names, size_t systems,
                         const struct metric_report *reports, size_t count, int width);

#define REPORT_METRICS_MAX 8            /* metrics in one table of systems */

void report_signature(struct strbuf *out, const struct metric_report *r, bool short_keys);

#endif
