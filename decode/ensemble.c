/* Several steppers as one: every call goes to each member, and their distributions are averaged. */
#include "decode/translator.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "seq2seq/watch.h"
#include "tensor/kernels.h"

struct members {
    struct stepper *items;
    float *share;               /* of each member; they sum to 1 */
    int count;
    enum average average;
    float *logit;               /* (rows,V) of one member */
    size_t logit_room;
    const struct candidates *limit;     /* NULL: all tokens */
    struct watch watch;
};

static void members_admit(void *state, const int32_t *source, const int32_t *source_start, int B,
                          int max_steps)
{
    struct members *m = state;
    for (int i = 0; i < m->count; i++)
        m->items[i].admit(m->items[i].state, source, source_start, B, max_steps);
}

/* sum (V) += a member's share of the mean: of probabilities, or of logits.  A constant added to
 * all logits changes nothing once their mean is made to sum to one again. */
static void add_member(const struct members *m, int i, float *sum, float *logit, int V)
{
    if (m->average == AVERAGE_PROBABILITY)
        kernel->softmax(logit, logit, 1, V);
    kernel->axpy(sum, logit, m->share[i], (size_t)V);
}

/* The mean, in place, to logits; returns the lse. */
static float finish_row(const struct members *m, float *mean, int V)
{
    if (m->average == AVERAGE_LOG)
        return kernel->log_sum_exp(mean, V);
    for (int v = 0; v < V; v++)
        mean[v] = logf(mean[v]);
    return 0;
}

/* Scores of row r that mean something. */
static int row_length(const struct members *m, int r)
{
    return m->limit ? m->limit->own_count[r] : m->items[0].vocab;
}

static void members_step(void *state, const int32_t *token, int rows, float *logit, float *lse)
{
    struct members *m = state;
    size_t width = (size_t)(m->limit ? m->limit->count : m->items[0].vocab);
    ARRAY_GROW(m->logit, m->logit_room, (size_t)rows * width);
    memset(logit, 0, (size_t)rows * width * sizeof *logit);
    for (int i = 0; i < m->count; i++) {
        m->items[i].step(m->items[i].state, token, rows, m->logit, NULL);
        for (int r = 0; r < rows; r++)
            add_member(m, i, logit + (size_t)r * width, m->logit + (size_t)r * width, row_length(m, r));
    }
    for (int r = 0; r < rows; r++) {
        float sum = finish_row(m, logit + (size_t)r * width, row_length(m, r));
        if (lse)
            lse[r] = sum;
    }
}

static void members_reorder(void *state, const int *parent, int rows)
{
    struct members *m = state;
    for (int i = 0; i < m->count; i++)
        m->items[i].reorder(m->items[i].state, parent, rows);
}

static void members_clear(void *state)
{
    struct members *m = state;
    for (int i = 0; i < m->count; i++)
        m->items[i].clear(m->items[i].state);
}

static void members_limit(void *state, const struct candidates *c)
{
    struct members *m = state;
    m->limit = c;
    for (int i = 0; i < m->count; i++)
        m->items[i].limit(m->items[i].state, c);
}

static void members_watch(void *state, bool on)
{
    struct members *m = state;
    for (int i = 0; i < m->count; i++)
        m->items[i].watch(m->items[i].state, on);
}

/* The mean of the members' weights, each by its share. */
static const float *members_attention(void *state, int row, int count)
{
    struct members *m = state;
    watch_begin(&m->watch, 1, count);
    for (int i = 0; i < m->count; i++)
        kernel->axpy(m->watch.weight, m->items[i].attention(m->items[i].state, row, count),
                     m->share[i], (size_t)count);
    return m->watch.weight;
}

static int64_t members_bytes(void *state, int source, int rows, int steps)
{
    struct members *m = state;
    int64_t bytes = 0;
    for (int i = 0; i < m->count; i++)
        bytes += m->items[i].bytes(m->items[i].state, source, rows, steps);
    return bytes;
}

static void members_free(void *state)
{
    struct members *m = state;
    for (int i = 0; i < m->count; i++)
        m->items[i].free(m->items[i].state);
    free(m->items);
    free(m->share);
    free(m->logit);
    free(m->watch.weight);
    free(m);
}

struct stepper ensemble_stepper(const struct stepper *members, const float *share, int count,
                                enum average average)
{
    struct members *m = xcalloc(1, sizeof *m);
    assert(count > 0);
    m->items = xcalloc((size_t)count, sizeof *m->items);
    m->share = xcalloc((size_t)count, sizeof *m->share);
    m->count = count;
    m->average = average;
    bool limit = true, watch = true, bytes = true;
    int64_t shared = 0;
    for (int i = 0; i < count; i++) {
        limit &= members[i].limit != NULL;
        watch &= members[i].watch != NULL;
        bytes &= members[i].bytes != NULL;
        shared += members[i].shared_bytes;
        assert(members[i].vocab == members[0].vocab && members[i].eos == members[0].eos
               && members[i].bos == members[0].bos);
        m->items[i] = members[i];
        m->share[i] = share ? share[i] : 1 / (float)count;
    }
    return (struct stepper){
        .vocab = members[0].vocab, .bos = members[0].bos, .eos = members[0].eos, .state = m,
        .admit = members_admit, .step = members_step, .reorder = members_reorder,
        .clear = members_clear, .free = members_free, .limit = limit ? members_limit : NULL,
        .watch = watch ? members_watch : NULL, .attention = watch ? members_attention : NULL,
        .bytes = bytes ? members_bytes : NULL, .shared_bytes = shared,
        .special = members[0].special, .special_count = members[0].special_count,
    };
}
