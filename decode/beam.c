/* Beam search; its rules are told in search.h.
 *
 * Invariant: live prefixes all have `step` tokens and are sorted by log-probability, best first;
 * an equal length lets them compare without a penalty, which divides only when one finishes. */
#include <math.h>

#include "decode/slot.h"

/* At the limit each prefix ends, whatever the model would rather do. */
static void finish_all(struct slot *s, const struct advance *a, const float *logit, const float *lse)
{
    for (int r = 0; r < s->live_count; r++) {
        const float *logit_r = logit + (size_t)r * a->V;
        bool chosen = select_best(logit_r, a->V) == a->eos;
        slot_finish(s, a, &s->live[r], logit_r[a->eos] - lse[r], !chosen);
    }
    s->live_count = 0;
}

static void forbid_eos(const struct slot *s, const struct advance *a, float *logit)
{
    for (int r = 0; r < s->live_count; r++)
        logit[(size_t)r * a->V + a->eos] = -INFINITY;
}

/* The log-sum-exp goes into the sums, so that one pass over the logits both normalises and selects. */
static int pick_best(const struct slot *s, const struct advance *a, const float *logit, const float *lse)
{
    for (int r = 0; r < s->live_count; r++)
        a->sum[r] = s->live[r].logp - (double)lse[r];
    return select_top(a->candidates, 2 * a->config->beam, logit, a->sum, s->live_count, a->V);
}

/* Divides the candidates between those that finish and those that live on. */
static void extend(struct slot *s, const struct advance *a, const float *lse, int count)
{
    int k = a->config->beam, alive = 0;
    for (int i = 0; i < count && alive < k; i++) {
        const struct candidate *c = &a->candidates[i];
        const struct live *from = &s->live[c->row];
        float logp = c->value - lse[c->row];
        if (c->token != a->eos)
            s->next_live[alive++] = (struct live){
                c->logp, slot_add_node(s, from->node, c->token, logp), c->row };
        else if (i < k)
            slot_finish(s, a, from, logp, false);
    }
    struct live *old = s->live;
    s->live = s->next_live;
    s->next_live = old;
    s->live_count = alive;
    s->step++;
}

/* Log-probabilities only fall and penalties only grow with length, so no continuation of the
 * best live prefix can score more than this. */
static double best_to_come(const struct slot *s, const struct search_config *c)
{
    return search_score(c, s->live[0].logp, s->limit + 1);
}

static bool settled(const struct slot *s, const struct search_config *c)
{
    if (s->finished_ever >= c->beam)
        return true;
    return s->finished_count >= c->n_best
        && best_to_come(s, c) <= s->finished[c->n_best - 1].score;
}

void advance_beam(struct slot *s, struct advance *a, float *logit, const float *lse)
{
    if (s->step == s->limit) {
        finish_all(s, a, logit, lse);
        return;
    }
    if (s->step < a->config->min_length)
        forbid_eos(s, a, logit);
    int count = pick_best(s, a, logit, lse);
    if (count == 0 && s->finished_count == 0) {         /* the model gave no usable scores */
        slot_finish(s, a, &s->live[0], -INFINITY, true);
        s->live_count = 0;
        return;
    }
    extend(s, a, lse, count);
    if (s->live_count && settled(s, a->config))
        s->live_count = 0;
}
