/* The output layer, the losses over it, and scoring. */
#include "seq2seq/output.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "corpora/task.h"
#include "seq2seq/architecture.h"
#include "tensor/gemm.h"
#include "tensor/loss.h"
#include "tensor/product.h"
#include "tensor/tape.h"

static void output_room(struct output *o, const struct model *m, const struct batch *b)
{
    if (!o->logits)
        o->logits = xaligned((size_t)OUTPUT_ROWS * (size_t)model_most_outputs(m) * sizeof(float));
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

/* w: the layer's weight as it was laid out, or NULL. */
static void chunk_logits(struct output *o, const struct model *m, const struct output_layer *layer,
                         const struct pack *w, const float *hidden, int rows)
{
    if (!w) {
        model_layer_logits(m, layer, o->logits, hidden, rows);
        return;
    }
    product_forward(o->logits, hidden, w, rows, false);
    kernel->add_bias(o->logits, param_data(&m->params, layer->bias), rows, layer->outputs);
}

static void preview(struct output *o, const struct model *m, const struct output_layer *layer, const struct pack *w,
                    const struct tensor *hidden, const struct batch *b, const struct objective *objective,
                    void *worker)
{
    int D = m->config.dim, N = b->target_tokens;
    for (int first = 0; first < N; first += OUTPUT_ROWS) {
        int rows = N - first < OUTPUT_ROWS ? N - first : OUTPUT_ROWS;
        chunk_logits(o, m, layer, w, hidden->data + (size_t)first * D, rows);
        objective->preview(worker, first, rows, layer->outputs, b->output + first, o->logits);
    }
}

void output_loss(struct output *o, const struct model *m, struct tape *tape, struct tensor *hidden,
                 const struct batch *b, const struct objective *objective, void *worker,
                 struct loss_sums *sums)
{
    const struct output_layer layer = model_output(m, b->task);
    int V = layer.outputs, D = m->config.dim, N = b->target_tokens;
    const float *w = param_data(&m->params, layer.weight);
    const struct pack *pack = packs_find(tape->packs, layer.weight);
    float *dw = tape->grads + m->params.items[layer.weight].offset;
    float *dbias = tape->grads + m->params.items[layer.bias].offset;
    float *dhidden = tensor_grad(tape, hidden);

    output_room(o, m, b);
    row_weights(o->weight, b);
    if (objective->preview)
        preview(o, m, &layer, pack, hidden, b, objective, worker);
    for (int first = 0; first < N; first += OUTPUT_ROWS) {
        int rows = N - first < OUTPUT_ROWS ? N - first : OUTPUT_ROWS;
        const float *h = hidden->data + (size_t)first * D;
        if (!objective->preview || N > OUTPUT_ROWS)     /* else they are there already */
            chunk_logits(o, m, &layer, pack, h, rows);
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
    s->logits = xaligned((size_t)OUTPUT_ROWS * (size_t)model_most_outputs(m) * sizeof(float));
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

/* Of a number, scaled as its head gives it: a normal distribution of deviation ½√2 about it, its
 * constant left away, so that what is minimised is the squared error. */
static float number_logp(float given, int32_t label)
{
    float wanted;
    memcpy(&wanted, &label, sizeof wanted);
    return -(given - wanted) * (given - wanted);
}

void scorer_run(struct scorer *s, const struct batch *b, float *logp)
{
    const struct output_layer layer = model_output(s->m, b->task);
    bool number = s->m->task_count && s->m->tasks[b->task].kind == TASK_REGRESS;
    int V = layer.outputs, D = s->m->config.dim, N = b->target_tokens;
    s->tape.params = &s->m->params;
    struct tensor *hidden = model_hidden(s->m, &s->tape, b);
    for (int first = 0; first < N; first += OUTPUT_ROWS) {
        int rows = N - first < OUTPUT_ROWS ? N - first : OUTPUT_ROWS;
        model_layer_logits(s->m, &layer, s->logits, hidden->data + (size_t)first * D, rows);
        for (int r = 0; r < rows; r++) {
            float *x = s->logits + (size_t)r * V;
            if (number) {
                logp[first + r] = number_logp(*x, b->output[first + r]);
                continue;
            }
            kernel->log_softmax(x, x, V);
            logp[first + r] = x[b->output[first + r]];
        }
    }
    tape_reset(&s->tape);
}

int model_predict(struct scorer *s, const struct batch *b, float *out)
{
    const struct output_layer layer = model_output(s->m, b->task);
    bool number = s->m->tasks[b->task].kind == TASK_REGRESS;
    int V = layer.outputs, N = b->target_tokens;
    s->tape.params = &s->m->params;
    struct tensor *hidden = model_hidden(s->m, &s->tape, b);
    model_layer_logits(s->m, &layer, out, hidden->data, N);
    for (int n = 0; n < N && !number; n++) {
        float *x = out + (size_t)n * V;
        kernel->log_softmax(x, x, V);
    }
    tape_reset(&s->tape);
    return V;
}
