/* Several steppers as one: every call goes to each member, and their distributions are averaged. */
#include "decode/translator.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tensor/kernels.h"

struct members {
    struct stepper *items;
    int count;
    enum average average;
    float *logp;                /* (rows,V) of one member */
    int logp_rows;
};

static void members_admit(void *state, const int32_t *source, const int32_t *source_start, int B,
                          int max_steps)
{
    struct members *m = state;
    for (int i = 0; i < m->count; i++)
        m->items[i].admit(m->items[i].state, source, source_start, B, max_steps);
}

/* sum (V) += p, p given as logarithms: as probabilities, or as they are. */
static void add_member(const struct members *m, float *sum, float *logp, int V)
{
    if (m->average == AVERAGE_PROBABILITY)
        kernel->softmax(logp, logp, 1, V);
    kernel->add(sum, logp, (size_t)V);
}

/* The sum over members, in place, to the logarithm of their mean. */
static void finish_row(const struct members *m, float *sum, int V)
{
    if (m->average == AVERAGE_LOG) {
        kernel->scale(sum, 1.0f / (float)m->count, (size_t)V);
        kernel->log_softmax(sum, sum, V);
        return;
    }
    float log_count = logf((float)m->count);
    for (int v = 0; v < V; v++)
        sum[v] = logf(sum[v]) - log_count;
}

static void members_step(void *state, const int32_t *token, int rows, float *logp)
{
    struct members *m = state;
    int V = m->items[0].vocab;
    if (rows > m->logp_rows) {
        free(m->logp);
        m->logp = xaligned((size_t)rows * (size_t)V * sizeof *m->logp);
        m->logp_rows = rows;
    }
    memset(logp, 0, (size_t)rows * (size_t)V * sizeof *logp);
    for (int i = 0; i < m->count; i++) {
        m->items[i].step(m->items[i].state, token, rows, m->logp);
        for (int r = 0; r < rows; r++)
            add_member(m, logp + (size_t)r * (size_t)V, m->logp + (size_t)r * (size_t)V, V);
    }
    for (int r = 0; r < rows; r++)
        finish_row(m, logp + (size_t)r * (size_t)V, V);
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

static void members_free(void *state)
{
    struct members *m = state;
    for (int i = 0; i < m->count; i++)
        m->items[i].free(m->items[i].state);
    free(m->items);
    free(m->logp);
    free(m);
}

struct stepper ensemble_stepper(const struct stepper *members, int count, enum average average)
{
    struct members *m = xcalloc(1, sizeof *m);
    assert(count > 0);
    m->items = xcalloc((size_t)count, sizeof *m->items);
    m->count = count;
    m->average = average;
    for (int i = 0; i < count; i++) {
        assert(members[i].vocab == members[0].vocab && members[i].eos == members[0].eos
               && members[i].bos == members[0].bos);
        m->items[i] = members[i];
    }
    return (struct stepper){ members[0].vocab, members[0].bos, members[0].eos, m, members_admit,
                             members_step, members_reorder, members_clear, members_free,
                             members[0].special, members[0].special_count };
}
