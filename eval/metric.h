#ifndef EVAL_METRIC_H
#define EVAL_METRIC_H

#include <stddef.h>

#include "base/strbuf.h"
#include "eval/bleu.h"
#include "eval/chrf.h"
#include "eval/text.h"

/* Metrics that compare hypotheses with references: BLEU, chrF, chrF++, equal to sacreBLEU 2.6
 * in every digit that it prints.  Three ways in:
 *
 *     double bleu = bleu_of_lines(hyps, refs, n);                     // one call, defaults
 *
 *     struct metric_config config;                                    // a report with signature
 *     metric_config_default(&config);
 *     metric_corpus(&report, metric_find("chrf++"), &config, hyps, refs, n, nrefs, threads);
 *
 *     struct scorer *s = scorer_new(metric_find("bleu"), &config);    // one reference, many
 *     scorer_refs(s, &ref, 1);                                        // hypotheses: n-best
 *     for (int k = 0; k < K; k++)
 *         score[k] = scorer_score(s, hyp[k]);
 *     scorer_free(s);
 */

struct metric_config {
    struct bleu_config bleu;
    struct chrf_config chrf;
};
void metric_config_default(struct metric_config *config);

/* What a corpus scored, in sacreBLEU's words. */
struct metric_report {
    char name[32];              /* "BLEU", "chrF2++" */
    double score;               /* 0 … 100 */
    char verbose[160];          /* "57.9/31.9/… (BP = …)"; empty where the metric has none */
    char signature[200];        /* "nrefs:1|case:mixed|…|version:…" */
};

/* A metric: what it counts in a segment, and the score of such counts.  Statistics are `width`
 * numbers; those of a corpus are the sum over its segments, so they can be added in any order,
 * kept for resampling, or computed in parallel.  To add a metric: write new, free, refs, hyp
 * beside each other in eval/<name>.c, and add a row in metric.c. */
struct metric {
    const char *name;                                           /* as given to -m */
    int (*width)(const struct metric_config *c);
    void *(*state_new)(const struct metric_config *c);
    void (*state_free)(void *state);
    void (*refs)(void *state, const struct text *refs, int nrefs);
    void (*hyp)(double *stats, void *state, struct text hyp);
    double (*score)(const struct metric_config *c, const double *stats);
    void (*describe)(struct metric_report *report, const struct metric_config *c,
                     const double *stats);                      /* name, score and verbose */
    void (*sign)(struct strbuf *signature, const struct metric_config *c);  /* "case:…|eff:…" */
};
extern const struct metric metrics[];           /* ends with name NULL; sorted as sacreBLEU prints */
const struct metric *metric_find(const char *name);             /* NULL: no such metric */

/* Widest statistics of any metric under any options. */
#define METRIC_WIDTH_MAX 96

/* One metric at work on one thread: the references of the segment in hand, and scratch memory.
 * config is copied.  Preparing the references costs about as much as one hypothesis. */
struct scorer;
struct scorer *scorer_new(const struct metric *metric, const struct metric_config *config);
void scorer_free(struct scorer *s);
void scorer_refs(struct scorer *s, const struct text *refs, int nrefs);
void scorer_stats(double *stats, struct scorer *s, struct text hyp);
double scorer_score(struct scorer *s, struct text hyp);         /* of this segment alone */

/* Scores n segments: hyps[i] against refs[r * n + i] for r of 0 … nrefs-1.  The result does not
 * depend on the number of threads (0: one a core). */
void metric_corpus(struct metric_report *report, const struct metric *metric,
                   const struct metric_config *config, const struct text *hyps,
                   const struct text *refs, size_t n, int nrefs, int threads);

/* The same, one row of `width` statistics a segment: stats (n, width). */
void metric_segments(double *stats, const struct metric *metric,
                     const struct metric_config *config, const struct text *hyps,
                     const struct text *refs, size_t n, int nrefs, int threads);

/* The report of statistics that were summed elsewhere; nrefs -1: it varies by segment. */
void metric_report(struct metric_report *report, const struct metric *metric,
                   const struct metric_config *config, const double *stats, int nrefs);

/* Corpus scores with sacreBLEU's default settings, for validation during training. */
double bleu_of_lines(const char *const *hyps, const char *const *refs, size_t n);
double chrf_of_lines(const char *const *hyps, const char *const *refs, size_t n);

/* One sentence with effective order and exponential smoothing; use a scorer for many. */
double sentence_bleu(const char *hyp, const char *ref);
double sentence_chrf(const char *hyp, const char *ref);

#endif
