#ifndef EVAL_METRIC_ROW_H
#define EVAL_METRIC_ROW_H

#include <stdbool.h>

#include "eval/metric.h"

/* A row of the table of metrics in metric.c.  To add a metric: write these functions beside each
 * other in eval/<name>.c, declare them here, and add a row; option tables go into
 * metric_config_default and cli/cmd_eval.c. */
struct metric {
    const char *name;
    bool falls;                 /* less is better */
    void (*settle)(struct metric_config *c);    /* what the name fixes; NULL: nothing */
    int (*width)(const struct metric_config *c);
    void *(*state_new)(const struct metric_config *c);
    void (*state_free)(void *state);
    void (*refs)(void *state, const struct text *refs, int nrefs);      /* none is absent */
    void (*hyp)(double *stats, void *state, struct text hyp);
    double (*score)(const struct metric_config *c, const double *stats);
    /* The score as sacreBLEU has it for a bootstrap sample, whose statistics are NumPy floats of
     * single precision; *wide is set where Python's doubles come into it. */
    double (*sampled)(const struct metric_config *c, const float *stats, bool *wide);
    /* The score of a trial of approximate randomisation; NULL: as any other. */
    double (*shuffled)(const struct metric_config *c, const double *stats);
    void (*describe)(struct metric_report *report, const struct metric_config *c,
                     const double *stats);                              /* name and verbose */
    void (*sign)(struct strbuf *out, const struct metric_config *c);    /* "case:mixed|eff:no" */
};

#define METRIC_FUNCTIONS(id)                                                                \
    int id##_width(const struct metric_config *c);                                          \
    void *id##_state_new(const struct metric_config *c);                                    \
    void id##_state_free(void *state);                                                      \
    void id##_refs(void *state, const struct text *refs, int nrefs);                        \
    void id##_hyp(double *stats, void *state, struct text hyp);                             \
    double id##_metric_score(const struct metric_config *c, const double *stats);           \
    double id##_sampled(const struct metric_config *c, const float *stats, bool *wide);     \
    void id##_describe(struct metric_report *, const struct metric_config *, const double *); \
    void id##_sign(struct strbuf *out, const struct metric_config *c)

METRIC_FUNCTIONS(bleu);
METRIC_FUNCTIONS(chrf);
METRIC_FUNCTIONS(ter);

double bleu_shuffled(const struct metric_config *c, const double *stats);

/* The double that a float option was meant to be: the one with the same short decimal text. */
double metric_decimal(float value);

#endif
