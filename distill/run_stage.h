#ifndef DISTILL_RUN_STAGE_H
#define DISTILL_RUN_STAGE_H

#include "distill/run.h"

/* Between plan.c and run.c: one stage of a run. */

/* Fills run->plans[index] and its manifest, given those of the stages before it.  *description
 * is what it would be made from now, the caller's, or NULL when an input is not done. */
int plan_stage(struct run *run, size_t index, json_t **description, struct error *err);

void stage_run_open(struct stage_run *out, const struct run *run, size_t index);
void stage_run_close(struct stage_run *run);

/* Puts "recipe.yml:12: stage 'x'" before the message.  Returns -1. */
int recipe_blame_stage(const struct recipe *recipe, size_t index, struct error *err);

#endif
