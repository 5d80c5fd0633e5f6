#ifndef DISTILL_INITIAL_H
#define DISTILL_INITIAL_H

struct error;
struct model;

/* Where a student's weights start when not at random: copies every weight of `from`.  The two
 * models must have the same shape and vocabularies; else the first difference is named. */
int initial_copy(struct model *m, const struct model *from, struct error *err);

#endif
