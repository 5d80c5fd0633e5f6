#ifndef DECODE_PAIR_SCORER_H
#define DECODE_PAIR_SCORER_H

#include "corpora/clean.h"

struct error;

/* Models as what a corpus filter asks (corpora/clean.h): the cross-entropy of target given source by
 * the model in the folder `forward`, and of source given target by that in `backward`; either may be
 * NULL.  threads 0: one a core. */
int pair_scorer_open(struct pair_scorer *out, const char *forward, const char *backward, int threads,
                     struct error *err);
void pair_scorer_close(struct pair_scorer *s);          /* harmless on {0} */

#endif
