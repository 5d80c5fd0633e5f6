#ifndef CLI_TRAIN_FORECAST_H
#define CLI_TRAIN_FORECAST_H

#include <stdio.h>

#include "base/strbuf.h"
#include "seq2seq/train_plan.h"

/* What `coho train --dry-run` tells: parameters, memory, work a token, batches an epoch, time.  The
 * corpora are read once for their number of lines; tokens are counted on a sample of them. */
int train_forecast(FILE *out, const struct strings *sources, const struct strings *targets, const struct model *m,
                   const struct train_plan *plan, const struct train_config *config,
                   const struct batching_config *batching, struct error *err);

#endif
