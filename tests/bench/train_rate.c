/* How fast a training loop runs, as target tokens/s and as a share of what sgemm reaches on the
 * same cores in the same run: sgemm is timed before, between and after the rounds of training.
 *
 * With --serve it obeys standard input instead, so that a driver can alternate it with others:
 *
 *     train N     N updates; answers: seconds, target tokens, model FLOPs, loss a token of the last one
 *     sgemm       answers: GFLOP/s
 *     rss         answers: the largest resident size so far, in bytes
 *
 * --batches FILE writes the first --updates batches, a JSON array of sentences a line, each
 * [source ids, input ids, output ids]; training goes round these batches. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/thread.h"
#include "corpora/batching.h"
#include "corpora/store.h"
#include "seq2seq/architecture.h"
#include "seq2seq/flops.h"
#include "seq2seq/model.h"
#include "seq2seq/train.h"
#include "seq2seq/workers.h"
#include "tensor/adam.h"
#include "tensor/gemm.h"
#include "tensor/product.h"
#include "tokenize/tokenizer.h"

struct bench {
    char *name, *vocab, *store, *batches;
    int threads, updates, rounds, micro_tokens, precision;
    int64_t seed;
    bool serve;
};

#define FIELD(member) offsetof(struct bench, member)
static const struct option bench_options[] = {
    { "name", OPTION_STRING, FIELD(name), "train", 0, 0, "prefix of the figures" },
    { "vocab", OPTION_STRING, FIELD(vocab), NULL, 0, 0, "SentencePiece model", NULL, 0, true },
    { "store", OPTION_STRING, FIELD(store), NULL, 0, 0, "corpus of ids", NULL, 0, true },
    { "threads", OPTION_INT, FIELD(threads), "2", 1, 256, "workers" },
    { "updates", OPTION_INT, FIELD(updates), "12", 1, 1e6, "updates a round" },
    { "rounds", OPTION_INT, FIELD(rounds), "5", 1, 1000, "rounds; medians are printed" },
    { "seed", OPTION_LONG, FIELD(seed), "1", 0, 9e15, "of the order of the batches" },
    { "batches", OPTION_STRING, FIELD(batches), NULL, 0, 0, "write the batches there and do nothing else" },
    { "precision", OPTION_CHOICE, FIELD(precision), "fp32", 0, 0, "of products", precision_names },
    { "serve", OPTION_FLAG, FIELD(serve), "false", 0, 0, "obey standard input" },
    { "micro-tokens", OPTION_INT, FIELD(micro_tokens), "0", 0, 1e9, "tokens that a worker takes at a time" },
    { 0 }
};

/* ---- sgemm ---- */

#define SIDE 1536

static void multiply(void *arg, int i)
{
    float **m = arg;
    gemm_nn(m[3 * i + 2], m[3 * i], m[3 * i + 1], SIDE, SIDE, SIDE, 0);
}

/* GFLOP/s of all threads together, each with products of its own. */
static double sgemm_rate(struct pool *pool)
{
    int threads = pool_threads(pool), repeats = 8;
    size_t size = (size_t)SIDE * SIDE;
    float **m = xcalloc(3 * (size_t)threads, sizeof *m);
    for (int i = 0; i < 3 * threads; i++) {
        m[i] = xaligned(size * sizeof(float));
        for (size_t k = 0; k < size; k++)
            m[i][k] = (float)(k % 13) * 0.1f;
    }
    pool_run(pool, threads, multiply, m);
    double start = clock_seconds();
    for (int r = 0; r < repeats; r++)
        pool_run(pool, threads, multiply, m);
    double seconds = clock_seconds() - start;
    for (int i = 0; i < 3 * threads; i++)
        free(m[i]);
    free(m);
    return 2e-9 * SIDE * (double)SIDE * SIDE * threads * repeats / seconds;
}

static double batch_flops(const struct model *m, const struct batch *b)
{
    double flops = 0;
    for (int s = 0; s < b->B; s++)
        flops += model_pair_flops(m, b->source_start[s + 1] - b->source_start[s],
                                  b->target_start[s + 1] - b->target_start[s]);
    return flops;
}

/* ---- rounds ---- */

