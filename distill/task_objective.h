#ifndef DISTILL_TASK_OBJECTIVE_H
#define DISTILL_TASK_OBJECTIVE_H

#include "base/course.h"
#include "distill/objectives.h"
#include "seq2seq/objective.h"

/* The loss of a student with several tasks (Clark et al. 2019, "BAM!"): each batch is of one task
 * and goes to that task's objective.
 *
 *     classify, tag, translate   any row of objectives.h, over the task's labels or the vocabulary
 *     regress                    squared error to (1-α)·y + α·teacher, both scaled by the task
 *
 * Teacher annealing is an α that falls: alpha: linear 1 0. */
struct task_teacher {
    const struct model *const *models;
    int count;
    const struct soft_targets *soft;    /* what teachers said (distill/task_outputs.h), bound to the task's examples */
};
/* None of either: the task learns from its labels alone. */

/* teachers: one a task of the student.  plain: the objective of tasks without a teacher, taught:
 * of those with one; each with the options of its kind.  alpha: as in taught's options. */
struct task_objective_config {
    const struct objective_kind *plain, *taught;
    const void *plain_options, *taught_options;
    struct course alpha;
};

int task_objective(struct objective *out, const struct model *student, const struct task_teacher *teachers,
                   const struct task_objective_config *config, struct error *err);

#endif
