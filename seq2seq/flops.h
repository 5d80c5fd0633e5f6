#ifndef SEQ2SEQ_FLOPS_H
#define SEQ2SEQ_FLOPS_H

#include "seq2seq/model.h"

/* Floating-point operations of training on a pair of S source and T target tokens, marks included:
 * two a weight and token forward, twice that backward, the attention's products likewise.
 * Only products count: what else is done is what speed is lost to. */
double model_pair_flops(const struct model *m, double S, double T);

#endif
