#include "seq2seq/head.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "corpora/task.h"
#include "seq2seq/architecture.h"
#include "tensor/ops.h"

static bool compares(const struct model_config *c, const struct task *t)
{
    return c->pair == PAIR_COMPARE && t->texts == 2;
}

static void declare(struct param_set *set, struct head *h, const struct task *t, const struct model_config *c)
{
    int D = c->dim;
    h->query = h->layer = h->layer_bias = -1;
    if (c->pool == POOL_ATTENTION && t->kind != TASK_TAG)
        param_add(set, &h->query, INIT_EMBED, 1, D, "head.%s.query", t->name);
    if (c->head_layer || compares(c, t)) {
        param_add(set, &h->layer, INIT_XAVIER, D, compares(c, t) ? 4 * D : D, "head.%s.layer.weight", t->name);
        param_add(set, &h->layer_bias, INIT_ZERO, 1, D, "head.%s.layer.bias", t->name);
    }
    param_add(set, &h->weight, INIT_XAVIER, task_outputs(t), D, "head.%s.output.weight", t->name);
    param_add(set, &h->bias, INIT_ZERO, 1, task_outputs(t), "head.%s.output.bias", t->name);
}

void heads_declare(struct model *m)
{
    m->heads = xcalloc((size_t)m->task_count, sizeof *m->heads);
    for (int i = 0; i < m->task_count; i++)
        if (m->tasks[i].kind != TASK_TRANSLATE)
            declare(&m->params, &m->heads[i], &m->tasks[i], &m->config);
}

/* Row n: the state that label n belongs to. */
static struct tensor *at_places(struct tape *tape, struct tensor *memory, const struct batch *b)
{
    int32_t *row = arena_take(&tape->arena, ((size_t)b->target_tokens + 1) * sizeof *row);
    for (int s = 0; s < b->B; s++)
        for (int n = b->target_start[s]; n < b->target_start[s + 1]; n++)
            row[n] = b->source_start[s] + b->input[n];
    return op_embed(tape, memory, row, b->target_tokens, 1, NULL, NULL, 0);
}

/* One query a text: the learned one, or for the plain mean one of zeros, under which all
 * states weigh alike.  Text i of `texts` has the states start[i] … start[i+1]-1. */
static struct tensor *pooled(const struct model *m, const struct head *h, struct tape *tape,
                             struct tensor *memory, const int32_t *start, int texts)
{
    int D = m->config.dim;
    int32_t *same = arena_take(&tape->arena, ((size_t)texts + 1) * sizeof *same);
    int32_t *place = arena_take(&tape->arena, ((size_t)texts + 1) * sizeof *place);
    struct tensor *q;
    for (int i = 0; i <= texts; i++) {
        same[i] = 0;
        place[i] = i;
    }
    if (h->query >= 0) {        /* scaled up as attention scales down */
        q = op_embed(tape, tape_param(tape, h->query), same, texts, sqrtf((float)D), NULL, NULL, 0);
    } else {
        q = tensor_new(tape, texts, D);
        memset(q->data, 0, (size_t)texts * (size_t)D * sizeof *q->data);
    }
    struct tensor *kv = op_concat(tape, memory, memory);        /* views of one tensor lie side by side */
    return op_attention(tape, (struct view){ q, 0 }, (struct view){ kv, 0 }, (struct view){ kv, D }, D, 1,
                        texts, place, start, false, 0);
}

/* ---- two texts ---- */

/* Where the texts of each sentence begin: 2·B+1 places.  A sentence without </s> in its middle has an
 * empty second text. */
static int32_t *text_starts(struct tape *tape, const struct batch *b)
{
    int32_t *start = arena_take(&tape->arena, (2 * (size_t)b->B + 1) * sizeof *start);
    for (int s = 0; s < b->B; s++) {
        int32_t at = b->source_start[s], end = b->source_start[s + 1], eos = b->source[end - 1];
        start[2 * s] = at;
        while (at < end - 1 && b->source[at] != eos)
            at++;
        start[2 * s + 1] = at + 1;
    }
    start[2 * b->B] = b->source_tokens;
    return start;
}

static struct tensor *rows_of(struct tape *tape, struct tensor *x, const int32_t *from, int first, int step, int N)
{
    int32_t *row = arena_take(&tape->arena, ((size_t)N + 1) * sizeof *row);
    for (int n = 0; n < N; n++)
        row[n] = from ? from[first + step * n] : first + step * n;
    return op_embed(tape, x, row, N, 1, NULL, NULL, 0);
}

static struct tensor *compared(const struct model *m, const struct head *h, struct tape *tape, const struct batch *b)
{
    int32_t *start = text_starts(tape, b);
    struct tensor *memory = m->arch->memory(m, tape, b->source, start, 2 * b->B);
    bool first = m->config.pool == POOL_FIRST;
    struct tensor *x = first ? memory : pooled(m, h, tape, memory, start, 2 * b->B);
    const int32_t *from = first ? start : NULL;
    return op_compare(tape, rows_of(tape, x, from, 0, 2, b->B), rows_of(tape, x, from, 1, 2, b->B));
}

static struct tensor *read_as_one(const struct model *m, const struct head *h, struct tape *tape,
                                  const struct batch *b)
{
    bool places = m->config.pool == POOL_FIRST || m->tasks[b->task].kind == TASK_TAG;
    struct tensor *memory = m->arch->memory(m, tape, b->source, b->source_start, b->B);
    return places ? at_places(tape, memory, b) : pooled(m, h, tape, memory, b->source_start, b->B);
}

struct tensor *head_hidden(const struct model *m, struct tape *tape, const struct batch *b)
{
    const struct head *h = &m->heads[b->task];
    struct tensor *x = compares(&m->config, &m->tasks[b->task]) ? compared(m, h, tape, b) : read_as_one(m, h, tape, b);
    if (h->layer < 0)
        return op_dropout(tape, x, m->config.dropout);
    x = op_linear(tape, x, tape_param(tape, h->layer), tape_param(tape, h->layer_bias), LINEAR_NONE, 0);
    return op_gelu(tape, x, m->config.dropout);
}
