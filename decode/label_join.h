#ifndef DECODE_LABEL_JOIN_H
#define DECODE_LABEL_JOIN_H

#include <stdbool.h>
#include <stdint.h>

#include "decode/label_shard.h"

/* The final check of a labelling job, and its result. */

/* Joins all shards into nbest.tsv and best.txt, comparing every count and hash on the way, and
 * writes labels.json.  Returns 1 when that is done, 0 when shards are still missing (*waiting),
 * -1; then *bad is the shard that was found damaged, whose manifest is gone, or -1. */
int label_join(const struct label_folder *folder, const struct label_plan *plan, const struct label_config *config,
               struct label_counts *counts, int64_t *waiting, int64_t *bad, struct error *err);

/* Whether the job is done: labels.json is of this plan, and the files that it names are there, of
 * the sizes that it says, or also of the hashes if `deep`.  1, 0 (not yet joined), or -1 with why. */
int label_joined(const struct label_folder *folder, const struct label_plan *plan, bool deep,
                 struct label_counts *counts, struct error *err);

/* Of a job that is done: marks the shards (one each) whose soft targets are not what labels.json says, and
 * returns how many; -1 where the lists are not either. */
int64_t label_soft_damaged(const struct label_folder *folder, const struct label_plan *plan, bool *damaged,
                           struct error *err);

/* What is no longer needed once all is joined. */
int label_tidy(const struct label_folder *folder, const struct label_config *config, struct error *err);

#endif
