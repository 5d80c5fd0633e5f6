/* The weights of an epoch ago, in a block of their own behind which the number of the turn stands, so
 * that a checkpoint has both. */
#include "distill/past_self.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "seq2seq/model.h"

struct past_self {
    const struct model *now;
    struct model past;          /* `now` with other weights */
    int every;
    float *turn;                /* of the copy; 0: there is none yet */
    struct kept_block kept;
};

struct past_self *past_self_new(const struct model *now, int every)
{
    struct past_self *p = xcalloc(1, sizeof *p);
    size_t total = now->params.total;
    p->now = now;
    p->every = every;
    p->past = *now;
    p->past.params.block = xaligned((total + 1) * sizeof(float));
    memcpy(p->past.params.block, now->params.block, total * sizeof(float));
    p->turn = p->past.params.block + total;
    *p->turn = 0;
    p->kept = (struct kept_block){ "past-self", p->past.params.block, total + 1 };
    return p;
}

void past_self_free(struct past_self *p)
{
    if (!p)
        return;
    free(p->past.params.block);
    free(p);
}

/* In a float turns are exact up to 16 million of them. */
void past_self_turn(struct past_self *p, const struct moment *when)
{
    float turn = p->every ? (float)(when->update / p->every) : (float)when->epoch;
    if (turn <= *p->turn)
        return;
    memcpy(p->past.params.block, p->now->params.block, p->now->params.total * sizeof(float));
    *p->turn = turn;
}

bool past_self_known(const struct past_self *p)
{
    return *p->turn > 0;
}

const struct model *past_self_model(const struct past_self *p)
{
    return &p->past;
}

const struct kept_block *past_self_kept(struct past_self *p)
{
    return &p->kept;
}
