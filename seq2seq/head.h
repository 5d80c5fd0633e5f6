#ifndef SEQ2SEQ_HEAD_H
#define SEQ2SEQ_HEAD_H

#include "seq2seq/model.h"

/* Heads: what stands on the encoder for tasks other than translation.  A text is told by the
 * state of its first token, by the mean of its states, or by their mean under attention from one
 * learned query; a tag by the state of its word's first piece.  Then, where the model is made
 * with it, a layer of width dim with GELU; then one linear layer.
 *
 * Two texts are read as one with </s> between, or, with pair: compare, each by itself; their
 * vectors u and v then go into the layer as [u v |u-v| u∘v] (Conneau et al. 2017). */
struct head {
    int query;                  /* attention pooling: (1,dim); else -1 */
    int layer, layer_bias;      /* (dim,dim), of compared texts (dim,4·dim); -1 without */
    int weight, bias;           /* (outputs,dim), (1,outputs) */
};

/* Declares the heads of the model's tasks behind the architecture's weights. */
void heads_declare(struct model *m);

/* The states below the head of b's task, (target_tokens, dim). */
struct tensor *head_hidden(const struct model *m, struct tape *tape, const struct batch *b);

#endif
