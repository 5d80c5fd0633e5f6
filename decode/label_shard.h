#ifndef DECODE_LABEL_SHARD_H
#define DECODE_LABEL_SHARD_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "base/strbuf.h"
#include "decode/label.h"
#include "decode/label_folder.h"
#include "decode/label_input.h"
#include "decode/label_plan.h"
#include "decode/nbest.h"

struct decoder;
struct error;
struct forced;

/* What was counted in some lines. */
struct label_counts {
    int64_t lines, hypotheses, source_words;
    int64_t marks[NBEST_MARKS];         /* of best hypotheses */
    double seconds;
};
void label_counts_add(struct label_counts *to, const struct label_counts *more);
void label_counts_put(const struct label_counts *c, json_t *object);
struct label_counts label_counts_get(const json_t *object);

/* One process at labelling: shard after shard, in rising order as a rule. */
struct labeller {
    const struct label_job *job;
    const struct label_folder *folder;
    const struct label_plan *plan;
    struct decoder *decoder;            /* made when first needed … */
    struct forced *forced;
    struct label_input source, target;  /* standing behind the last line read */
    struct strings sources, targets, best;      /* of the window at work */
    struct strings target_paths;
    unsigned *marks;                    /* of the window's lines, before any search */
    size_t mark_room;
    struct progress progress;
};
void labeller_release(struct labeller *l);

/* Labels a shard: its files, then its manifest.  Nothing of it is left when it fails. */
int label_shard(struct labeller *l, int64_t shard, struct error *err);

/* The manifest of a shard whose files are all there and what it says: by their sizes, and by
 * their hashes too if `deep`.  NULL: absent, or damaged, and then `why` says how. */
json_t *label_shard_manifest(const struct label_folder *folder, const struct label_plan *plan, int64_t shard,
                             bool deep, char *why, size_t room);

#endif
