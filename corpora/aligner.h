#ifndef CORPORA_ALIGNER_H
#define CORPORA_ALIGNER_H

#include "corpora/text.h"

/* Finds where two texts that should be aligned line by line are not.
 *
 *     struct aligner *a = aligner_new();
 *     for each pair of lines: aligner_add(a, source, target);
 *     aligner_finish(a);
 *     aligner_slips(a, &count), aligner_stretches(a, &count) …
 *     aligner_free(a);
 *
 * Memory is some 40 MB, however long the texts. */
struct aligner;
struct aligner *aligner_new(void);
void aligner_add(struct aligner *a, struct text source, struct text target);
void aligner_finish(struct aligner *a);
void aligner_free(struct aligner *a);

/* Lines without a partner.  extra > 0: from target line `line` on so many have none, having been added
 * there or lost from the source; extra < 0: so many source lines, likewise. */
struct slip {
    int64_t line;
    int extra;
};
const struct slip *aligner_slips(const struct aligner *a, size_t *count);

/* Lines first … last whose lengths go together much less than those of the rest. */
struct stretch {
    int64_t first, last;
    double correlation;
};
const struct stretch *aligner_stretches(const struct aligner *a, size_t *count);

/* Of the logarithms of the lengths of all lines; 0 for fewer than three. */
double aligner_correlation(const struct aligner *a);

#endif
