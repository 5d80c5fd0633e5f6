#ifndef TESTS_SEQ2SEQ_TOY_TRAINING_H
#define TESTS_SEQ2SEQ_TOY_TRAINING_H

/* Trainings of some seconds, for tests: a small model and a translation that it can learn. */
#include "tests/test.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/rng.h"
#include "corpora/batching.h"
#include "corpora/store.h"
#include "seq2seq/model.h"
#include "seq2seq/train.h"
#include "tokenize/tokenizer.h"

static struct error err;

static inline void expect_ok(int ret)
{
    if (ret < 0)
        fail_msg("%s", err.text);
}

static inline struct model *model_make(const char *arch)
{
    struct model_config c = { 0 };
    const struct option_group groups[] = { { NULL, model_options, &c }, { 0 } };
    options_default(groups);
    expect_ok(options_set(groups, "arch", arch, &err));
    c.dim = 32;
    c.ffn = 48;
    c.heads = 2;
    c.encoder_layers = c.decoder_layers = 2;
    c.dropout = 0.1f;
    struct tokenizer *t = tokenizer_load(TEST_DATA "/../tokenize/golden/bpe.model", &err);
    assert_non_null(t);
    struct model *m = model_new(&c, t, t, 3, &err);
    assert_non_null(m);
    return m;
}

/* A toy translation that can be learnt: each token becomes its successor, in reverse order. */
static inline struct store *corpus_make(const struct model *m, int pairs)
{
    static int number;
    char name[32];
    snprintf(name, sizeof name, "corpus-%d.store", number++);
    const char *path = scratch_path(name);
    uint64_t vocab = tokenizer_fingerprint(m->source_tokenizer);
    struct store_writer *w = store_writer_new(path, vocab, vocab, &err);
    struct rng rng;
    rng_seed(&rng, 4, 0);
    for (int i = 0; i < pairs; i++) {
        int32_t source[12], target[12];
        int n = 1 + (int)rng_below(&rng, 8);
        for (int k = 0; k < n; k++)
            source[k] = 10 + (int32_t)rng_below(&rng, 20);
        for (int k = 0; k < n; k++)
            target[k] = source[n - 1 - k] + 1;
        expect_ok(store_writer_add(w, source, n, target, n, &err));
    }
    expect_ok(store_writer_commit(w, &err));
    struct store *s = store_open(path, true, &err);
    assert_non_null(s);
    return s;
}

static inline struct batch_source batches_make(const struct model *m, const struct store *store, bool shuffle)
{
    struct batching_config c = { 0 };
    struct batch_source source;
    const struct option_group groups[] = { { NULL, batching_options, &c }, { 0 } };
    options_default(groups);
    c.batch_tokens = 120;
    c.shuffle = shuffle;
    expect_ok(batching_open(&source, store, model_bos(m), model_eos(m), &c, NULL, &err));
    return source;
}

static inline struct train_config config_make(int updates)
{
    struct train_config c = { 0 };
    const struct option_group groups[] = { { NULL, train_options, &c }, { 0 } };
    options_default(groups);
    free(c.metric);             /* tests copy these and give nothing back */
    c.metric = "nll";
    c.threads = 2;
    c.max_updates = updates;
    c.warmup = 20;
    c.learning_rate = 0.005f;
    c.validate_every = 10;
    c.ema = 0.9f;
    c.micro_tokens = 40;
    return c;
}

/* One run of `updates` updates into a folder; the weights and the report come back. */
struct run {
    struct model *m;
    struct train_report report;
    int ret;
};

/* Called just before and after the training itself, for tests that make writes fail in it. */
static void (*around_training)(bool begins);

/* Without `resume`, in an empty folder. */
static inline struct run run_validated(const char *arch, const char *folder, struct train_config c,
                                const struct validator *validator)
{
    struct run r = { .m = model_make(arch) };
    struct store *store = corpus_make(r.m, 300), *dev_store = corpus_make(r.m, 40);
    struct batch_source train = batches_make(r.m, store, true), dev = batches_make(r.m, dev_store, false);
    struct objective o = objective_cross_entropy(0.1f);
    struct train_data data = { &train, &dev, validator };
    if (!c.resume)
        expect_ok(dir_remove(folder, &err));
    if (around_training)
        around_training(true);
    r.ret = train_model(r.m, &o, &data, &c, folder, &r.report, &err);
    if (around_training)
        around_training(false);
    o.free(o.shared);
    train.free(train.state);
    dev.free(dev.state);
    store_close(store);
    store_close(dev_store);
    return r;
}

static inline struct run run_training(const char *arch, const char *folder, struct train_config c)
{
    return run_validated(arch, folder, c, NULL);
}

static inline void assert_same_weights(const struct model *a, const struct model *b)
{
    assert_memory_equal(a->params.block, b->params.block, a->params.total * sizeof(float));
}

#endif
