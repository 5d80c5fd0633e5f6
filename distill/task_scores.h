#ifndef DISTILL_TASK_SCORES_H
#define DISTILL_TASK_SCORES_H

#include <jansson.h>

#include "base/strbuf.h"
#include "distill/task_files.h"

struct error;
struct model;

/* What a model scores on a set of examples of one of its tasks (its number `task`): *main is what
 * counts, of accuracy, Pearson's correlation, F1 of spans or BLEU, times 100.  NAN: not defined, as a
 * correlation with answers that are all the same.
 *
 * answers, where not NULL, gets an answer an example, in order; figures "<task>.<metric>" for every
 * metric that fits.  Translations are searched greedily. */
int task_score(double *main, struct strings *answers, json_t *figures, const struct model *m, int task,
               const struct task_set *set, int threads, struct error *err);

#endif
