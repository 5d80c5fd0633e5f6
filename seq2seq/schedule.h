#ifndef SEQ2SEQ_SCHEDULE_H
#define SEQ2SEQ_SCHEDULE_H

#include <stdint.h>

struct train_config;

/* The learning rate of an update (1, 2, …): a linear warm-up, then the schedule.  progress is the
 * share of training done, plateau the product of the factors so far. */
double schedule_rate(const struct train_config *c, int64_t update, double progress, double plateau);

#endif
