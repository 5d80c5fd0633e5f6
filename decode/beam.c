/* Beam search, plain and diverse; its rules are told in search.h.
 *
 * Invariant: live prefixes all have `step` tokens and stand group by group; an equal length lets
 * them compare without a length penalty, which divides only when one finishes.  A group's rows are
 * penalised, chosen from and put back before the next group looks. */
#include <math.h>

#include "decode/slot.h"

struct group {
    int number, size;           /* size: its part of the beam */
    int from, to;               /* its prefixes among the live ones */
    bool shared;                /* the first step: all groups look at row 0 */
};

static int row_of(const struct group *g, int prefix)
{
    return g->shared ? 0 : prefix;
}

/* At the limit each prefix ends, whatever the model would rather do. */
static void finish_group(struct slot *s, struct advance *a, const struct group *g, float *logit,
                         const float *lse)
{
    advance_forbid(s, a, logit, lse, g->from, g->to);
    for (int i = g->from; i < g->to; i++) {
        int row = row_of(g, i);
        const float *logit_r = advance_row(a, logit, row);
        bool chosen = select_best(logit_r, a->V) == a->eos;
        slot_finish(s, a, &s->live[i], row, logit_r[a->eos] - lse[row], s->live[i].penalty, !chosen);
    }
    advance_undo(a, 0);
}

/* Takes from every token what earlier groups' choice of it at this step costs. */
static void keep_apart(struct advance *a, const struct slot *s, const struct group *g, float *logit,
                       int chosen)
{
    int rows = g->shared ? 1 : g->to - g->from;
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < chosen; i++) {
            int place = advance_place(a, s->nodes[s->next_live[i].node].token);
            float *at = &advance_row(a, logit, g->shared ? 0 : g->from + r)[place];
            advance_change(a, at, *at - a->config->diversity);
        }
}

/* What was chosen, with its scores as they are without the other groups. */
static void forget_groups(struct advance *a, const struct group *g, float *logit, size_t mark, int count)
{
    if (a->edit_count == mark)
        return;
    advance_undo(a, mark);
    for (int i = 0; i < count; i++) {
        struct candidate *c = &a->candidates[i];
        c->value = advance_row(a, logit, row_of(g, c->row))[c->token];
        c->logp = a->sum[c->row - g->from] + c->value;
    }
}

/* The log-sum-exp goes into the sums, so that one pass over the logits both normalises and selects.
 * Candidates' rows become places among the live prefixes. */
static int pick_best(struct slot *s, struct advance *a, const struct group *g, float *logit,
                     const float *lse, int chosen)
{
    advance_forbid(s, a, logit, lse, g->from, g->to);
    size_t mark = a->edit_count;
    if (g->number > 0)
        keep_apart(a, s, g, logit, chosen);
    for (int i = g->from; i < g->to; i++)
        a->sum[i - g->from] = s->live[i].logp - s->live[i].penalty - (double)lse[row_of(g, i)];
    int count = select_top(a->candidates, 2 * g->size, advance_row(a, logit, row_of(g, g->from)),
                           a->stride, a->sum, g->to - g->from, a->V);
    for (int i = 0; i < count; i++)
        a->candidates[i].row += g->from;
    forget_groups(a, g, logit, mark, count);
    advance_undo(a, 0);
    return count;
}

/* Divides the candidates between those that finish and those that live on; returns how many do. */
static int extend(struct slot *s, struct advance *a, const struct group *g, float *logit,
                  const float *lse, int count, struct live *next)
{
    int alive = 0;
    for (int i = 0; i < count && alive < g->size; i++) {
        const struct candidate *c = &a->candidates[i];
        const struct live *from = &s->live[c->row];
        int row = row_of(g, c->row);
        float value = advance_row(a, logit, row)[c->token], logp = value - lse[row];
        double penalty = from->penalty + (double)(value - c->value);
        if (c->token != a->eos)
            next[alive++] = (struct live){ c->logp + penalty, penalty,
                                           slot_add(s, a, from, row, c->token, logp), row, g->number };
        else if (i < g->size)
            slot_finish(s, a, from, row, logp, penalty, false);
    }
    return alive;
}

/* Log-probabilities only fall, and penalties and coverage never add, so no continuation of a live
 * prefix can score more than this. */
static double best_to_come(const struct slot *s, const struct search_config *c)
{
    double best = -INFINITY;
    for (int i = 0; i < s->live_count; i++)
        best = fmax(best, s->live[i].logp - s->live[i].penalty);
    double score = search_score(c, best, s->limit + 1);
    return c->reward < 0 ? score + (double)c->reward * (s->step - s->limit) : score;
}

static bool settled(const struct slot *s, const struct search_config *c)
{
    if (c->groups > 1)
        return false;
    return s->finished_count >= c->n_best
        && best_to_come(s, c) <= s->finished[c->n_best - 1].score;
}

/* Returns how many of the group's prefixes live on in next_live, from `chosen` on. */
static int advance_group(struct slot *s, struct advance *a, const struct group *g, float *logit,
                         const float *lse, int chosen)
{
    int count = pick_best(s, a, g, logit, lse, chosen);
    if (count == 0 && s->finished_ever[g->number] == 0)         /* the model gave no usable scores */
        slot_finish(s, a, &s->live[g->from], row_of(g, g->from), -INFINITY, 0, true);
    int alive = extend(s, a, g, logit, lse, count, s->next_live + chosen);
    return s->finished_ever[g->number] >= g->size ? 0 : alive;
}

static void begin_groups(struct slot *s, int count)
{
    for (int i = 0; i < count; i++) {
        s->live[i] = s->live[0];
        s->live[i].part = i;
    }
    s->live_count = count;
}

void advance_beam(struct slot *s, struct advance *a, float *logit, const float *lse)
{
    int groups = a->config->groups, chosen = 0;
    struct group g = { .size = a->config->beam / groups, .shared = s->step == s->prefix_count };
    bool last = s->step == s->limit;
    if (g.shared)
        begin_groups(s, groups);
    for (; g.number < groups; g.number++, g.from = g.to) {
        while (g.to < s->live_count && s->live[g.to].part == g.number)
            g.to++;
        if (last)
            finish_group(s, a, &g, logit, lse);
        else if (g.to > g.from)
            chosen += advance_group(s, a, &g, logit, lse, chosen);
    }
    slot_turn(s, chosen);
    if (s->live_count && settled(s, a->config))
        s->live_count = 0;
}
