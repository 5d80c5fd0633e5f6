#ifndef BASE_COURSE_H
#define BASE_COURSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* Where a training stands. */
struct moment {
    double progress;            /* the share of it that is done, 0 … 1 */
    int64_t update;             /* updates done */
    int rises;                  /* how often the dev loss was higher than at the validation before */
    uint64_t seed;              /* for this update (and, where there are several, this piece of it) */
    int epoch;                  /* epochs done */
};

/* Numbers that change over a training beside the weights, such as a teacher that is trained as well:
 * checkpoints hold them and give them back. */
struct kept_block {
    const char *name;
    float *data;
    size_t count;
};

/* A number that may change over a training: a weight, a share.  As text it is a number, or the
 * name of a shape and numbers:
 *
 *     0.5                          the same all the time
 *     linear 1 0                   from 1 to 0 over the training
 *     ramp 0 3 100 600             0 until update 100, then evenly to 3 at update 600
 *     cut-off 0.5 60%              0.5 during the first 60% of the training, then 0
 *     exponential 1 0 200          from 1 towards 0 as 200^-progress
 *     triggered 0 1 0.1            from 0, a tenth of the way to 1 at every rise of the dev loss
 *
 * A place (where a ramp begins and ends, where a cut is) is a number of updates, or with % a share
 * of the training.  To add a shape: a row in course.c. */
struct course {
    const struct course_shape *shape;   /* NULL: `from` all the time */
    float from, to;
    float at[2];                        /* what else the shape takes */
    bool share[2];                      /* it is in % of the training */
};

#define COURSE_TEXT 128

/* min and max bound the values (from and to); both 0: any. */
int course_parse(struct course *out, const char *text, double min, double max, struct error *err);
float course_at(const struct course *c, const struct moment *when);
bool course_constant(const struct course *c);
bool course_watches(const struct course *c);    /* it changes with the dev loss, and without one never */
bool course_shares(const struct course *c);     /* it changes with the share of the training that is done */
int64_t course_stays(const struct course *c);   /* as it is until this update; 0: it moves at once, or who knows when */
/* The largest value that it ever takes. */
float course_largest(const struct course *c);
/* As text that parses to the same. */
void course_text(char text[COURSE_TEXT], const struct course *c);

#endif
