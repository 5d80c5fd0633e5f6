#ifndef EVAL_PAGE_H
#define EVAL_PAGE_H

#include "eval/breakdown.h"
#include "eval/report.h"
#include "eval/testset.h"

/* A page of HTML that shows where systems are good and bad: their scores, the scores by the length
 * of the reference, how well words of each frequency are got, sentences by their score, and, of
 * the first system beside each of the others, the sentences that differ most, word by word.  Of one
 * system alone it has those that score worst. */
struct eval_page {
    const char *title;
    const struct testset *set;
    const struct report_systems *scores;        /* what was printed: names, scores, tests */
    const struct metric *const *metrics;        /* (scores->count); the first one ranks sentences */
    const struct metric_config *config;
    const struct word_counts *training;         /* of the text that systems were trained on; NULL: the
                                                 * frequencies are those in the references */
    const struct text *source;                  /* (set->n) what was translated; NULL: not known */
    int examples;                               /* sentences shown on either side of a comparison */
    int threads;
};
void eval_page(struct strbuf *out, const struct eval_page *page);
int eval_page_write(const char *path, const struct eval_page *page, struct error *err);

/* The score of each sentence by itself (n), from rows of statistics. */
void sentence_scores(double *scores, const struct metric *metric, const struct metric_config *config,
                     const double *rows, size_t n);

#endif
