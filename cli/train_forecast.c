#include "cli/train_forecast.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/lines.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/table.h"
#include "seq2seq/flops.h"
#include "tensor/gemm.h"
#include "tensor/product.h"
#include "tokenize/tokenizer.h"

#define SAMPLE 5000         /* pairs */

/* Of what sgemm reaches here, training reaches so much; see train_peers in docs/results.md. */
static const double reached[] = { [PRECISION_FP32] = 0.8, [PRECISION_BF16] = 1.3 };

/* ---- the corpus ---- */

struct pair {
    char *source, *target;
};

struct sample {
    struct pair pairs[SAMPLE];
    int64_t seen;
};

struct corpus {
    int64_t pairs;              /* that training will use */
    double source, target;      /* mean tokens, </s> included */
    double flops;               /* mean of a pair */
};

/* Every pair of lines ends up in the sample with the same probability (Vitter's algorithm R). */
static void sample_see(struct sample *s, const struct lines *source, const struct lines *target, struct rng *rng)
{
    int64_t at = s->seen < SAMPLE ? s->seen : (int64_t)rng_below(rng, (uint64_t)s->seen + 1);
    s->seen++;
    if (at >= SAMPLE)
        return;
    free(s->pairs[at].source);
    free(s->pairs[at].target);
    s->pairs[at] = (struct pair){ xstrndup(source->text, source->length), xstrndup(target->text, target->length) };
}

static int sample_read(struct sample *s, struct rng *rng, const char *source_path, const char *target_path,
                       struct error *err)
{
    struct lines source = { 0 }, target = { 0 };
    int64_t before = s->seen;
    int a = -1, b = -1, ret = -1;
    if (lines_open(&source, source_path, err) < 0 || lines_open(&target, target_path, err) < 0)
        goto done;
    while ((a = lines_next(&source, err)) > 0 && (b = lines_next(&target, err)) > 0)
        sample_see(s, &source, &target, rng);
    if (a == 0)
        b = lines_next(&target, err);
    if (a < 0 || b < 0)
        goto done;
    if (a != b)
        ret = error_set(err, "'%s' and '%s' are not equally long: one ends after line %" PRId64, source_path,
                        target_path, s->seen - before);
    else if (s->seen == before)
        ret = error_set(err, "'%s' is empty", source_path);
    else
        ret = 0;
done:
    lines_close(&source);
    lines_close(&target);
    return ret;
}

static int tokens_of(const struct tokenizer *t, const char *text, struct ids *ids)
{
    ids->count = 0;
    tokenizer_encode(t, ids, text, strlen(text));
    return (int)ids->count;
}

static int corpus_measure(struct corpus *c, const struct sample *s, const struct model *m, int max_length,
                          struct error *err)
{
    struct ids ids = { 0 };
    int64_t count = s->seen < SAMPLE ? s->seen : SAMPLE, kept = 0;
    *c = (struct corpus){ 0 };
    for (int64_t i = 0; i < count; i++) {
        int S = tokens_of(m->source_tokenizer, s->pairs[i].source, &ids);
        int T = tokens_of(m->target_tokenizer, s->pairs[i].target, &ids);
        if (!S || !T || S > max_length || T > max_length)
            continue;
        kept++;
        c->source += S + 1;
        c->target += T + 1;
        c->flops += model_pair_flops(m, S + 1, T + 1);
    }
    ids_release(&ids);
    if (!kept)
        return error_set(err, "no pair in a sample of %" PRId64 " has two sides of at most %d tokens", count,
                         max_length);
    c->source /= (double)kept;
    c->target /= (double)kept;
    c->flops /= (double)kept;
    c->pairs = (int64_t)((double)s->seen * (double)kept / (double)count);
    return 0;
}

/* ---- batches, updates, time ---- */

/* A batch ends half a sentence before its budget on average. */
static double pairs_a_batch(const struct corpus *c, const struct train_plan *plan, const struct batching_config *b)
{
    double source = b->batch_source_tokens ? b->batch_source_tokens : 1.5 * plan->batch_tokens;
    double pairs = (plan->batch_tokens - c->target / 2) / c->target, other = (source - c->source / 2) / c->source;
    if (other < pairs)
        pairs = other;
    if (b->batch_sentences && b->batch_sentences < pairs)
        pairs = b->batch_sentences;
    return pairs > 1 ? pairs : 1;
}