struct round { double tokens_per_s, gflops, sgemm; };

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(const struct round *rounds, int count, size_t offset)
{
    double values[1000];
    for (int i = 0; i < count; i++)
        values[i] = *(const double *)((const char *)&rounds[i] + offset);
    qsort(values, (size_t)count, sizeof *values, compare_doubles);
    return count % 2 ? values[count / 2] : (values[count / 2] + values[count / 2 - 1]) / 2;
}

struct trainer {
    struct model *m;
    struct batch_source data;
    struct batch *batches;      /* gone round and round */
    int batch_count;
    struct workers *workers;
    struct adam adam;
    struct adam_config adam_config;
    struct pool *pool;
    int64_t update;
};

struct work { double seconds, tokens, flops, loss; };

static int train_updates(struct trainer *t, int updates, struct work *w, struct error *err)
{
    double start = clock_seconds();
    *w = (struct work){ 0 };
    for (int u = 0; u < updates; u++) {
        struct loss_sums sums = { 0 };
        const struct batch *b = &t->batches[t->update % t->batch_count];
        if (workers_run(t->workers, b, &(struct moment){ .update = t->update }, 0, &sums, err) < 0)
            return -1;
        float factor = (float)(1 / sums.tokens);
        double norm = grads_reduce(workers_grads(t->workers), pool_threads(t->pool), t->m->params.total, factor,
                                   t->pool);
        if (!isfinite(norm))
            return error_set(err, "the gradient is not finite");
        adam_update(&t->adam, &t->m->params, workers_grads(t->workers)[0], norm, factor, 1e-4f, &t->adam_config,
                    t->pool);
        w->flops += batch_flops(t->m, b);
        w->tokens += b->target_tokens;
        w->loss = sums.loss / sums.tokens;
        t->update++;
    }
    w->seconds = clock_seconds() - start;
    return 0;
}

static int take_batches(struct trainer *t, int count, struct error *err)
{
    t->batches = xcalloc((size_t)count, sizeof *t->batches);
    t->batch_count = count;
    for (int i = 0; i < count; i++) {
        int more = t->data.next(t->data.state, &t->batches[i], err);
        if (more == 0)
            more = t->data.next(t->data.state, &t->batches[i], err);
        if (more < 0)
            return -1;
    }
    return 0;
}

static double resident_most(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss * 1024;
}

/* ---- batches for others ---- */

static void print_ids(FILE *f, const int32_t *ids, int32_t first, int32_t end, const char *after)
{
    for (int32_t i = first; i < end; i++)
        fprintf(f, "%s%d", i > first ? "," : "[", ids[i]);
    fprintf(f, "]%s", after);
}

static int write_batches(const struct trainer *t, const char *path, struct error *err)
{
    FILE *f = fopen(path, "w");
    if (!f)
        return error_set(err, "cannot write '%s'", path);
    for (int i = 0; i < t->batch_count; i++) {
        const struct batch *b = &t->batches[i];
        for (int s = 0; s < b->B; s++) {
            fputs(s ? ",[" : "[[", f);
            print_ids(f, b->source, b->source_start[s], b->source_start[s + 1], ",");
            print_ids(f, b->input, b->target_start[s], b->target_start[s + 1], ",");
            print_ids(f, b->output, b->target_start[s], b->target_start[s + 1], "]");
        }
        fputs("]\n", f);
    }
    return fclose(f) ? error_set(err, "cannot write '%s'", path) : 0;
}

/* ---- rounds of one's own, or as told ---- */

