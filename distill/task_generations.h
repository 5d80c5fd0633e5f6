#ifndef DISTILL_TASK_GENERATIONS_H
#define DISTILL_TASK_GENERATIONS_H

#include <jansson.h>
#include <stdbool.h>

struct error;

/* `generations: [...]` in a training of several tasks: who teaches whom, as in the table of Clark et
 * al. 2019.
 *
 *     bam:
 *       kind: train-tasks
 *       tasks: [trec, subj]
 *       generations: [single, multi, single to single, single to multi, multi to multi]
 *       single: { max-updates: 400 }      # keys of models that know one task
 *       multi: { layer-decay: 0.9 }       # of models that know all
 *       of: { subj: { dropout: 0.5 } }    # of models that know this task alone
 *       taught: { alpha: linear 1 0 }     # of models with teachers
 *       kept: true                        # what teachers say is kept first (task-outputs), not asked anew
 *       variants:                         # a generation with some keys changed
 *         fixed: { generation: single to multi, alpha: 0.5 }
 *
 * becomes the stages bam-single-trec, bam-single-subj, bam-multi, bam-single-to-single-trec, …,
 * bam-single-to-multi, bam-fixed, each with its evaluation (…-scores).  What a generation learns from
 * that is not on the list is trained as well, and but once.  In the rows of a table `bam-scores`
 * stands for one row a generation and a variant; elsewhere `bam` is the last generation, where that
 * knows all tasks. */

bool task_generations_given(const json_t *stage);

/* Adds the stages to `out`. */
int task_generations_add(json_t *out, const char *name, const json_t *stage, struct error *err);

/* The value of an input with what stands for these generations written out; a new reference. */
json_t *task_generations_followed(const json_t *stages, const json_t *value);

#endif
