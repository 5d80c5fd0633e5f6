/* A sentence's prefixes: begun, extended, finished, read back. */
#include "decode/slot.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

void slot_release(struct slot *s)
{
    free(s->nodes);
    free(s->live);
    free(s->next_live);
    free(s->finished);
    free(s->rng);
    *s = (struct slot){ 0 };
}

int64_t slot_cost(const struct sentence *sentence, const struct search_config *config)
{
    return (int64_t)sentence->source_count * search_rows(config);
}

void slot_begin(struct slot *s, const struct sentence *sentence, const struct search_config *config)
{
    int k = search_rows(config), tokens = sentence->source_count - 1;
    if (!s->live) {
        s->live = xcalloc((size_t)k, sizeof *s->live);
        s->next_live = xcalloc((size_t)k, sizeof *s->next_live);
        s->finished = xcalloc((size_t)k, sizeof *s->finished);
        s->rng = config->sampled ? xcalloc((size_t)k, sizeof *s->rng) : NULL;
    }
    for (int i = 0; i < k && s->rng; i++)
        sample_stream(&s->rng[i], (uint64_t)config->seed, sentence->line, i);
    s->index = sentence->index;
    s->cost = slot_cost(sentence, config);
    s->step = 0;
    s->limit = search_limit(config, tokens);
    s->prefix = sentence->prefix;
    s->prefix_count = sentence->prefix ? sentence->prefix_count : 0;
    if (s->limit < s->prefix_count)
        s->limit = s->prefix_count;
    s->node_count = 0;
    s->live[0] = (struct live){ .node = -1 };
    s->live_count = 1;
    s->finished_count = s->finished_ever = 0;
}

int32_t slot_token(const struct slot *s, int row)
{
    return s->nodes[s->live[row].node].token;
}

int32_t slot_add_node(struct slot *s, int32_t parent, int32_t token, float logp)
{
    ARRAY_GROW(s->nodes, s->node_room, s->node_count + 1);
    s->nodes[s->node_count] = (struct node){ parent, token, logp };
    return (int32_t)s->node_count++;
}

/* Into its place by score, behind its equals; the worst of more than k falls out. */
static void rank(struct slot *s, int k, struct finished f)
{
    if (s->finished_count == k && !(f.score > s->finished[k - 1].score))
        return;
    int i = s->finished_count < k ? s->finished_count++ : k - 1;
    for (; i > 0 && s->finished[i - 1].score < f.score; i--)
        s->finished[i] = s->finished[i - 1];
    s->finished[i] = f;
}

void slot_finish(struct slot *s, const struct advance *a, const struct live *from, float eos_logp,
                 bool cut)
{
    if (isnan(eos_logp))
        eos_logp = -INFINITY;
    double logp = isnan(from->logp) ? -INFINITY : from->logp + eos_logp;
    double score = search_score(a->config, logp, s->step + 1);
    struct finished f = { logp, score, from->node, eos_logp, cut };
    s->finished_ever++;
    if (!a->config->sampled) {
        rank(s, a->config->beam, f);
        return;
    }
    s->finished[from->sample] = f;
    s->finished_count = a->config->n_best;      /* all are there when the sentence is done */
}

void advance_forced(struct slot *s, const struct advance *a, const float *logit, const float *lse)
{
    struct live *only = &s->live[0];
    int32_t token = s->prefix[s->step];
    float logp = logit[token] - *lse;
    if (token == a->eos) {
        slot_finish(s, a, only, logp, false);
        s->live_count = 0;
        return;
    }
    *only = (struct live){ only->logp + logp, slot_add_node(s, only->node, token, logp), 0 };
    s->step++;
}

int slot_trace(const struct slot *s, const struct finished *f, int32_t *ids, float *token_logp)
{
    int count = 0;
    for (int32_t n = f->node; n >= 0; n = s->nodes[n].parent)
        count++;
    token_logp[count] = f->eos_logp;
    int at = count;
    for (int32_t n = f->node; n >= 0; n = s->nodes[n].parent) {
        ids[--at] = s->nodes[n].token;
        token_logp[at] = s->nodes[n].logp;
    }
    return count;
}
