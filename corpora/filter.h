#ifndef CORPORA_FILTER_H
#define CORPORA_FILTER_H

#include "base/option.h"
#include "corpora/text.h"

/* Which pairs are worth keeping: one row of `filters` a reason to drop one.  Words are counted
 * as in corpora/text.h.  A config of zeros keeps everything. */
struct filter_config {
    bool drop_empty, drop_identical;
    int min_words, max_words, max_word_length;
    float max_ratio;
};
extern const struct option filter_options[];

/* What filters look at, gathered once a pair. */
struct pair_facts {
    struct text_pair trimmed;
    struct text_counts source, target;
};

/* To add a filter: add its option to filter_options and a row to filters, both in filter.c. */
struct filter {
    const char *name, *summary;
    bool (*drops)(const struct pair_facts *pair, const struct filter_config *config);
};
extern const struct filter filters[];           /* a row without a name ends it */
#define FILTER_MOST 16                          /* rows at most, for arrays of counts */

/* The row that drops the pair, the first one in the table's order; -1: the pair is kept. */
int filter_find(const struct filter_config *config, struct text_pair pair);

#endif
