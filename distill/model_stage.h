#ifndef DISTILL_MODEL_STAGE_H
#define DISTILL_MODEL_STAGE_H

#include "distill/stage.h"

struct error;
struct model;
struct tokenizer;
struct train_report;

/* What stages that make models share. */

/* joint.spm of a vocabulary stage, twice, or source.spm and target.spm. */
int stage_vocabulary_load(struct tokenizer **source, struct tokenizer **target, const struct stage_run *run,
                          struct error *err);

/* An ancestor for lineage.json: the stage of the link, its model's fingerprint, its own lineage. */
json_t *stage_ancestor(const struct stage_run *run, const struct stage_link *link, uint64_t fingerprint);
/* The same of a model in another folder that the stage left. */
json_t *stage_ancestor_in(const struct stage_run *run, const struct stage_link *link, const char *folder,
                          uint64_t fingerprint);

/* The figures of a training; train_seconds counts what the starting weights took, too. */
void stage_train_figures(struct stage_run *run, const struct model *m, const struct train_report *r);

/* lineage.json again, with the figures in it. */
int stage_lineage_write(struct stage_run *run, struct model *m, struct error *err);

/* Names the files of the model in the stage's folder, and of those that its training kept beside it, as
 * its outputs. */
void stage_model_outputs(struct stage_run *run);

/* The files of the model in that folder into the stage's, lineage included, without the log. */
int stage_model_copy(struct stage_run *run, const char *folder, struct error *err);

#endif
