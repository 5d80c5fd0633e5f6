#ifndef CORPORA_NEAR_H
#define CORPORA_NEAR_H

#include "corpora/text.h"

/* Keys of a pair such that pairs of much the same letters most likely share one: MinHash (Broder
 * 1997) over runs of five letters or digits of both sides, lower-cased, in 16 bins of one
 * permutation, taken four at a time.  Pairs with a Jaccard similarity of 0.9 share a key with a
 * probability of 0.99, of 0.7 with 0.67, of 0.5 with 0.23.  Short pairs have keys for being equal but for what
 * is no letter. */
#define NEAR_KEYS 4
void near_keys(uint64_t keys[NEAR_KEYS], struct text_pair pair);

#endif
