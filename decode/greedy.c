/* Greedy search: the likeliest token, nothing else looked at; or the one that the model says it is, where
 * nobody asks for log-probabilities. */
#include <math.h>

#include "decode/slot.h"

void advance_best(struct slot *s, struct advance *a, int32_t best)
{
    struct live *only = &s->live[0];
    if (best == a->eos || best < 0 || s->step == s->limit) {
        slot_finish(s, a, only, 0, best < 0 ? -INFINITY : 0, only->penalty, best != a->eos);
        s->live_count = 0;
        return;
    }
    *only = (struct live){ .penalty = only->penalty, .node = slot_add(s, a, only, 0, best, 0) };
    s->step++;
}

void advance_greedy(struct slot *s, struct advance *a, float *logit, const float *lse)
{
    struct live *only = &s->live[0];
    advance_forbid(s, a, logit, lse, 0, 1);
    int best = isfinite(*lse) ? select_best(logit, a->V) : -1;
    float value = best < 0 ? 0 : logit[best];
    advance_undo(a, 0);
    if (best == a->eos || best < 0 || s->step == s->limit) {
        slot_finish(s, a, only, 0, best < 0 ? -INFINITY : logit[a->eos] - *lse, only->penalty,
                    best != a->eos);
        s->live_count = 0;
        return;
    }
    float logp = logit[best] - *lse;
    *only = (struct live){ .logp = only->logp + logp, .penalty = only->penalty + (logit[best] - value),
                           .node = slot_add(s, a, only, 0, best, logp) };
    s->step++;
}
