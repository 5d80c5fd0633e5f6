#ifndef EVAL_REPORT_H
#define EVAL_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"
#include "eval/metric.h"

/* Scores as sacreBLEU writes them, to the character.  Each function appends to `out`. */

/* The bare scores, with their intervals where there are some, a line each; of several, as a JSON
 * array where that is wanted. */
void report_scores(struct strbuf *out, const struct metric_report *reports, size_t count, int width, bool json);

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

/* Several systems, in sacreBLEU's forms: JSON, a grid for people, or a table for LaTeX. */
struct report_systems {
    const char *const *names;           /* (systems) */
    size_t systems;
    const struct metric_report *reports;        /* (systems, count) */
    size_t count;                       /* metrics */
    enum paired_test { PAIRED_NONE, PAIRED_BOOTSTRAP, PAIRED_RANDOMIZATION } test;
    int samples;                        /* of the test */
    int width;
    bool short_keys;
};
void report_systems_json(struct strbuf *out, const struct report_systems *r);
void report_systems_text(struct strbuf *out, const struct report_systems *r);
void report_systems_latex(struct strbuf *out, const struct report_systems *r);

/* A double written as short as it can be and still read back, as Python does. */
void report_number(struct strbuf *out, double value);

#define REPORT_METRICS_MAX 8            /* metrics of one run */

void report_signature(struct strbuf *out, const struct metric_report *r, bool short_keys);

#endif
