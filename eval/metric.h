#ifndef EVAL_METRIC_H
#define EVAL_METRIC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"
#include "eval/bleu.h"
#include "eval/chrf.h"
#include "eval/ter.h"
#include "eval/text.h"

/* Metrics that compare hypotheses with references: BLEU, chrF, chrF++, TER, equal to sacreBLEU 2.6
 * in every digit that it prints.  Three ways in:
 *
 *     double bleu = bleu_of_lines(hyps, refs, n);                     // one call, defaults
 *
 *     struct metric_config config;                                    // a report with signature
 *     metric_config_default(&config);
 *     metric_corpus(&report, metric_find("chrf++"), &config, hyps, refs, n, nrefs, threads);
 *
 *     struct segment_scorer *s = segment_scorer_new(metric_find("bleu"), &config);    // one reference, many
 *     segment_scorer_refs(s, &ref, 1);                                // hypotheses: n-best
 *     for (int k = 0; k < K; k++)
 *         score[k] = segment_scorer_score(s, hyp[k]);
 *     segment_scorer_free(s);
 */

/* The version that signatures name: the sacreBLEU whose figures these are, and who counted. */
#define METRIC_VERSION "2.6.0+coho-" COHO_VERSION

struct error;

struct metric_config {
    struct bleu_config bleu;
    struct chrf_config chrf;
    struct ter_config ter;
};
void metric_config_default(struct metric_config *config);

/* Loads the model or the dictionary of a tokenizer that has one; to be called before the first
 * scorer is made of such a config, and closed after the last. */
int metric_config_open(struct metric_config *config, struct error *err);
void metric_config_close(struct metric_config *config);

/* What a corpus scored, in sacreBLEU's words. */
struct metric_report {
    char name[32];              /* "BLEU", "chrF2++" */
    double score;               /* 0 … 100 */
    char verbose[160];          /* "57.9/31.9/… (BP = …)"; empty where the metric has none */
    char signature[200];        /* "nrefs:1|case:mixed|…|version:…" */
    double mean, interval, p;   /* of a significance test (eval/significance.h); NAN: none */
};

/* A metric counts something in a segment: a row of numbers, its statistics.  Those of a corpus
 * are the sum over its segments, so they can be added in parallel, or kept for resampling.
 * The rows are eval/metric.c's table. */
struct metric;
const struct metric *metric_find(const char *name);     /* as given to -m; NULL: no such metric */
const struct metric *metric_row(int index);             /* in printing order; NULL past the end */
const char *metric_name(const struct metric *metric);
bool metric_falls(const struct metric *metric);         /* less is better */

/* Numbers in one row of statistics. */
int metric_width(const struct metric *metric, const struct metric_config *config);
#define METRIC_WIDTH_MAX 96                             /* of any metric under any options */

/* One metric at work on one thread: the references of the segment in hand, and scratch memory.
 * config is copied.  Preparing the references costs about as much as one hypothesis. */
struct segment_scorer;
struct segment_scorer *segment_scorer_new(const struct metric *metric,
                                          const struct metric_config *config);
void segment_scorer_free(struct segment_scorer *s);
void segment_scorer_refs(struct segment_scorer *s, const struct text *refs, int nrefs);
void segment_scorer_stats(double *stats, struct segment_scorer *s, struct text hyp);
double segment_scorer_score(struct segment_scorer *s, struct text hyp);     /* of it alone */

/* Scores n segments: hyps[i] against refs[r * n + i] for r of 0 … nrefs-1.  The result does not
 * depend on the number of threads (0: one a core). */
void metric_corpus(struct metric_report *report, const struct metric *metric,
                   const struct metric_config *config, const struct text *hyps,
                   const struct text *refs, size_t n, int nrefs, int threads);

/* The statistics of several systems, hyps[s][i], with the references prepared once: totals
 * (systems, width), and one row a segment, rows (systems, n, width); rows may be NULL. */
void metric_systems(double *totals, double *rows, const struct metric *metric, const struct metric_config *config,
                    const struct text *const *hyps, size_t systems,
                    const struct text *refs, size_t n, int nrefs, int threads);

/* One row of `width` statistics a segment: stats (n, width). */
void metric_segments(double *stats, const struct metric *metric,
                     const struct metric_config *config, const struct text *hyps,
                     const struct text *refs, size_t n, int nrefs, int threads);

/* How many references each segment has, or -1 when it varies. */
int metric_refs_count(const struct text *refs, size_t n, int nrefs);

/* Scores of random samples as sacreBLEU's tests see them; eval/significance.c is for callers. */
double metric_sampled_score(const struct metric *metric, const struct metric_config *config,
                            const float *stats, bool *wide);
double metric_shuffled_score(const struct metric *metric, const struct metric_config *config,
                             const double *stats);

/* The report of statistics that were summed elsewhere; nrefs -1: it varies by segment. */
void metric_report(struct metric_report *report, const struct metric *metric,
                   const struct metric_config *config, const double *stats, int nrefs);

/* Names a test in a report's signature: key "bs" or "ar", how many samples, and the seed or NULL. */
void metric_report_sampling(struct metric_report *report, const char *key, int samples,
                            const uint64_t *seed);

/* Corpus scores with sacreBLEU's default settings, for validation during training. */
double metric_of_lines(const struct metric *metric, const char *const *hyps,
                       const char *const *refs, size_t n);
double bleu_of_lines(const char *const *hyps, const char *const *refs, size_t n);
double chrf_of_lines(const char *const *hyps, const char *const *refs, size_t n);

/* One sentence with effective order and exponential smoothing; use a scorer for many. */
double sentence_bleu(const char *hyp, const char *ref);
double sentence_chrf(const char *hyp, const char *ref);

#endif
