#ifndef TESTS_DECODE_TOYS_H
#define TESTS_DECODE_TOYS_H

/* Steppers small enough to know by heart.  All share the keeping of rows, which checks that
 * search keeps the contract of seq2seq/stepper.h: rows in order, tokens that were really
 * offered, no more steps than announced. */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "seq2seq/stepper.h"

enum { TOY_BOS = 1, TOY_EOS = 2 };

struct toy_row {
    int32_t *source, *prefix;           /* prefix: <s> and what followed */
    int source_count, prefix_count, max_steps;
};

struct toy {
    int vocab;
    uint64_t seed;
    void (*score)(const struct toy *toy, const struct toy_row *row, float *logp);
    struct toy_row *rows;
    int count;
    long admitted, steps, reorders, rows_stepped;       /* what search asked for */
    int most_rows, most_admitted;
    const struct candidates *limit;     /* NULL: all tokens */
    bool watched;
    float attention[64];
};

static inline int32_t *toy_copy(const int32_t *ids, int count, int room)
{
    int32_t *copy = xmalloc(sizeof *copy * (size_t)(room + 1));
    if (count)
        memcpy(copy, ids, sizeof *copy * (size_t)count);
    return copy;
}

static inline void toy_drop(struct toy *t)
{
    for (int r = 0; r < t->count; r++) {
        free(t->rows[r].source);
        free(t->rows[r].prefix);
    }
    free(t->rows);
    t->rows = NULL;
    t->count = 0;
}

static inline void toy_admit(void *state, const int32_t *source, const int32_t *start, int B,
                             int max_steps)
{
    struct toy *t = state;
    t->rows = xrealloc(t->rows, sizeof *t->rows * (size_t)(t->count + B));
    for (int b = 0; b < B; b++) {
        int count = start[b + 1] - start[b];
        assert(count > 0 && source[start[b + 1] - 1] == TOY_EOS);
        t->rows[t->count++] = (struct toy_row){
            toy_copy(source + start[b], count, count), NULL, count, 0, max_steps };
    }
    t->admitted += B;
    if (t->most_admitted < B)
        t->most_admitted = B;
}

/* A row's own candidates alone, put in front; returns their log-sum-exp. */
static inline float toy_limit_row(const struct toy *t, int r, float *logp, const float *all)
{
    const struct candidates *c = t->limit;
    double sum = 0;
    for (int i = 0; i < c->own_count[r]; i++) {
        assert(c->own[r][i] < c->count && (i == 0 || c->own[r][i - 1] < c->own[r][i]));
        logp[i] = all[c->ids[c->own[r][i]]];
        sum += exp(logp[i]);
    }
    return (float)log(sum);
}

static inline void toy_step(void *state, const int32_t *token, int rows, float *logp,
                            float *lse)
{
    struct toy *t = state;
    assert(rows == t->count && rows > 0);
    for (int r = 0; r < rows; r++) {
        struct toy_row *row = &t->rows[r];
        assert(row->prefix_count < row->max_steps);
        assert((row->prefix_count == 0) == (token[r] == TOY_BOS));
        row->prefix = xrealloc(row->prefix, sizeof *row->prefix * (size_t)(row->prefix_count + 1));
        row->prefix[row->prefix_count++] = token[r];
        float all[512], sum = 0;
        t->score(t, row, all);
        if (t->limit)
            sum = toy_limit_row(t, r, logp + (size_t)r * (size_t)t->limit->count, all);
        else
            memcpy(logp + (size_t)r * (size_t)t->vocab, all, (size_t)t->vocab * sizeof *logp);
        if (lse)
            lse[r] = sum;
    }
    t->steps++;
    t->rows_stepped += rows;
    if (t->most_rows < rows)
        t->most_rows = rows;
}

static inline void toy_reorder(void *state, const int *parent, int rows)
{
    struct toy *t = state;
    struct toy_row *old = t->rows;
    int old_count = t->count;
    t->rows = xmalloc(sizeof *t->rows * (size_t)rows);
    t->count = rows;
    for (int r = 0; r < rows; r++) {
        const struct toy_row *from = &old[parent[r]];
        assert(parent[r] >= 0 && parent[r] < old_count);
        t->rows[r] = *from;
        t->rows[r].source = toy_copy(from->source, from->source_count, from->source_count);
        t->rows[r].prefix = toy_copy(from->prefix, from->prefix_count, from->prefix_count);
    }
    struct toy gone = { .rows = old, .count = old_count };
    toy_drop(&gone);
    t->reorders++;
}

