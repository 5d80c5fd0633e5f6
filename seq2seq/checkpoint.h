#ifndef SEQ2SEQ_CHECKPOINT_H
#define SEQ2SEQ_CHECKPOINT_H

#include <jansson.h>

#include "base/course.h"
#include "seq2seq/model.h"
#include "tensor/adam.h"

#define KEPT_MOST 8

/* Everything that a run needs to go on as if nothing had happened, in one file a checkpoint:
 * checkpoints/update-<n>.safetensors holds weights, moments and averages, and in its metadata the
 * JSON state of the loop.  Written aside, fsynced and renamed; a damaged newest one falls back to
 * the one before, saying so.  `best` is a block of weights that belong into the model's folder and
 * could not be written there; NULL usually. */
struct checkpoint {
    struct model *m;
    struct adam *a;
    float *best;
    struct kept_block kept[KEPT_MOST];        /* what else changes (base/course.h) */
    int kept_count;
};
int checkpoint_save(const char *folder, const struct checkpoint *c, const json_t *state, int64_t update, int keep,
                    struct error *err);

/* The newest good checkpoint into c; *state is new, or NULL where there is none, and so is c->best. */
int checkpoint_load(const char *folder, struct checkpoint *c, json_t **state, struct error *err);

/* The update of the newest checkpoint, or -1. */
int64_t checkpoint_newest(const char *folder);

/* Weights to be averaged at the end: checkpoints/weights-<n>.safetensors. */
int snapshot_save(const char *folder, const struct model *m, const float *block, int64_t update,
                  struct error *err);
/* The best single weights, set aside where a mean of several takes their place in the folder.
 * best_find reads those of this update and returns 1, or 0 where there are none. */
int best_set_aside(const char *folder, const struct model *m, int64_t update, struct error *err);
int best_find(const char *folder, struct model *m, int64_t update, struct error *err);
void snapshot_remove(const char *folder, int64_t update);
/* The mean of the snapshots into block; those that are damaged or gone are told and left out. */
int snapshots_average(const char *folder, const struct model *m, const int64_t *updates, int count,
                      float *block, struct error *err);

#endif
