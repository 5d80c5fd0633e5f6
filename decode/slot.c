/* A sentence's prefixes: begun, extended, finished, read back. */
#include "decode/slot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void advance_release(struct advance *a)
{
    free(a->candidates);
    free(a->sum);
    free(a->edits);
    free(a->tokens);
    free(a->cover);
    sampler_release(&a->sampler);
}

void slot_release(struct slot *s)
{
    free(s->nodes);
    free(s->attention);
    free(s->live);
    free(s->next_live);
    free(s->finished);
    free(s->finished_ever);
    free(s->rng);
    own_tokens_release(&s->own);
    *s = (struct slot){ 0 };
}

int64_t slot_cost(const struct sentence *sentence, const struct search_config *config)
{
    return (int64_t)sentence->source_count * search_rows(config);
}

static void make_room(struct slot *s, const struct search_config *config)
{
    size_t k = (size_t)search_rows(config);
    if (s->live)
        return;
    s->live = xcalloc(k, sizeof *s->live);
    s->next_live = xcalloc(k, sizeof *s->next_live);
    s->finished = xcalloc(k, sizeof *s->finished);
    s->finished_ever = xcalloc((size_t)config->groups + 1, sizeof *s->finished_ever);
    s->rng = config->sampled ? xcalloc(k, sizeof *s->rng) : NULL;
}

void slot_begin(struct slot *s, const struct sentence *sentence, const struct search_config *config)
{
    int tokens = sentence->source_count - 1;
    make_room(s, config);
    for (int i = 0; s->rng && i < config->n_best; i++)
        sample_stream(&s->rng[i], (uint64_t)config->seed, sentence->line, i);
    s->index = sentence->index;
    s->cost = slot_cost(sentence, config);
    s->step = 0;
    s->limit = search_limit(config, tokens);
    s->least = search_least(config, tokens);
    s->source_count = sentence->source_count;
    s->prefix = sentence->prefix;
    s->prefix_count = sentence->prefix ? sentence->prefix_count : 0;
    if (s->limit < s->prefix_count)
        s->limit = s->prefix_count;
    s->node_count = 0;
    s->live[0] = (struct live){ .node = -1 };
    s->live_count = 1;
    s->finished_count = 0;
    memset(s->finished_ever, 0, (size_t)config->groups * sizeof *s->finished_ever);
}

int32_t slot_token(const struct slot *s, int row)
{
    return s->nodes[s->live[row].node].token;
}

/* How the row looked at the source when it made the node. */
static void keep_attention(struct slot *s, const struct advance *a, int row, int32_t node)
{
    size_t S = (size_t)s->source_count;
    ARRAY_GROW(s->attention, s->attention_room, ((size_t)node + 1) * S);
    memcpy(s->attention + (size_t)node * S,
           a->model->attention(a->model->state, a->first + row, s->source_count), S * sizeof(float));
}

static int32_t add_node(struct slot *s, const struct advance *a, const struct live *from, int row,
                        int32_t token, float logp)
{
    ARRAY_GROW(s->nodes, s->node_room, s->node_count + 1);
    s->nodes[s->node_count] = (struct node){ from->node, token, logp };
    if (a->watched)
        keep_attention(s, a, row, (int32_t)s->node_count);
    return (int32_t)s->node_count++;
}

int32_t slot_add(struct slot *s, const struct advance *a, const struct live *from, int row, int place,
                 float logp)
{
    return add_node(s, a, from, row, advance_token(a, place), logp);
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

/* The attention that each source token, </s> apart, got from the whole hypothesis. */
static double coverage(const struct slot *s, struct advance *a, int32_t last)
{
    size_t S = (size_t)s->source_count;
    ARRAY_GROW(a->cover, a->cover_room, S);
    memset(a->cover, 0, S * sizeof *a->cover);
    for (int32_t n = last; n >= 0; n = s->nodes[n].parent)
        for (size_t i = 0; i < S; i++)
            a->cover[i] += (double)s->attention[(size_t)n * S + i];
    return search_coverage(a->config, a->cover, s->source_count - 1);
}

void slot_finish(struct slot *s, struct advance *a, const struct live *from, int row, float eos_logp,
                 double penalty, bool cut)
{
    if (isnan(eos_logp))
        eos_logp = -INFINITY;
    double logp = isnan(from->logp) ? -INFINITY : from->logp + eos_logp;
    double score = search_score(a->config, logp - penalty, s->step + 1);
    int32_t eos_node = a->watched ? slot_add(s, a, from, row, a->eos, eos_logp) : -1;
    if (a->config->coverage > 0)
        score += coverage(s, a, eos_node);
    struct finished f = { logp, score, from->node, eos_node, eos_logp, cut };
    if (!a->config->sampled) {
        s->finished_ever[from->part]++;
        rank(s, a->config->beam, f);
        return;
    }
    s->finished[from->part] = f;
    s->finished_count = a->config->n_best;      /* all are there when the sentence is done */
}

void slot_turn(struct slot *s, int live_count)
{
    struct live *old = s->live;
    s->live = s->next_live;
    s->next_live = old;
    s->live_count = live_count;
    s->step++;
}

void advance_forced(struct slot *s, struct advance *a, float *logit, const float *lse)
{
    struct live *only = &s->live[0];
    int place = advance_place(a, s->prefix[s->step]);
    float logp = logit[place] - *lse;
    if (place == a->eos) {
        slot_finish(s, a, only, 0, logp, 0, false);
        if (a->config->sampled)                 /* one hypothesis is all there can be */
            s->finished_count = 1;
        s->live_count = 0;
        return;
    }
    *only = (struct live){ .logp = only->logp + logp, .node = slot_add(s, a, only, 0, place, logp) };
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

void slot_trace_attention(const struct slot *s, const struct finished *f, int count, float *attention)
{
    size_t S = (size_t)s->source_count;
    for (int32_t n = f->eos_node; n >= 0; n = s->nodes[n].parent)
        memcpy(attention + (size_t)count-- * S, s->attention + (size_t)n * S, S * sizeof *attention);
}