static int run_rounds(const struct bench *b, struct trainer *t, struct error *err)
{
    struct round rounds[1000];
    struct work w;
    double before = sgemm_rate(t->pool);
    if (train_updates(t, b->updates, &w, err) < 0)              /* not counted: first touch of memory */
        return -1;
    for (int i = 0; i < b->rounds; i++) {
        if (train_updates(t, b->updates, &w, err) < 0)
            return -1;
        double after = sgemm_rate(t->pool);
        rounds[i] = (struct round){ w.tokens / w.seconds, 1e-9 * w.flops / w.seconds, (before + after) / 2 };
        before = after;
        fprintf(stderr, "round %d: %.0f target tokens/s, %.1f GFLOP/s, sgemm %.1f GFLOP/s\n", i + 1,
                rounds[i].tokens_per_s, rounds[i].gflops, rounds[i].sgemm);
    }
    double rate = median(rounds, b->rounds, offsetof(struct round, tokens_per_s));
    double gflops = median(rounds, b->rounds, offsetof(struct round, gflops));
    double sgemm = median(rounds, b->rounds, offsetof(struct round, sgemm));
    printf("figure %s.tokens_per_s %.0f target-tokens/s\n", b->name, rate);
    printf("figure %s.gflops %.1f GFLOP/s\n", b->name, gflops);
    printf("figure %s.sgemm %.1f GFLOP/s\n", b->name, sgemm);
    printf("figure %s.sgemm_share %.3f ratio\n", b->name, gflops / sgemm);
    printf("figure %s.rss %.0f MB\n", b->name, resident_most() / 1048576);
    return 0;
}

static int serve(struct trainer *t, struct error *err)
{
    char line[100];
    struct work w;
    int updates;
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "train %d", &updates) == 1) {
            if (train_updates(t, updates, &w, err) < 0)
                return -1;
            printf("%.6f %.0f %.6g %.5f\n", w.seconds, w.tokens, w.flops, w.loss);
        } else if (!strcmp(line, "sgemm\n")) {
            printf("%.2f\n", sgemm_rate(t->pool));
        } else if (!strcmp(line, "rss\n")) {
            printf("%.0f\n", resident_most());
        } else {
            return error_set(err, "what is '%s'?", line);
        }
        fflush(stdout);
    }
    return 0;
}

static int run(const struct bench *b, const struct model_config *mc, struct batching_config *bc,
               struct error *err)
{
    struct tokenizer *vocab = tokenizer_load(b->vocab, err);
    struct store *store = vocab ? store_open(b->store, true, err) : NULL;
    struct trainer t = { 0 };
    struct objective o = objective_cross_entropy(0.1f);
    bc->seed = b->seed;
    if (!store || !(t.m = model_new(mc, vocab, vocab, 1, err)) ||
        batching_open(&t.data, store, model_bos(t.m), model_eos(t.m), bc, NULL, err) < 0 ||
        take_batches(&t, b->updates, err) < 0)
        return -1;
    if (b->batches)
        return write_batches(&t, b->batches, err);
    t.pool = pool_new(b->threads);
    t.adam_config = (struct adam_config){ 0.9f, 0.98f, 1e-9f, 0, 1, 0 };
    adam_init(&t.adam, &t.m->params, &t.adam_config);
    t.workers = workers_new(t.m, &o, t.pool, 1, b->micro_tokens ? b->micro_tokens : t.m->arch->micro_tokens,
                            b->precision);
    fprintf(stderr, "%s: %lld parameters\n", t.m->arch->name, (long long)model_parameters(t.m));
    int ret = b->serve ? serve(&t, err) : run_rounds(b, &t, err);
    workers_free(t.workers);
    pool_free(t.pool);
    adam_release(&t.adam);
    for (int i = 0; i < t.batch_count; i++)
        batch_release(&t.batches[i]);
    free(t.batches);
    t.data.free(t.data.state);
    o.free(o.shared);
    store_close(store);
    model_free(t.m);
    return ret;
}

int main(int argc, char **argv)
{
    struct bench b = { 0 };
    struct model_config mc = { 0 };
    struct batching_config bc = { 0 };
    struct error err = { 0 };
    const struct option_group groups[] = { { NULL, bench_options, &b }, { NULL, model_options, &mc },
                                           { NULL, batching_options, &bc }, { 0 } };
    const char **rest = xcalloc((size_t)argc + 1, sizeof *rest);
    int rest_count;
    bool help = false;
    options_default(groups);
    int ret = options_parse(groups, argc, argv, rest, &rest_count, &help, &err);
    if (help)
        options_help(stdout, groups);
    else if (ret == 0)
        ret = run(&b, &mc, &bc, &err);
    if (ret < 0)
        fprintf(stderr, "train_rate: %s\n", err.text);
    options_release(groups);
    free(rest);
    return ret < 0;
}
