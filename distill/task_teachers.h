#ifndef DISTILL_TASK_TEACHERS_H
#define DISTILL_TASK_TEACHERS_H

#include <jansson.h>

#include "distill/task_data.h"
#include "distill/task_objective.h"

/* Who teaches a student of several tasks, by a stage's inputs: `teachers`, whose models run along
 * (several of one task are an ensemble), and `outputs`, what models said and was kept. */
struct task_teachers {
    const struct task_data *data;
    struct task_teacher *of;            /* one a task; empty: nobody teaches it */
    struct model ***models;             /* those of each … */
    struct soft_targets **outputs;      /* … or what they said */
};

/* `out` is to be released whatever comes of it. */
int task_teachers_load(struct task_teachers *out, const struct task_data *data, struct error *err);
void task_teachers_release(struct task_teachers *t);

/* For lineage.json: a list. */
json_t *task_teachers_describe(const struct task_teachers *t);

#endif
