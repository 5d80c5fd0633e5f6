/* Greedy search: the likeliest token, nothing else looked at. */
#include <math.h>

#include "decode/slot.h"

void advance_greedy(struct slot *s, struct advance *a, float *logit, const float *lse)
{
    struct live *only = &s->live[0];
    if (s->step < a->config->min_length && s->step < s->limit)
        logit[a->eos] = -INFINITY;
    int32_t best = isfinite(*lse) ? select_best(logit, a->V) : -1;
    if (best == a->eos || best < 0 || s->step == s->limit) {
        slot_finish(s, a, only, best < 0 ? -INFINITY : logit[a->eos] - *lse, best != a->eos);
        s->live_count = 0;
        return;
    }
    float logp = logit[best] - *lse;
    *only = (struct live){ only->logp + logp, slot_add_node(s, only->node, best, logp), 0 };
    s->step++;
}
