/* What each objective costs beside plain cross-entropy: tokens/s of training with it, and the same
 * once the teacher's own pass is taken off, which is timed in an objective that runs the teacher
 * and learns from gold alone.  Rounds visit all objectives in turn, so that a change of the
 * machine's mood meets all of them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/thread.h"
#include "corpora/batching.h"
#include "corpora/store.h"
#include "distill/kd.h"
#include "distill/objectives.h"
#include "seq2seq/architecture.h"
#include "seq2seq/mixture.h"
#include "seq2seq/model.h"
#include "seq2seq/output.h"
#include "seq2seq/train.h"
#include "seq2seq/workers.h"
#include "tokenize/tokenizer.h"

struct bench {
    char *vocab, *store, *only;
    int threads, updates, rounds;
};

#define FIELD(member) offsetof(struct bench, member)
static const struct option bench_options[] = {
    { "vocab", OPTION_STRING, FIELD(vocab), NULL, 0, 0, "SentencePiece model", NULL, 0, true },
    { "store", OPTION_STRING, FIELD(store), NULL, 0, 0, "corpus of ids", NULL, 0, true },
    { "only", OPTION_STRING, FIELD(only), NULL, 0, 0, "of the objectives, this one" },
    { "threads", OPTION_INT, FIELD(threads), "2", 1, 256, "workers" },
    { "updates", OPTION_INT, FIELD(updates), "1", 1, 1e6, "updates a round" },
    { "rounds", OPTION_INT, FIELD(rounds), "11", 1, 99, "rounds; medians are printed" },
    { 0 }
};

/* ---- the teacher's own pass ---- */

struct alone {
    struct teacher_worker *teacher;
    float *q, *room;
};

static void *alone_new(void *shared, int number)
{
    const struct teacher *t = shared;
    size_t V = (size_t)teacher_vocab(t);
    struct alone *a = xcalloc(1, sizeof *a);
    (void)number;
    a->teacher = teacher_worker_new(t);
    a->q = xaligned(OUTPUT_ROWS * V * sizeof(float));
    a->room = xaligned(V * sizeof(float));
    return a;
}

static void alone_free(void *worker)
{
    struct alone *a = worker;
    teacher_worker_free(a->teacher);
    free(a->q);
    free(a->room);
    free(a);
}

static int alone_begin(void *worker, const struct batch *b, const struct moment *when, struct error *err)
{
    (void)when, (void)err;
    teacher_begin(((struct alone *)worker)->teacher, b);
    return 0;
}

static void alone_chunk(void *worker, int first, int rows, int V, const int32_t *target, const float *weight,
                        float scale, float *logits, struct loss_sums *sums)
{
    struct alone *a = worker;
    struct mixture gold = { .gold = 1, .temperature = 1 };
    teacher_rows(a->teacher, a->q, first, rows);
    mixture_chunk(gold, NULL, rows, V, target, weight, scale, logits, sums, a->room);
}

static void nothing(void *shared)
{
    (void)shared;
}

/* ---- the objectives ---- */

#define MOST 64
struct runner {
    char name[64];
    bool teacher;
    struct objective objective;
    struct workers *workers;
    double rate[99];            /* target tokens/s of a round */
};

struct stand {
    struct model *student, *teacher;
    struct teacher *alone;
    struct runner runners[MOST];
    int count;
    struct batch *batches;
    struct pool *pool;
};

static struct runner *add(struct stand *s, const char *name, bool teacher)
{
    struct runner *r = &s->runners[s->count++];
    snprintf(r->name, sizeof r->name, "%s", name);
    r->teacher = teacher;
    return r;
}

static int add_kind(struct stand *s, const struct objective_kind *kind, const char *option, const char *value,
                    struct error *err)
{
    struct kd_config config = { 0 };
    const struct option_group groups[] = { { NULL, kind->options, &config }, { NULL } };
    const struct model *teachers[] = { s->teacher };
    const struct objective_needs needs = { .student = s->student, .teachers = teachers,
                                           .teacher_count = kind->wants_teacher };
    char name[64];
    options_default(groups);
    snprintf(name, sizeof name, "%s%s%s", kind->name, option ? "_" : "", option ? value : "");
    if (option && options_set(groups, option, value, err) < 0)
        return -1;
    return objective_make(&add(s, name, kind->wants_teacher)->objective, kind, &needs, &config, err);
}

