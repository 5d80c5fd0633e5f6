#ifndef DISTILL_TASK_VALIDATOR_H
#define DISTILL_TASK_VALIDATOR_H

#include "distill/task_files.h"
#include "seq2seq/train.h"

/* Validation of a student of several tasks: what it scores on the examples set aside for each
 * (distill/task_scores.h), and their average.  The metric that picks the best weights and ends
 * the training is "average" or the name of a task.  Every score goes into the log as
 * "valid_<task>".
 *
 * With a patience, a task whose own score has not risen for so many validations is learnt from no more
 * (mixture_judge); the last one goes on. */
struct task_validation {
    const struct task_files *files;     /* one a task of the model; those without dev are passed over */
    int count;
    struct batch_source *train;         /* a mixture with a part a task, in the same order */
    int patience;                       /* 0: every task is learnt from to the end */
};

/* `v` must outlive the validator. */
void task_validator_open(struct validator *out, const struct task_validation *v);
void task_validator_close(struct validator *v);


#endif
