#ifndef EVAL_TER_H
#define EVAL_TER_H

#include "base/option.h"
#include "eval/tercom.h"

/* Translation edit rate (Snover et al. 2006), as sacreBLEU computes it. */
struct ter_config {
    struct tercom_rules rules;
};
extern const struct option ter_options[];

/* What is counted in a segment or a corpus. */
struct ter_stats {
    double edits;               /* to the nearest reference */
    double ref_len;             /* words; the mean over the references */
};

double ter_score(const struct ter_stats *stats);        /* 0 …, lower is better */

#endif
