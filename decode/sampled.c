/* Sampling: every row draws its own next token.  The first step has one row, which all samples
 * share; those that have drawn </s> leave. */
#include <math.h>

#include "decode/slot.h"

static void begin_samples(struct slot *s, int count)
{
    for (int i = 0; i < count; i++) {
        s->live[i] = s->live[0];
        s->live[i].sample = i;
    }
    s->live_count = count;
}

static void draw(struct slot *s, struct advance *a, int row, const struct live *from,
                 const float *logit, float lse, int *alive)
{
    int32_t token = isfinite(lse) ? sample_token(&a->sampler, logit, a->V, &a->config->sampling,
                                                 &s->rng[from->sample]) : -1;
    if (token < 0 || token == a->eos || s->step == s->limit) {
        slot_finish(s, a, from, token < 0 ? -INFINITY : logit[a->eos] - lse, token != a->eos);
        return;
    }
    float logp = logit[token] - lse;
    s->next_live[(*alive)++] = (struct live){
        from->logp + logp, slot_add_node(s, from->node, token, logp), row, from->sample };
}

/* A sentence of a given prefix has a row for each sample only from the first draw on. */
void advance_sampled(struct slot *s, struct advance *a, float *logit, const float *lse)
{
    int rows = s->live_count, alive = 0;
    if (s->finished_ever == 0 && rows == 1)
        begin_samples(s, a->config->n_best);
    for (int i = 0; i < s->live_count; i++) {
        int row = rows == 1 ? 0 : i;
        float *logit_r = logit + (size_t)row * (size_t)a->V;
        if (s->step < a->config->min_length && s->step < s->limit)
            logit_r[a->eos] = -INFINITY;
        draw(s, a, row, &s->live[i], logit_r, lse[row], &alive);
    }
    struct live *old = s->live;
    s->live = s->next_live;
    s->next_live = old;
    s->live_count = alive;
    s->step++;
}
