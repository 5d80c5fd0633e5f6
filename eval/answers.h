#ifndef EVAL_ANSWERS_H
#define EVAL_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eval/significance.h"
#include "eval/text.h"

struct error;

/* Metrics of tasks whose answers are right or wrong, or numbers: classification, regression,
 * tagging.  Equal to scikit-learn, SciPy and seqeval; intervals equal SciPy's
 * bootstrap(…, paired=True, method="percentile") with default_rng(seed).
 *
 *     struct answers answers;
 *     const struct answer_metric *f1 = answer_metric_find("f1_macro");
 *     if (answers_read(&answers, f1->kind, gold, predicted, n, err) < 0) goto done;       // struct answer_lines
 *     double score = answers_score(f1, &answers);
 *     answers_interval(&low, &high, f1, &answers, 1000, seed, threads);
 *     answers_release(&answers);
 */
enum answer_kind {
    ANSWER_LABEL,               /* the whole line, white space at its ends taken off; gold: not empty */
    ANSWER_LINE,                /* the same, but gold lines may be empty */
    ANSWER_NUMBER,
    ANSWER_TAGS                 /* a tag a word: IOB1, IOB2, IOE or BIOES */
};

/* Pairs of gold answer and prediction; {0} is empty. */
struct answers {
    enum answer_kind kind;
    size_t n;
    uint32_t *gold, *predicted;         /* labels: (n) numbers below `labels` */
    size_t labels;
    double *gold_value, *predicted_value;       /* numbers: (n) */
    struct span_counts {
        uint32_t correct, gold, predicted;
    } *spans;                           /* tags: (n) */
};

/* One answer a line, and the file that messages name. */
struct answer_lines {
    const struct text *line;            /* (n) */
    const char *path;
};

/* A gold label that is empty, a line that is no number, or one that differs in its count of tags, is an error that
 * names it.  Predicted labels may be any, or empty. */
int answers_read(struct answers *out, enum answer_kind kind, struct answer_lines gold, struct answer_lines predicted,
                 size_t n, struct error *err);
void answers_release(struct answers *a);

/* A row of the table in answers.c.  To add a metric: write its function in eval/labels.c,
 * eval/correlation.c or eval/spans.c, declare it below, and add a row. */
struct answer_metric {
    const char *name;           /* as given to -m */
    enum answer_kind kind;
    /* The score of the pairs draws[0 … n-1] of a; scratch has room for answers_scratch(a). */
    double (*score)(const struct answers *a, const uint32_t *draws, size_t n, double *scratch);
    const char *about;
};
const struct answer_metric *answer_metric_find(const char *name);       /* NULL: no such metric */
const struct answer_metric *answer_metric_row(int index);               /* NULL past the end */

size_t answers_scratch(const struct answers *a);                        /* doubles */
double answers_score(const struct answer_metric *metric, const struct answers *a);

/* The central 95 % of the scores of `samples` resamples. */
void answers_interval(double *low, double *high, const struct answer_metric *metric,
                      const struct answers *a, int samples, struct seed seed, int threads);

#define ANSWER_SCORE(name) \
    double name(const struct answers *a, const uint32_t *draws, size_t n, double *scratch)
ANSWER_SCORE(labels_accuracy);          /* share of equal answers */
ANSWER_SCORE(labels_f1_macro);          /* mean of the labels' F1 */
ANSWER_SCORE(labels_f1_micro);
ANSWER_SCORE(labels_f1_weighted);       /* by the labels' share of the gold answers */
ANSWER_SCORE(labels_mcc);               /* Matthews's correlation, of any number of labels */
ANSWER_SCORE(values_pearson);           /* NAN when either side is constant */
ANSWER_SCORE(values_spearman);
ANSWER_SCORE(values_mse);
ANSWER_SCORE(values_mae);
ANSWER_SCORE(spans_f1);
ANSWER_SCORE(spans_precision);
ANSWER_SCORE(spans_recall);

/* The spans of two lines of as many tags; -1: not as many. */
int spans_count(struct span_counts *out, struct text gold, struct text predicted);

#endif
