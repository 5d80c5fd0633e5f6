#ifndef DISTILL_OBJECTIVES_H
#define DISTILL_OBJECTIVES_H

#include "base/option.h"
#include "seq2seq/objective.h"
#include "seq2seq/teacher.h"

struct error;
struct kd_method;
struct model;
struct soft_targets;

/* What an objective may need besides its options; what it does not ask for may be absent.
 * Everything must outlive the objective. */
struct objective_needs {
    const struct model *student;
    const struct model *const *teachers;        /* one, or several whose mean teaches */
    int teacher_count;
    const float *weights;                       /* of the teachers; NULL: equal ones */
    enum average average;                       /* of several */
    const struct soft_targets *soft;            /* instead of teachers: bound to the corpus; NULL: none */
    const char *task;                           /* of a student with several; NULL: it has none */
    float teacher_temperature;                  /* divides the teachers' logits alone; 0: as 1 */
};

/* The losses that a recipe may name.  Those that learn from a teacher's distributions differ in a
 * divergence or in what becomes of a row (kd.h).  To add one: its method and options in
 * kd_methods.c and a row in objectives.c; tests/distill/objectives_gradient_test.c checks the gradient of
 * every row. */
struct objective_kind {
    const char *name, *summary;
    const char *source;                 /* where it is described: paper and place */
    const struct option *options;       /* of its config … */
    size_t config_size;
    bool wants_teacher;
    const struct kd_method *method;
    int (*make)(struct objective *out, const struct objective_kind *kind, const struct objective_needs *needs,
                const void *config, struct error *err);
};
extern const struct objective_kind objective_kinds[];   /* a row without a name ends it */

/* NULL, with the nearest known name in the message, when there is none of that name. */
const struct objective_kind *objective_find(const char *name, struct error *err);

int objective_make(struct objective *out, const struct objective_kind *kind, const struct objective_needs *needs,
                   const void *config, struct error *err);

#endif