static inline void toy_clear(void *state)
{
    toy_drop(state);
}

static inline void toy_free(void *state)
{
    toy_drop(state);
    free(state);
}

static inline void toy_limit(void *state, const struct candidates *c)
{
    struct toy *t = state;
    t->limit = c;
}

static inline void toy_watch(void *state, bool on)
{
    struct toy *t = state;
    t->watched = on;
}

/* As random as the scores: a function of the source and the prefix. */
static inline void toy_weights(float *weight, const struct toy_row *row)
{
    uint64_t h = 5;
    float sum = 0;
    for (int i = 0; i < row->prefix_count; i++)
        h = rng_mix(h * 31 + (uint64_t)row->prefix[i]);
    for (int i = 0; i < row->source_count; i++) {
        h = rng_mix(h ^ (uint64_t)row->source[i]);
        sum += weight[i] = (float)(h >> 40) * 0x1p-24f * (float)(h & 3);
    }
    for (int i = 0; i < row->source_count; i++)
        weight[i] = sum > 0 ? weight[i] / sum : 1 / (float)row->source_count;
}

static inline const float *toy_attention(void *state, int row, int count)
{
    struct toy *t = state;
    assert(t->watched && row < t->count && count == t->rows[row].source_count && count <= 64);
    toy_weights(t->attention, &t->rows[row]);
    return t->attention;
}

static inline struct stepper toy_stepper(int vocab, uint64_t seed,
                                         void (*score)(const struct toy *, const struct toy_row *,
                                                       float *))
{
    struct toy *t = xcalloc(1, sizeof *t);
    t->vocab = vocab;
    t->seed = seed;
    t->score = score;
    assert(vocab <= 512);
    return (struct stepper){ vocab, TOY_BOS, TOY_EOS, t, toy_admit, toy_step, toy_reorder, toy_clear,
                             toy_free, toy_limit, toy_watch, toy_attention };
}

/* Random: the scores are a function of the source and the whole prefix, so every hypothesis of
 * every sentence has its own probability and any mix-up of rows changes the result. */
static inline void toy_random(const struct toy *t, const struct toy_row *row, float *logp)
{
    uint64_t h = t->seed;
    for (int i = 0; i < row->source_count; i++)
        h = rng_mix(h ^ (uint64_t)row->source[i]);
    for (int i = 0; i < row->prefix_count; i++)
        h = rng_mix(h * 31 + (uint64_t)row->prefix[i] + 1);
    struct rng r;
    rng_seed(&r, h, 0);
    double sum = 0, p[512];
    for (int v = 0; v < t->vocab; v++)
        sum += p[v] = v < TOY_EOS ? 0 : exp(1.5 * rng_normal(&r));
    for (int v = 0; v < t->vocab; v++)
        logp[v] = (float)log(p[v] / sum);
}

/* Copies its source, surely: token i of the output is token i of the source.  Ending early is
 * less likely than any wrong token, so that a beam is not filled with broken-off copies. */
static inline void toy_copies(const struct toy *t, const struct toy_row *row, float *logp)
{
    int at = row->prefix_count - 1;
    int32_t next = at < row->source_count ? row->source[at] : TOY_EOS;
    float wrong = logf(0.1f / (float)t->vocab);
    for (int v = 0; v < t->vocab; v++)
        logp[v] = v < TOY_EOS ? -INFINITY : v == next ? logf(0.9f) : v == TOY_EOS ? -20 : wrong;
}

/* Three words and a Markov chain: A (3), B (4), C (5).
 *
 *     after     A    B    C    </s>
 *     <s>      .5   .4   .1   0
 *     A        .3   .3   .2   .2        greedy: A A A … (0.5 × 0.3 …, a tie going to A)
 *     B        0    0    .1   .9        best:   B </s>, 0.4 × 0.9 = 0.36
 *     C        .1   .1   .1   .7
 */
static inline void toy_markov(const struct toy *t, const struct toy_row *row, float *logp)
{
    static const double table[4][4] = {
        { .5, .4, .1, 0 }, { .3, .3, .2, .2 }, { 0, 0, .1, .9 }, { .1, .1, .1, .7 }
    };
    int32_t last = row->prefix[row->prefix_count - 1];
    const double *p = table[last == TOY_BOS ? 0 : last - 2];
    assert(t->vocab == 6);
    for (int v = 0; v < 6; v++)
        logp[v] = v >= 3 ? (float)log(p[v - 3]) : v == TOY_EOS ? (float)log(p[3]) : -INFINITY;
}

#endif
