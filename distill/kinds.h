#ifndef DISTILL_KINDS_H
#define DISTILL_KINDS_H

#include "distill/stage.h"

/* The kinds of stages that recipes may name; ends with NULL.
 *
 * To add a kind: write distill/stage_<name>.c with its config, option table, inputs and run, and
 * add its row here and in kinds.c. */
extern const struct stage_kind *const stage_kinds[];

extern const struct stage_kind stage_corpus, stage_vocabulary, stage_train, stage_prune, stage_slice, stage_task,
                               stage_train_tasks, stage_evaluate_tasks, stage_task_table, stage_label, stage_select,
                               stage_filter, stage_reverse, stage_quantize, stage_corrupt, stage_munge,
                               stage_novelty, stage_train_meta, stage_figures, stage_match, stage_task_outputs,
                               stage_label_task, stage_evaluate, stage_gap, stage_table, stage_choose;

#endif
