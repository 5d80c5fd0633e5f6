#ifndef EVAL_CHRF_H
#define EVAL_CHRF_H

#include <stdbool.h>

#include "base/option.h"

/* chrF (Popović 2015) and chrF++ (Popović 2017), as sacreBLEU computes them. */

#define CHRF_ORDER_MAX 16       /* of characters and of words each */

struct chrf_config {
    int char_order, word_order;
    int beta;                   /* recall counts beta² times as much as precision */
    bool lowercase;
    bool whitespace;            /* spaces are characters too */
    bool eps_smoothing;         /* as in chrF++.py, instead of effective order */
};
extern const struct option chrf_options[];

/* What is counted of one order in a segment or a corpus. */
struct chrf_count {
    double hyp, ref, match;
};

/* The F score, 0 … 100, of the counts of char_order orders of characters, then word_order of
 * words. */
double chrf_score(const struct chrf_config *config, const struct chrf_count *counts);

#endif
