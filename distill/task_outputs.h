#ifndef DISTILL_TASK_OUTPUTS_H
#define DISTILL_TASK_OUTPUTS_H

#include <jansson.h>
#include <stdint.h>

struct error;
struct store;
struct task;
struct teacher;

#define TASK_OUTPUTS_FILE "outputs.soft"

/* What a teacher says of every label of a task's examples, kept as soft targets
 * (corpora/soft_targets.h): the probability of every label, or, of a number, one entry whose
 * logarithm is that number, scaled by the task.  Examples longer than max_length are left out.
 * `about`: what made it, for the file. */
int task_outputs_write(const char *path, const struct teacher *t, const struct task *task, const struct store *examples,
                       int32_t eos, int max_length, const json_t *about, struct error *err);

#endif
