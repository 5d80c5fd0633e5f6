#ifndef DISTILL_INITIAL_H
#define DISTILL_INITIAL_H

struct error;
struct model;

/* Where a student's weights start when not at random: copies every weight of `from`.  The two
 * models must have the same shape and vocabularies; else the first difference is named. */
int initial_copy(struct model *m, const struct model *from, struct error *err);

/* Copies every weight that both have by name and shape: a student of other tasks starts with the
 * encoder of one that was trained before.  The vocabularies must be the same; that nothing fits
 * is an error. */
int initial_shared(struct model *m, const struct model *from, struct error *err);

#endif