static int add_all(struct stand *s, const char *only, struct error *err)
{
    for (const struct objective_kind *k = objective_kinds; k->name; k++)
        if ((!only || !k->wants_teacher || !strcmp(only, k->name)) && add_kind(s, k, NULL, NULL, err) < 0)
            return -1;
    if (!only && (add_kind(s, objective_find("selective-kd", NULL), "hard-among", "queue", err) < 0 ||
                  add_kind(s, objective_find("word-kd", NULL), "temperature", "2", err) < 0))
        return -1;
    add(s, "teacher", true)->objective = (struct objective){
        .name = "teacher", .shared = s->alone, .worker_new = alone_new, .worker_free = alone_free,
        .begin = alone_begin, .chunk = alone_chunk, .free = nothing,
    };
    return 0;
}

/* ---- rounds ---- */

static int pass(struct stand *s, struct runner *r, int updates, double *rate, struct error *err)
{
    double start = clock_seconds(), tokens = 0;
    for (int u = 0; u < updates; u++) {
        struct loss_sums sums = { 0 };
        struct moment when = { .progress = 0.5, .update = u };
        if (workers_run(r->workers, &s->batches[u], &when, 0, &sums, err) < 0)
            return -1;
        tokens += (double)sums.gold_tokens;
        if (!isfinite(sums.loss))
            return error_set(err, "%s: the loss is not finite", r->name);
    }
    *rate = tokens / (clock_seconds() - start);
    return 0;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, compare);
    return n % 2 ? x[n / 2] : (x[n / 2] + x[n / 2 - 1]) / 2;
}

/* Seconds a token: the teacher's are what its pass adds to cross-entropy. */
static void print_figures(struct stand *s, int rounds)
{
    double seconds[MOST], plain = 0, teacher = 0;
    for (int i = 0; i < s->count; i++) {
        seconds[i] = 1 / median(s->runners[i].rate, rounds);
        if (!strcmp(s->runners[i].name, "cross-entropy"))
            plain = seconds[i];
        if (!strcmp(s->runners[i].name, "teacher"))
            teacher = seconds[i];
    }
    teacher -= plain;
    for (int i = 0; i < s->count; i++) {
        const struct runner *r = &s->runners[i];
        double own = r->teacher && strcmp(r->name, "kd-sim") ? seconds[i] - teacher : seconds[i];
        printf("figure objective_speed.%s.tokens_per_s %.0f target-tokens/s\n", r->name, 1 / seconds[i]);
        printf("figure objective_speed.%s.share %.3f ratio\n", r->name, plain / own);
    }
}

static int run(const struct bench *b, const struct model_config *mc, const struct batching_config *bc,
               struct error *err)
{
    static struct stand s;
    struct tokenizer *vocab = tokenizer_load(b->vocab, err);
    struct store *store = vocab ? store_open(b->store, true, err) : NULL;
    struct batch_source data;
    if (!store || !(s.student = model_new(mc, vocab, vocab, 1, err)) ||
        !(s.teacher = model_new(mc, vocab, vocab, 2, err)) ||
        batching_open(&data, store, model_bos(s.student), model_eos(s.student), bc, NULL, err) < 0)
        return -1;
    const struct model *teachers[] = { s.teacher };
    s.alone = teacher_new(teachers, 1, &(struct teacher_config){ .temperature = 1 }, err);
    s.pool = pool_new(b->threads);
    s.batches = xcalloc((size_t)b->updates, sizeof *s.batches);
    for (int u = 0; u < b->updates; u++)
        if (data.next(data.state, &s.batches[u], err) < 0)
            return -1;
    if (!s.alone || add_all(&s, b->only, err) < 0)
        return -1;
    for (int i = 0; i < s.count; i++)
        s.runners[i].workers = workers_new(s.student, &s.runners[i].objective, s.pool, 1,
                                           s.student->arch->micro_tokens, 0);
    for (int round = -1; round < b->rounds; round++)    /* the first one is not counted: memory is touched */
        for (int i = 0; i < s.count; i++)
            if (pass(&s, &s.runners[i], b->updates, &s.runners[i].rate[round < 0 ? 0 : round], err) < 0)
                return -1;
    print_figures(&s, b->rounds);
    return 0;
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
        fprintf(stderr, "objective_speed: %s\n", err.text);
    options_release(groups);
    free(rest);
    return ret < 0;
}
