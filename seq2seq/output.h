#ifndef SEQ2SEQ_OUTPUT_H
#define SEQ2SEQ_OUTPUT_H

#include "seq2seq/model.h"
#include "seq2seq/objective.h"

/* The output layer with its loss, a chunk of rows at a time, so that logits never exist for a
 * whole batch.  One thread's working memory; {0} is valid and empty. */
struct output {
    float *logits, *weight;
    int rows;                   /* room of `weight` */
};

#define OUTPUT_ROWS 192         /* rows of a chunk */

/* The loss of the batch whose hidden states are given, their gradient into hidden->grad, the
 * output weights' gradient added into grads. */
void output_loss(struct output *o, const struct model *m, struct tape *tape, struct tensor *hidden,
                 const struct batch *b, const struct objective *objective, void *worker,
                 struct loss_sums *sums);
void output_release(struct output *o);

#endif
