/* Scores changed before a choice: what must not come, what comes again. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "decode/slot.h"

void advance_change(struct advance *a, float *at, float score)
{
    ARRAY_GROW(a->edits, a->edit_room, a->edit_count + 1);
    a->edits[a->edit_count++] = (struct edit){ at, *at };
    *at = score;
}

void advance_undo(struct advance *a, size_t mark)
{
    while (a->edit_count > mark) {
        a->edit_count--;
        *a->edits[a->edit_count].at = a->edits[a->edit_count].before;
    }
}

static void forbid(const struct advance *a, float *logit, int32_t token)
{
    int place = advance_place(a, token);
    if (place >= 0)
        logit[place] = -INFINITY;
}

/* The tokens of a prefix in order; returns how many. */
static int list_tokens(const struct slot *s, struct advance *a, const struct live *prefix)
{
    ARRAY_GROW(a->tokens, a->token_room, s->step + 1);
    int at = s->step;
    for (int32_t n = prefix->node; n >= 0; n = s->nodes[n].parent)
        a->tokens[--at] = s->nodes[n].token;
    return s->step;
}

/* Every token that followed the same n - 1 ones before. */
static void forbid_ngrams(const struct advance *a, float *logit, int count, int n)
{
    const int32_t *last = a->tokens + count - (n - 1);
    for (int i = 0; i + n <= count; i++)
        if (!memcmp(a->tokens + i, last, (size_t)(n - 1) * sizeof *last))
            forbid(a, logit, a->tokens[i + n - 1]);
}

static bool came_before(const int32_t *tokens, int at)
{
    for (int i = 0; i < at; i++)
        if (tokens[i] == tokens[at])
            return true;
    return false;
}

static void penalise_repetition(struct advance *a, float *logit, float lse, int count)
{
    for (int i = 0; i < count; i++) {
        int place = advance_place(a, a->tokens[i]);
        if (place >= 0 && !came_before(a->tokens, i))
            advance_change(a, &logit[place], lse + (logit[place] - lse) * a->config->repetition);
    }
}

void advance_forbid(struct slot *s, struct advance *a, float *logit, const float *lse, int from, int to)
{
    const struct search_config *c = a->config;
    bool repeats = c->repetition != 1 || c->no_repeat;
    for (int r = from; r < to; r++) {
        int row = s->step == s->prefix_count ? 0 : r;
        float *logit_r = advance_row(a, logit, row);
        if (s->step < s->least && s->step < s->limit)
            logit_r[a->eos] = -INFINITY;
        for (int i = 0; !c->allow_unk && i < a->model->special_count; i++)
            forbid(a, logit_r, a->model->special[i]);
        int count = repeats ? list_tokens(s, a, &s->live[r]) : 0;
        if (c->repetition != 1)
            penalise_repetition(a, logit_r, lse[row], count);
        if (c->no_repeat && count >= c->no_repeat)
            forbid_ngrams(a, logit_r, count, c->no_repeat);
    }
}
