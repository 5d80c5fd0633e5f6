#ifndef DECODE_MBR_H
#define DECODE_MBR_H

/* Minimum Bayes risk (Kumar & Byrne 2004, Eikema & Aziz 2020): of several translations the one
 * that the others agree with best.  The expected utility of a hypothesis is its mean score against
 * all, each as a reference of its weight; its score against its own text is 100.
 *
 *     struct mbr *m = mbr_new(MBR_CHRF);
 *     mbr_utilities(m, utility, texts, weight, count);
 *     mbr_free(m);
 *
 * One thread's working memory. */
enum mbr_metric {
    MBR_NONE,
    MBR_BLEU,                   /* sentence BLEU, smoothed, effective order */
    MBR_CHRF                    /* sentence chrF2 */
};
extern const char *const mbr_names[];           /* in this order */

struct mbr;
struct mbr *mbr_new(enum mbr_metric metric);
void mbr_free(struct mbr *m);

/* utility (count), 0 … 100.  Weights need not sum to one; NULL: all equal, as for samples.
 * Equal texts are scored once. */
void mbr_utilities(struct mbr *m, double *utility, const char *const *texts, const double *weight,
                   int count);

#endif
