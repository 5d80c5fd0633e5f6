#ifndef DISTILL_MODEL_STAGE_H
#define DISTILL_MODEL_STAGE_H

#include "distill/stage.h"

struct error;
struct model;
struct model_config;
struct objective;
struct option;
struct task;
struct train_config;
struct train_data;
struct train_report;

/* What stages that make models share. */

/* A model over the stage's `vocabulary`, its weights drawn from the seed; without tasks (NULL, 0) it translates. */
struct model *stage_model_new(const struct stage_run *run, const struct model_config *config, const struct task *tasks,
                              int task_count, int64_t seed, struct error *err);

/* The options of the objective that the recipe gives, else `otherwise`: what stage.h calls a variant. */
int stage_objective_variant(const char *otherwise, const json_t *given, const struct option **options, size_t *size,
                            struct error *err);

/* train_model in the stage's folder, with its threads, going on where it was stopped. */
int stage_train_model(struct stage_run *run, struct model *m, const struct objective *objective,
                      const struct train_data *data, const struct train_config *config, struct train_report *report,
                      struct error *err);

/* ---- lineage ---- */

/* Name and options of the stage's objective. */
json_t *stage_objective_describe(const struct stage_run *run, const char *name);

/* m's lineage: the recipe, the seed, and the rest as given, which becomes the lineage's.  data: an object of
 * what it learnt from; NULL: nothing to tell.  teachers: an array. */
void stage_lineage_set(const struct stage_run *run, struct model *m, int64_t seed, json_t *objective, json_t *data,
                       json_t *teachers);
/* And the weights it started with, those of the stage under `start`, if any; the object, borrowed, or NULL. */
json_t *stage_lineage_start(const struct stage_run *run, struct model *m, uint64_t fingerprint);

/* An ancestor for lineage.json: the stage of the link, its model's fingerprint, its own lineage. */
json_t *stage_ancestor(const struct stage_run *run, const struct stage_link *link, uint64_t fingerprint);
/* The same of a model in another folder that the stage left. */
json_t *stage_ancestor_in(const struct stage_run *run, const struct stage_link *link, const char *folder,
                          uint64_t fingerprint);

/* ---- results ---- */

/* What remains to do once a training is over: its figures beside those that the stage has set (train_seconds counts
 * what the starting weights took, too), the lineage with all of them, checkpoints and the encoded dev set gone, the
 * model's files named as outputs. */
int stage_train_finish(struct stage_run *run, struct model *m, const struct train_report *r, struct error *err);

/* lineage.json again, with the figures in it. */
int stage_lineage_write(struct stage_run *run, struct model *m, struct error *err);

/* Names the files of the model in the stage's folder, and of those that its training kept beside it, as
 * its outputs. */
void stage_model_outputs(struct stage_run *run);

/* The files of the model in that folder into the stage's, lineage included, without the log. */
int stage_model_copy(struct stage_run *run, const char *folder, struct error *err);

#endif
