#ifndef DISTILL_OBJECTIVES_H
#define DISTILL_OBJECTIVES_H

#include "base/option.h"
#include "seq2seq/objective.h"

struct error;
struct model;

/* What an objective may need besides its options; what it does not ask for may be NULL.
 * Everything must outlive the objective. */
struct objective_needs {
    const struct model *student, *teacher;
};

/* The losses that a recipe may name.  To add one: write its options and its constructor in
 * distill/objective_<name>.c and add a row in objectives.c. */
struct objective_kind {
    const char *name, *summary;
    const struct option *options;       /* of its config … */
    size_t config_size;
    bool wants_teacher;
    int (*make)(struct objective *out, const struct objective_needs *needs, const void *config,
                struct error *err);
};
extern const struct objective_kind objective_kinds[];   /* a row without a name ends it */

/* NULL, with the nearest known name in the message, when there is none of that name. */
const struct objective_kind *objective_find(const char *name, struct error *err);

#endif
