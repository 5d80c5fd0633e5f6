/* Memory of a training, before it starts.
 *
 * Weights, moments, gradients and layouts are known from the parameters.  What a pass keeps grows with
 * the tokens of a piece; how fast is measured: two passes of different size, forward and
 * backward, once over short sentences and once over long ones, and the steeper line counts.  Long
 * enough is 64: attention keeps nothing more of longer ones. */
#include "seq2seq/train_plan.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include "seq2seq/architecture.h"
#include "seq2seq/output.h"
#include "tensor/product.h"
#include "tensor/tape.h"

#define PROGRAM ((int64_t)96 << 20)     /* beside what is counted; measured over several models */
#define MARGIN 1.1                      /* pieces are never divided quite evenly */
#define SHORT 8
#define LONG 64

/* ---- what a pass keeps ---- */

static void fill_batch(struct batch *b, int sentences, int length, const struct model *m)
{
    int32_t *ids = xmalloc((size_t)length * sizeof *ids);
    for (int i = 0; i < length; i++)
        ids[i] = i % m->config.target_vocab;
    batch_reset(b);
    for (int s = 0; s < sentences; s++)
        batch_add(b, ids, length - 1, ids, length - 1, model_bos(m), model_eos(m), s, 1);
    free(ids);
}

/* Bytes of the arena that a pass over so many sentences takes. */
static double pass_bytes(const struct model *m, float *grads, int sentences, int length)
{
    struct tape tape = { .params = &m->params, .grads = grads, .train = true };
    struct batch b = { 0 };
    fill_batch(&b, sentences, length, m);
    tensor_grad(&tape, model_hidden(m, &tape, &b));
    tape_backward(&tape);
    double bytes = (double)tape.arena.peak;
    tape_release(&tape);
    batch_release(&b);
    return bytes;
}

struct line {
    double start, slope;
};

static struct line line_through(const struct model *m, float *grads, int length)
{
    int few = LONG / length, many = 3 * few;
    double a = pass_bytes(m, grads, few, length), b = pass_bytes(m, grads, many, length);
    double slope = (b - a) / (length * (many - few));
    return (struct line){ a - slope * length * few, slope };
}

/* Bytes that a worker keeps for pieces of so many tokens on either side; max_length is the longest
 * sentence. */
static struct line activations_line(const struct model *m, int max_length, int precision)
{
    float *grads = block_new(&m->params);
    struct line s = line_through(m, grads, SHORT), l = line_through(m, grads, LONG), worst = { 0 };
    free(grads);
    worst.slope = (s.slope > l.slope ? s.slope : l.slope) * MARGIN;
    worst.start = s.start > l.start ? s.start : l.start;
    if (precision == PRECISION_BF16) {          /* factors of the widest layer, rounded */
        int widest = m->config.dim;
        for (size_t i = 0; i < m->params.count; i++)
            if (m->params.items[i].rows > widest && m->params.items[i].init != INIT_EMBED)
                widest = m->params.items[i].rows;
        worst.slope += 4.0 * widest;
    }
    worst.start += worst.slope * (max_length < 1024 ? max_length : 1024) / 2;
    return worst;
}

/* ---- the plan ---- */

static void fixed_parts(struct train_plan *p, const struct model *m, const struct train_config *c)
{
    int output, bias, V = m->config.target_vocab;
    int64_t block = (int64_t)(m->params.total * sizeof(float));
    m->arch->output(m->refs, &output, &bias);
    p->threads = c->threads > 0 ? c->threads : cpu_count();
    p->program = PROGRAM;
    p->weights = block;
    p->optimiser = (2 + (c->ema > 0) + c->quantize_aware) * block;
    p->gradients = p->threads * block;
    p->layouts = (int64_t)packs_size(&m->params, output, (enum precision)c->precision);
    p->output = p->threads * ((int64_t)OUTPUT_ROWS + 1) * V * (c->precision == PRECISION_BF16 ? 6 : 4);
}

static int64_t without_activations(const struct train_plan *p)
{
    return p->program + p->weights + p->optimiser + p->gradients + p->layouts + p->output;
}

static double megabytes(double bytes)
{
    return ceil(bytes / 1048576);
}

static int too_little(const struct train_plan *p, const struct train_config *c, const struct line *a, int tokens,
                      struct error *err)
{
    double need = (double)without_activations(p) + p->threads * (a->start + a->slope * tokens);
    return error_set(err, "memory: %.0fM are too little for this model on %d threads with pieces of %d tokens; "
                     "about %.0fM are needed%s", megabytes((double)c->memory), p->threads, tokens, megabytes(need),
                     p->threads > 1 ? ", less with fewer --threads" : "");
}

/* Two significant digits, so that nobody takes it for more exact than it is. */
static int rounded_down(double x)
{
    double unit = pow(10, floor(log10(x > 1 ? x : 1)) - 1);
    return unit > 1 ? (int)(floor(x / unit) * unit) : (int)x;
}

static int choose(struct train_plan *p, const struct line *a, int longest, const struct model *m,
                  struct train_config *c, struct batching_config *b, struct error *err)
{
    double room = ((double)(c->memory - without_activations(p)) / p->threads - a->start) / a->slope;
    int fits = room > 1e8 ? 100000000 : room > 0 ? rounded_down(room) : 0;
    if (fits < longest)
        return too_little(p, c, a, longest, err);
    if (c->micro_tokens && c->micro_tokens > fits)
        return too_little(p, c, a, c->micro_tokens, err);
    if (!b->batch_tokens)
        b->batch_tokens = fits > 100000000 / p->threads ? 100000000 : fits * p->threads;
    if (!c->micro_tokens)
        c->micro_tokens = m->arch->micro_tokens < fits ? m->arch->micro_tokens : fits;
    return 0;
}

int train_plan_make(struct train_plan *p, const struct model *m, struct train_config *c, struct batching_config *b,
                    struct error *err)
{
    int longest = b->max_length + 1;
    *p = (struct train_plan){ 0 };
    fixed_parts(p, m, c);
    struct line a = activations_line(m, longest, c->precision);
    if (c->memory && choose(p, &a, longest, m, c, b, err) < 0)
        return -1;
    p->batch_tokens = b->batch_tokens ? b->batch_tokens : BATCH_TOKENS;
    p->micro_tokens = c->micro_tokens ? c->micro_tokens : m->arch->micro_tokens;
    int share = (p->batch_tokens + p->threads - 1) / p->threads;
    int piece = p->micro_tokens && p->micro_tokens < share ? p->micro_tokens : share;
    p->activations = (int64_t)(p->threads * (a.start + a.slope * piece));
    p->total = without_activations(p) + p->activations;
    return 0;
}

void train_plan_validation(struct batching_config *dev, const struct model *m, int threads, int micro_tokens)
{
    int64_t piece = micro_tokens ? micro_tokens : m->arch->micro_tokens;
    int64_t tokens = dev->batch_tokens ? dev->batch_tokens : BATCH_TOKENS;
    int64_t pieces = (threads > 0 ? threads : cpu_count()) * piece;
    if (pieces >= tokens)
        return;
    dev->batch_tokens = (int)pieces;
    dev->batch_source_tokens = 0;
}
