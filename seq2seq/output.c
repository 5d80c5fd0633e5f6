/* The output layer, the losses over it, and scoring. */
#include "seq2seq/output.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "seq2seq/architecture.h"
#include "tensor/gemm.h"
#include "tensor/loss.h"
#include "tensor/product.h"
#include "tensor/tape.h"

static void output_room(struct output *o, const struct model *m, const struct batch *b)
{
    if (!o->logits)
        o->logits = xaligned((size_t)OUTPUT_ROWS * (size_t)m->config.target_vocab * sizeof(float));
    if (o->rows < b->target_tokens) {
        o->rows = b->target_tokens;
        o->weight = xrealloc(o->weight, (size_t)o->rows * sizeof(float));
    }
}

/* The weight of every row: its sentence's. */
static void row_weights(float *weight, const struct batch *b)
{
    for (int s = 0; s < b->B; s++)
        for (int n = b->target_start[s]; n < b->target_start[s + 1]; n++)
            weight[n] = b->weight[s];
}

/* w: the output layer's weight as it was laid out, or NULL. */
static void chunk_logits(struct output *o, const struct model *m, const struct pack *w, const float *hidden,
                         int rows)
{
    int weight, bias, V = m->config.target_vocab;
    if (!w) {
        model_logits(m, o->logits, hidden, rows);
        return;
    }
    m->arch->output(m->refs, &weight, &bias);
    product_forward(o->logits, hidden, w, rows, false);
    kernel->add_bias(o->logits, param_data(&m->params, bias), rows, V);
}

static void preview(struct output *o, const struct model *m, const struct pack *w, const struct tensor *hidden,
                    const struct batch *b, const struct objective *objective, void *worker)
{
    int V = m->config.target_vocab, D = m->config.dim, N = b->target_tokens;
    for (int first = 0; first < N; first += OUTPUT_ROWS) {
        int rows = N - first < OUTPUT_ROWS ? N - first : OUTPUT_ROWS;
        chunk_logits(o, m, w, hidden->data + (size_t)first * D, rows);
        objective->preview(worker, first, rows, V, b->output + first, o->logits);
    }
}

void output_loss(struct output *o, const struct model *m, struct tape *tape, struct tensor *hidden,
                 const struct batch *b, const struct objective *objective, void *worker,
                 struct loss_sums *sums)
{
    int weight, bias, V = m->config.target_vocab, D = m->config.dim, N = b->target_tokens;
    m->arch->output(m->refs, &weight, &bias);
    const float *w = param_data(&m->params, weight);
    const struct pack *pack = packs_find(tape->packs, weight);
    float *dw = tape->grads + m->params.items[weight].offset;
    float *dbias = tape->grads + m->params.items[bias].offset;
    float *dhidden = tensor_grad(tape, hidden);

    output_room(o, m, b);
    row_weights(o->weight, b);
    if (objective->preview)
        preview(o, m, pack, hidden, b, objective, worker);
    for (int first = 0; first < N; first += OUTPUT_ROWS) {
        int rows = N - first < OUTPUT_ROWS ? N - first : OUTPUT_ROWS;
        const float *h = hidden->data + (size_t)first * D;
        if (!objective->preview || N > OUTPUT_ROWS)     /* else they are there already */
            chunk_logits(o, m, pack, h, rows);
        objective->chunk(worker, first, rows, V, b->output + first, o->weight + first, 1, o->logits, sums);
        if (pack) {
            product_gradients(dhidden + (size_t)first * D, false, dw, o->logits, h, pack, rows);
        } else {
            gemm_nn(dhidden + (size_t)first * D, o->logits, w, rows, D, V, 0);
            gemm_tn(dw, o->logits, h, V, D, rows, 1);
        }
        kernel->bias_backward(dbias, o->logits, rows, V);
    }
}

void output_release(struct output *o)
{
    free(o->logits);
    free(o->weight);
    *o = (struct output){ 0 };
}

/* ---- scoring ---- */

struct scorer {
    const struct model *m;
    struct tape tape;
    float *logits;
};

struct scorer *scorer_new(const struct model *m)
{
    struct scorer *s = xcalloc(1, sizeof *s);
    s->m = m;
    s->tape.params = &m->params;
    s->logits = xaligned((size_t)OUTPUT_ROWS * (size_t)m->config.target_vocab * sizeof(float));
    return s;
}

void scorer_free(struct scorer *s)
{
    if (!s)
        return;
    tape_release(&s->tape);
    free(s->logits);
    free(s);
}

void scorer_run(struct scorer *s, const struct batch *b, float *logp)
{
    int V = s->m->config.target_vocab, D = s->m->config.dim, N = b->target_tokens;
    s->tape.params = &s->m->params;
    struct tensor *hidden = model_hidden(s->m, &s->tape, b);
    for (int first = 0; first < N; first += OUTPUT_ROWS) {
        int rows = N - first < OUTPUT_ROWS ? N - first : OUTPUT_ROWS;
        model_logits(s->m, s->logits, hidden->data + (size_t)first * D, rows);
        for (int r = 0; r < rows; r++) {
            float *x = s->logits + (size_t)r * V;
            kernel->log_softmax(x, x, V);
            logp[first + r] = x[b->output[first + r]];
        }
    }
    tape_reset(&s->tape);
}
