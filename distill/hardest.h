#ifndef DISTILL_HARDEST_H
#define DISTILL_HARDEST_H

#include <jansson.h>

struct error;

/* Which tokens are among the hardest: against each other, or against a queue of earlier ones
 * (Wang 2021).  {0} is valid and empty. */
struct hardest {
    float *nll, *scratch;       /* the queue, a ring of `room` … */
    int count, room, next;      /* … `next` is written next */
};

void hardest_init(struct hardest *h, int room);
void hardest_release(struct hardest *h);
void hardest_add(struct hardest *h, float nll);
void hardest_clear(struct hardest *h);

/* What a loss must reach to be among the given share of those in the queue: at share 0 infinity,
 * at 1, and where the queue is empty, -infinity. */
float hardest_threshold(struct hardest *h, float share);

json_t *hardest_save(const struct hardest *h);
int hardest_restore(struct hardest *h, const json_t *state, struct error *err);

#endif
