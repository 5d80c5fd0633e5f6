/* Sampling: every row draws its own next token.  The first step has one row, which all samples
 * share; those that have drawn </s> leave. */
#include <math.h>

#include "decode/slot.h"

static void begin_samples(struct slot *s, int count)
{
    for (int i = 0; i < count; i++) {
        s->live[i] = s->live[0];
        s->live[i].part = i;
    }
    s->live_count = count;
}

/* Extends the sample into *next, or finishes it: false. */
static bool draw(struct live *next, struct slot *s, struct advance *a, const struct live *from, int row,
                 float *logit, float lse)
{
    int place = isfinite(lse) ? sample_token(&a->sampler, logit, a->V, &a->config->sampling,
                                             &s->rng[from->part]) : -1;
    float value = place < 0 ? 0 : logit[place];
    advance_undo(a, 0);
    if (place < 0 || place == a->eos || s->step == s->limit) {
        slot_finish(s, a, from, row, place < 0 ? -INFINITY : logit[a->eos] - lse, from->penalty,
                    place != a->eos);
        return false;
    }
    float logp = logit[place] - lse;
    *next = (struct live){ from->logp + logp, from->penalty + (logit[place] - value),
                           slot_add(s, a, from, row, place, logp), row, from->part };
    return true;
}

void advance_sampled(struct slot *s, struct advance *a, float *logit, const float *lse)
{
    bool first = s->step == s->prefix_count;
    int alive = 0;
    if (first)
        begin_samples(s, a->config->n_best);
    for (int i = 0; i < s->live_count; i++) {
        int row = first ? 0 : i;
        advance_forbid(s, a, logit, lse, i, i + 1);
        alive += draw(&s->next_live[alive], s, a, &s->live[i], row, advance_row(a, logit, row), lse[row]);
    }
    slot_turn(s, alive);
}
