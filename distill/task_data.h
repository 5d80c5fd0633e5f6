#ifndef DISTILL_TASK_DATA_H
#define DISTILL_TASK_DATA_H

#include "base/course.h"
#include "corpora/batch.h"
#include "corpora/batching.h"
#include "distill/stage.h"
#include "distill/task_files.h"

struct error;
struct model;
struct store;

/* What a student of several tasks learns from and is validated on, made of a stage's inputs: `tasks`,
 * and `pseudo`, which names for some of them stages with pseudo-labelled examples.
 *
 *     train   batches of one task each, drawn with probability ∝ |D|^mixing (corpora/mixture.h); those
 *             of pseudo-labelled examples by pseudo_weight of that; words dropped, texts damaged
 *     dev     the tasks' examples to validate on, one task after another; state NULL: there are none
 */
struct task_data_config {
    const struct batching_config *batching;
    float mixing, word_dropout;
    struct course pseudo_weight;
    int64_t seed;
    int micro_tokens;                   /* of the training */
};

struct task_data {
    struct stage_run *run;
    const struct task_data_config *config;
    int count;                          /* tasks */
    struct task_files *files;           /* called as the stages under `tasks` are */
    struct store **train_stores, **dev_stores, **pseudo_stores;         /* one a task, or NULL */
    struct batch_source train, dev;
};

/* The tasks alone; then, with the model that was made for them, the batches.  `out` is to be released
 * whatever comes of it. */
int task_data_read(struct task_data *out, struct stage_run *run, struct error *err);
int task_data_open(struct task_data *d, const struct task_data_config *config, const struct model *m, struct error *err);
void task_data_release(struct task_data *d);
int task_data_find(const struct task_data *d, const char *name);        /* a task's number; -1: none */

/* Removes the stores from the stage's folder. */
int task_data_clear(const struct task_data *d, struct error *err);

#endif
