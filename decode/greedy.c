/* Greedy search: the likeliest token, nothing else looked at. */
#include <math.h>

#include "decode/slot.h"

void advance_greedy(struct slot *s, struct advance *a, float *logp)
{
    struct live *only = &s->live[0];
    if (s->step < a->config->min_length && s->step < s->limit)
        logp[a->eos] = -INFINITY;
    int32_t best = select_best(logp, a->V);
    if (best == a->eos || best < 0 || s->step == s->limit) {
        slot_finish(s, a, only, best < 0 ? -INFINITY : logp[a->eos], best != a->eos);
        s->live_count = 0;
        return;
    }
    *only = (struct live){ only->logp + logp[best],
                           slot_add_node(s, only->node, best, logp[best]), 0 };
    s->step++;
}
