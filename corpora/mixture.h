#ifndef CORPORA_MIXTURE_H
#define CORPORA_MIXTURE_H

#include "base/course.h"
#include "corpora/batch.h"

/* A batch source of several: each batch comes whole from one part, drawn by the parts' weights.
 * Gold beside pseudo-labelled text, directions beside classification tasks.
 *
 * The shares of batches go as the weights, which may change over the training; a part whose
 * weight is 0 is not drawn from.  An epoch is as many sentences as the parts have together; a
 * part that comes to its own end starts its next epoch, and for a batch without sentences, which a
 * part may give (distill/on_policy.h), the next draw is taken.  The draws depend on the seed and on how
 * many there were, so the position is exact. */
struct mixture_part {
    struct batch_source source; /* becomes the mixture's */
    struct course weight;       /* not below 0 */
    int task;                   /* what its batches' `task` becomes */
    float factor;               /* of its sentences' losses */
};

/* The weight |D|^exponent that draws sentences of a part of `sentences` in that proportion when
 * its batches hold `sentences_a_batch` (Clark et al. 2019: exponent 0.75); 0: any corpus alike;
 * 1/T is the exponent of temperature T. */
float mixture_weight(double sentences, double sentences_a_batch, double exponent);

/* On failure the parts' sources stay the caller's. */
int mixture_open(struct batch_source *out, const struct mixture_part *parts, int count, int64_t seed,
                 struct error *err);

/* Tells how the model scores on what the part teaches.  A part whose score has not risen for
 * `patience` calls is not drawn from any more, nor others of its task; the last one that is drawn
 * from stays.  Returns
 * whether the part is still drawn from.  Kept in the position. */
bool mixture_judge(const struct batch_source *mixture, int part, double score, int patience);

#endif
