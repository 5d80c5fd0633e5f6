#ifndef CORPORA_CHAIN_H
#define CORPORA_CHAIN_H

#include "corpora/batch.h"

/* Several batch sources one after another, as one epoch: what a student of several tasks is
 * validated on.  Batches of part i have task[i].  The sources become the chain's. */
void chain_open(struct batch_source *out, const struct batch_source *parts, const int *task, int count);

#endif
