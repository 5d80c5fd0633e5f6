#ifndef TENSOR_LSTM_H
#define TENSOR_LSTM_H

#include "tensor/tape.h"
#include "tensor/timeline.h"

/* Recurrent layers and the decoder that attends, forward; gradients come about as in tape.h.
 * Gates stand as input, forget, candidate, output, H columns each. */

struct lstm {
    struct tensor *y, *c;       /* (N,H): outputs and cells of every step, in the timeline's order */
};

/* One LSTM layer (Hochreiter & Schmidhuber 1997) in one direction over x (N,I), in the timeline's order:
 *
 *     gates = x wxᵀ + y[step before] whᵀ + bias        wx (4H,I), wh (4H,H), bias (1,4H)
 *
 * h and c (B,H), one row a sentence, are the states before the first step; NULL: zeros.  A reverse
 * layer walks from each sentence's last token to its first, and starts from zeros.  The timeline
 * must outlive the backward pass. */
struct lstm op_lstm(struct tape *t, struct tensor *x, struct tensor *wx, struct tensor *wh,
                    struct tensor *bias, struct tensor *h, struct tensor *c,
                    const struct timeline *line, bool reverse);

/* A stack of LSTM layers that attends over the source at each step (Luong et al. 2015) and feeds
 * the attentional vector back into the next step's first layer:
 *
 *     h_0 = lstm_0([x_t ; a_{t-1}], …),  h_l = lstm_l(dropout(h_{l-1}), …),  q = h_top
 *     p   = soft-max over the sentence's source tokens s of q · k_s
 *     a_t = dropout(tanh(Σ_s p_s v_s + q outᵀ + out_bias))
 *
 * k and v are the halves of kv: for encoder states m, the "general" score qᵀ W m is q · k with
 * k = W m, and the context's part of the combination is Σ p v with v = W_c m. */
struct decoder_cell {
    struct tensor *w;           /* (4H,2H): of [a_{t-1} ; h] in layer 0, of [h_{l-1} ; h] above */
    struct tensor *bias;        /* (1,4H) */
    struct tensor *h, *c;       /* (B,H): states before the first step, one row a sentence */
};

struct attentive_decoder {
    struct tensor *x;           /* (N,I), in the timeline's order */
    struct tensor *wx;          /* (4H,I): of x, in layer 0 */
    const struct decoder_cell *cells;
    int layers;
    struct tensor *kv;          /* (source tokens, 2H), in the source's timeline's order */
    struct tensor *out, *out_bias;      /* (H,H), (1,H) */
    const struct timeline *target, *source;
    float drop;
};

/* The attentional vectors (N,H), packed sentence by sentence.  The timelines must outlive the
 * backward pass. */
struct tensor *op_attentive_decoder(struct tape *t, const struct attentive_decoder *d);

/* y = dropout(tanh(x)) */
struct tensor *op_tanh(struct tape *t, struct tensor *x, float drop);

#endif
