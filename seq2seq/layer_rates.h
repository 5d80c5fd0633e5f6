#ifndef SEQ2SEQ_LAYER_RATES_H
#define SEQ2SEQ_LAYER_RATES_H

struct model;

/* Layer-wise learning rates (Howard & Ruder 2018; Clark et al. 2019): what stands d layers below
 * the top learns at decay^d of the rate.  Heads and the output layer are at the top, the last
 * layer of the encoder and of the decoder at 1, embeddings below the first layers.
 * One factor a parameter, the caller's; NULL for a decay of 1. */
float *layer_rates(const struct model *m, float decay);

#endif
