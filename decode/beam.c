/* Beam search; its rules are told in search.h.
 *
 * Invariant: live prefixes all have `step` tokens and are sorted by log-probability, best first;
 * an equal length lets them compare without a penalty, which divides only when one finishes. */
#include <math.h>

#include "decode/slot.h"

/* At the limit each prefix ends, whatever the model would rather do. */
static void finish_all(struct slot *s, const struct advance *a, const float *logp)
{
    for (int r = 0; r < s->live_count; r++) {
        const float *logp_r = logp + (size_t)r * a->V;
        bool chosen = select_best(logp_r, a->V) == a->eos;
        slot_finish(s, a, &s->live[r], logp_r[a->eos], !chosen);
    }
    s->live_count = 0;
}

static void forbid_eos(const struct slot *s, const struct advance *a, float *logp)
{
    for (int r = 0; r < s->live_count; r++)
        logp[(size_t)r * a->V + a->eos] = -INFINITY;
}

static int pick_best(const struct slot *s, const struct advance *a, const float *logp)
{
    for (int r = 0; r < s->live_count; r++)
        a->sum[r] = s->live[r].logp;
    return select_top(a->candidates, 2 * a->config->beam, logp, a->sum, s->live_count, a->V);
}

/* Divides the candidates between those that finish and those that live on. */
static void extend(struct slot *s, const struct advance *a, int count)
{
    int k = a->config->beam, alive = 0;
    for (int i = 0; i < count && alive < k; i++) {
        const struct candidate *c = &a->candidates[i];
        const struct live *from = &s->live[c->row];
        if (c->token != a->eos)
            s->next_live[alive++] = (struct live){
                c->logp, slot_add_node(s, from->node, c->token, c->token_logp), c->row };
        else if (i < k)
            slot_finish(s, a, from, c->token_logp, false);
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

void advance_beam(struct slot *s, struct advance *a, float *logp)
{
    if (s->step == s->limit) {
        finish_all(s, a, logp);
        return;
    }
    if (s->step < a->config->min_length)
        forbid_eos(s, a, logp);
    int count = pick_best(s, a, logp);
    if (count == 0 && s->finished_count == 0) {         /* the model gave no usable scores */
        slot_finish(s, a, &s->live[0], -INFINITY, true);
        s->live_count = 0;
        return;
    }
    extend(s, a, count);
    if (s->live_count && settled(s, a->config))
        s->live_count = 0;
}