static double multiplications_rate(void)
{
    enum { SIDE = 1024, TIMES = 3 };
    float *m[3];
    double best = INFINITY;
    for (int i = 0; i < 3; i++) {
        m[i] = xaligned(sizeof(float) * SIDE * SIDE);
        for (int k = 0; k < SIDE * SIDE; k++)
            m[i][k] = 0.5f;
    }
    for (int i = 0; i < TIMES; i++) {
        double start = clock_seconds();
        gemm_nn(m[0], m[1], m[2], SIDE, SIDE, SIDE, 0);
        best = fmin(best, clock_seconds() - start);
    }
    for (int i = 0; i < 3; i++)
        free(m[i]);
    return 2.0 * SIDE * SIDE * SIDE / best;
}

/* Updates until the nearest limit, INFINITY without one that counts them. */
static double updates_of(const struct train_config *c, double batches)
{
    double updates = INFINITY, an_epoch = ceil(batches / c->accumulate);
    if (c->max_updates)
        updates = (double)c->max_updates;
    if (c->max_epochs)
        updates = fmin(updates, an_epoch * c->max_epochs);
    return updates;
}

/* ---- the table ---- */

static void row(struct table *t, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void row(struct table *t, const char *name, const char *fmt, ...)
{
    char text[200];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    table_row(t, name, text, NULL);
}

static void memory_rows(struct table *t, const struct train_plan *p)
{
    const struct { const char *name; int64_t bytes; } parts[] = {
        { "weights", p->weights },
        { "moments, moving average", p->optimiser },
        { "gradients, a block a thread", p->gradients },
        { "weights laid out for products", p->layouts },
        { "logits of a chunk", p->output },
        { "activations of a piece", p->activations },
        { "program", p->program },
    };
    row(t, "memory", "%" PRId64 " MB", p->total >> 20);
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        char name[64];
        snprintf(name, sizeof name, "  %s", parts[i].name);
        row(t, name, "%" PRId64 " MB", parts[i].bytes >> 20);
    }
}

static void time_rows(struct table *t, const struct corpus *c, double batches, const struct train_plan *p,
                      const struct train_config *config)
{
    double rate = multiplications_rate() * p->threads * reached[config->precision];
    double epoch = (double)c->pairs * c->flops / rate, updates = updates_of(config, batches);
    double total = updates * config->accumulate / batches * epoch;
    row(t, "target tokens a second", "about %.0f", rate / c->flops * c->target);
    row(t, "an epoch", "about %s", clock_text(epoch));
    if (isfinite(updates))
        row(t, "updates", "%.0f%s", updates, config->patience ? " at most" : "");
    if (config->max_seconds && !(total < (double)config->max_seconds))
        total = (double)config->max_seconds;
    if (isfinite(total))
        row(t, "training", "about %s%s, validations not counted", clock_text(total),
            config->patience ? " at most" : "");
    else
        row(t, "training", "until patience ends it");
}

int train_forecast(FILE *out, const struct strings *sources, const struct strings *targets, const struct model *m,
                   const struct train_plan *plan, const struct train_config *config,
                   const struct batching_config *batching, struct error *err)
{
    struct sample *s = xcalloc(1, sizeof *s);
    struct corpus c;
    struct table t = { 0 };
    struct rng rng;
    int ret = 0;
    rng_seed(&rng, 1, 0);
    for (size_t i = 0; i < sources->count && ret == 0; i++)
        ret = sample_read(s, &rng, sources->items[i], targets->items[i], err);
    if (ret == 0)
        ret = corpus_measure(&c, s, m, batching->max_length, err);
    if (ret == 0) {
        double batches = ceil((double)c.pairs / pairs_a_batch(&c, plan, batching));
        table_row(&t, "dry run", "", NULL);
        row(&t, "parameters", "%" PRId64, model_parameters(m));
        row(&t, "sentence pairs", "%s%" PRId64, s->seen > SAMPLE ? "about " : "", c.pairs);
        row(&t, "tokens a pair", "%.1f source, %.1f target", c.source, c.target);
        row(&t, "FLOPs a target token", "%.4g", c.flops / c.target);
        row(&t, "target tokens a batch", "%d", plan->batch_tokens);
        row(&t, "tokens a piece", "%d", plan->micro_tokens);
        row(&t, "batches an epoch", "about %.0f", batches);
        memory_rows(&t, plan);
        time_rows(&t, &c, batches, plan, config);
        table_print(&t, out);
    }
    for (int i = 0; i < SAMPLE; i++) {
        free(s->pairs[i].source);
        free(s->pairs[i].target);
    }
    free(s);
    table_release(&t);
    return ret;
}
