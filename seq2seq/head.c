#include "seq2seq/head.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "corpora/task.h"
#include "seq2seq/architecture.h"
#include "tensor/ops.h"

static void declare(struct param_set *set, struct head *h, const struct task *t, const struct model_config *c)
{
    int D = c->dim;
    h->query = h->layer = h->layer_bias = -1;
    if (c->pool == POOL_ATTENTION && t->kind != TASK_TAG)
        param_add(set, &h->query, INIT_EMBED, 1, D, "head.%s.query", t->name);
    if (c->head_layer) {
        param_add(set, &h->layer, INIT_XAVIER, D, D, "head.%s.layer.weight", t->name);
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

/* One query a sentence: the learned one, or for the plain mean one of zeros, under which all
 * states weigh alike. */
static struct tensor *pooled(const struct model *m, const struct head *h, struct tape *tape,
                             struct tensor *memory, const struct batch *b)
{
    int D = m->config.dim;
    int32_t *same = arena_take(&tape->arena, ((size_t)b->B + 1) * sizeof *same);
    struct tensor *q;
    for (int s = 0; s <= b->B; s++)
        same[s] = 0;
    if (h->query >= 0) {        /* scaled up as attention scales down */
        q = op_embed(tape, tape_param(tape, h->query), same, b->B, sqrtf((float)D), NULL, NULL, 0);
    } else {
        q = tensor_new(tape, b->B, D);
        memset(q->data, 0, (size_t)b->B * (size_t)D * sizeof *q->data);
    }
    struct tensor *kv = op_concat(tape, memory, memory);        /* views of one tensor lie side by side */
    return op_attention(tape, (struct view){ q, 0 }, (struct view){ kv, 0 }, (struct view){ kv, D }, D, 1,
                        b->B, b->target_start, b->source_start, false, 0);
}

struct tensor *head_hidden(const struct model *m, struct tape *tape, const struct batch *b)
{
    const struct head *h = &m->heads[b->task];
    bool places = m->config.pool == POOL_FIRST || m->tasks[b->task].kind == TASK_TAG;
    struct tensor *memory = m->arch->memory(m, tape, b->source, b->source_start, b->B);
    struct tensor *x = places ? at_places(tape, memory, b) : pooled(m, h, tape, memory, b);
    if (h->layer < 0)
        return op_dropout(tape, x, m->config.dropout);
    x = op_linear(tape, x, tape_param(tape, h->layer), tape_param(tape, h->layer_bias), LINEAR_NONE, 0);
    return op_gelu(tape, x, m->config.dropout);
}
