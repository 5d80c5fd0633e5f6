#ifndef DISTILL_PAST_SELF_H
#define DISTILL_PAST_SELF_H

#include <stdbool.h>

#include "base/course.h"

struct model;

/* A model as it was some time ago, while it is trained: its own teacher (AIR, Dong 2019).
 *
 * At every turn, an epoch or so many updates, the weights of now are copied; before the first there
 * is no past. */
struct past_self;

struct past_self *past_self_new(const struct model *now, int every);   /* updates a turn; 0: an epoch */
void past_self_free(struct past_self *p);

/* Copies when another turn has begun; nobody may be using the past model. */
void past_self_turn(struct past_self *p, const struct moment *when);
bool past_self_known(const struct past_self *p);
const struct model *past_self_model(const struct past_self *p);         /* borrowed; shares all but weights */
const struct kept_block *past_self_kept(struct past_self *p);

#endif
