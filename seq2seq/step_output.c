/* The output layer of one decoding step.
 *
 * The weights of the candidates are gathered when the candidates change, which they do when
 * sentences join the batch, so that one dense product serves all rows of many steps. */
#include "seq2seq/step_output.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "seq2seq/architecture.h"
#include "tensor/kernels.h"

void step_output_limit(struct step_output *o, const struct candidates *limit)
{
    o->limit = limit;
    o->version = 0;
}

void step_output_release(struct step_output *o)
{
    packed_release(&o->weight);
    free(o->bias);
}

static void pack_rows(struct packed *out, const float *w, const int32_t *ids, int count, int D)
{
    float *rows = xaligned((size_t)count * (size_t)D * sizeof *rows + 1);
    for (int i = 0; i < count; i++)
        memcpy(rows + (size_t)i * (size_t)D, w + (size_t)ids[i] * (size_t)D, (size_t)D * sizeof *rows);
    packed_init(out, PACKED_F32, rows, (size_t)D, 1, count, D);
    free(rows);
}

static void gather(struct step_output *o)
{
    const struct candidates *c = o->limit;
    int weight, bias, D = o->m->config.dim;
    if (o->version == c->version)
        return;
    o->m->arch->output(o->m->refs, &weight, &bias);
    const struct packed *all = param_packed(&o->m->params, weight);
    const float *b = param_data(&o->m->params, bias);
    ARRAY_GROW(o->bias, o->bias_room, c->count);
    if (all)
        packed_select(&o->weight, all, c->ids, c->count);
    else
        pack_rows(&o->weight, param_data(&o->m->params, weight), c->ids, c->count, D);
    for (int i = 0; i < c->count; i++)
        o->bias[i] = b[c->ids[i]];
    o->version = c->version;
}

/* Moves a row's own logits to its front.  Places ascend, so none is overwritten too early. */
static void keep_own(float *x, const int32_t *own, int count)
{
    for (int i = 0; i < count; i++)
        x[i] = x[own[i]];
}

static void limited(struct step_output *o, float *logit, const float *hidden, int rows)
{
    const struct candidates *c = o->limit;
    gather(o);
    packed_product(logit, (size_t)c->count, hidden, (size_t)o->m->config.dim, rows, &o->weight,
                   (struct after){ .bias = o->bias }, NULL);
    for (int r = 0; r < rows; r++)
        keep_own(logit + (size_t)r * (size_t)c->count, c->own[r], c->own_count[r]);
}

void step_output(struct step_output *o, float *logit, float *lse, const float *hidden, int rows)
{
    const struct candidates *c = o->limit;
    int width = c ? c->count : o->m->config.target_vocab;
    if (c)
        limited(o, logit, hidden, rows);
    else
        model_logits(o->m, logit, hidden, rows);
    for (int r = 0; r < rows && lse; r++)
        lse[r] = kernel->log_sum_exp(logit + (size_t)r * (size_t)width, c ? c->own_count[r] : width);
}
