/* Logits, and what teachers say, exist for a chunk of tokens at a time: the most memory that is ever resident does not
 * grow with vocabulary × tokens, whatever the objective.
 *
 * Each measurement is a process of its own, which takes N tokens at once or 2N, all else being equal.  One block of
 * N × V floats that somebody made for a whole batch would be three times what is allowed. */
#include "tests/test.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "corpora/batch.h"
#include "corpora/batching.h"
#include "corpora/store.h"
#include "distill/objectives.h"
#include "seq2seq/model.h"
#include "seq2seq/train.h"
#include "seq2seq/workers.h"
#include "tokenize/tokenizer.h"
#include "tokenize/train.h"

#define PIECES 8000
#define TOKENS 2048                     /* N; TOKENS × PIECES floats are 64 MB */
#define SENTENCE 16                     /* tokens of a target, </s> counted */
#define ALLOWED (TOKENS * (long)PIECES * (long)sizeof(float) / 3 / 1024)        /* kB from N to 2N */

#ifdef __SANITIZE_ADDRESS__             /* they make this slow: a few rows stand for all */
#define ROWS_MOST 3
#else
#define ROWS_MOST 100
#endif

static struct error err;

static const char *vocabulary_path(void)
{
    return scratch_path("wide.spm");
}

static void make_vocabulary(void)
{
    char path[4096];
    struct vocab_config c = { 0 };
    const struct option_group groups[] = { { NULL, vocab_options, &c }, { 0 } };
    const char *const files[] = { path };
    snprintf(path, sizeof path, "%s", scratch_path("words.txt"));
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (int i = 0; i < PIECES; i++)
        fprintf(f, "%c%c%c%c\n", 'a' + i % 20, 'a' + i / 20 % 20, 'a' + i / 400 % 20, 'a' + i / 8000);
    fclose(f);
    options_default(groups);
    assert_int_equal(options_set(groups, "type", "word", &err), 0);
    assert_int_equal(options_set(groups, "size", "8000", &err), 0);
    if (vocab_train(vocabulary_path(), files, 1, &c, &err) < 0)
        fail_msg("%s", err.text);
    options_release(groups);
}

static struct model *narrow_model(int64_t seed)
{
    struct model_config c = { 0 };
    const struct option_group groups[] = { { NULL, model_options, &c }, { 0 } };
    options_default(groups);
    c.dim = c.ffn = 8;
    c.heads = c.encoder_layers = c.decoder_layers = 1;
    struct tokenizer *t = tokenizer_load(vocabulary_path(), &err);
    assert_non_null(t);
    assert_int_equal(tokenizer_vocab(t), PIECES);
    struct model *m = model_new(&c, t, t, seed, &err);
    assert_non_null(m);
    return m;
}

/* The most kB that the work ever had resident, in a process of its own. */
static long peak_of(void (*work)(const void *what, int tokens), const void *what, int tokens)
{
    struct rusage usage;
    int status;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        work(what, tokens);
        _exit(0);
    }
    assert_int_equal(wait4(child, &status, 0, &usage), child);
    assert_int_equal(status, 0);
    return usage.ru_maxrss;
}

static void check_growth(const char *name, void (*work)(const void *what, int tokens), const void *what)
{
    long once = peak_of(work, what, TOKENS), twice = peak_of(work, what, 2 * TOKENS);
    if (twice - once > ALLOWED)
        fail_msg("%s: %ld kB with %d tokens at once, %ld kB with %d", name, once, TOKENS, twice, 2 * TOKENS);
}

/* ---- every objective, a batch forward and back ---- */

struct wanted {
    const struct objective_kind *kind;
    const char *option, *value;         /* or NULL */
};

static void must(bool good)
{
    if (!good) {
        fprintf(stderr, "%s\n", err.text);
        _exit(1);
    }
}

static void fill(struct batch *b, const struct model *m, int tokens)
{
    int32_t source[SENTENCE], target[SENTENCE - 1];
    for (int s = 0; s < tokens / SENTENCE; s++) {
        for (int i = 0; i < SENTENCE; i++)
            source[i] = 3 + (int32_t)(s * 31 + i * 7) % (PIECES - 3);
        for (int i = 0; i < SENTENCE - 1; i++)
            target[i] = 3 + (int32_t)(s * 17 + i * 11) % (PIECES - 3);
        batch_add(b, source, SENTENCE, target, SENTENCE - 1, model_bos(m), model_eos(m), s, 1);
    }
}

static void learn(const void *what, int tokens)
{
    const struct wanted *w = what;
    struct model *student = narrow_model(1), *teacher = w->kind->wants_teacher ? narrow_model(2) : NULL;
    const struct model *const teachers[] = { teacher };
    void *config = xcalloc(1, w->kind->config_size);
    const struct option_group groups[] = { { NULL, w->kind->options, config }, { 0 } };
    struct objective_needs needs = { .student = student, .teachers = teachers, .teacher_count = teacher != NULL };
    struct pool *pool = pool_new(1);
    struct loss_sums sums = { 0 };
    struct batch b = { 0 };
    struct objective o;
    options_default(groups);
    must(!w->option || options_set(groups, w->option, w->value, &err) == 0);
    must(objective_make(&o, w->kind, &needs, config, &err) == 0);
    struct workers *workers = workers_new(student, &o, pool, 1, tokens, 0);
    fill(&b, student, tokens);
    must(b.target_tokens == tokens);
    must(workers_run(workers, &b, &(struct moment){ .progress = 0.5 }, 0, &sums, &err) == 0);
    must(sums.gold_tokens == tokens);
}

static void no_objective_holds_logits_of_all_tokens(void **state)
{
    static const struct { const char *name, *option, *value; } variants[] = {
        { "kd-topk", "tail", "bucket" }, { "selective-kd", "hard-among", "queue" }, { "word-kd", "temperature", "2" },
    };
    int rows = 0;
    (void)state;
    for (const struct objective_kind *k = objective_kinds; k->name && rows < ROWS_MOST; k++, rows++)
        check_growth(k->name, learn, &(struct wanted){ k, NULL, NULL });
    for (size_t i = 0; i < ARRAY_COUNT(variants) && rows < ROWS_MOST; i++)
        check_growth(variants[i].name, learn, &(struct wanted){ objective_find(variants[i].name, &err), variants[i].option,
                                                                 variants[i].value });
}

/* ---- a training, with its validation ---- */

static struct store *corpus(const struct model *m, const char *name, int tokens)
{
    const char *path = scratch_path(name);
    uint64_t vocabulary = tokenizer_fingerprint(m->source_tokenizer);
    struct store_writer *w = store_writer_new(path, vocabulary, vocabulary, &err);
    struct batch b = { 0 };
    fill(&b, m, tokens);
    for (int s = 0; s < b.B; s++)
        must(store_writer_add(w, b.source + b.source_start[s], SENTENCE - 1, b.output + b.target_start[s], SENTENCE - 1, &err) == 0);
    must(store_writer_commit(w, &err) == 0);
    struct store *store = store_open(path, true, &err);
    must(store != NULL);
    batch_release(&b);
    return store;
}

static void train(const void *what, int tokens)
{
    struct model *m = narrow_model(1);
    struct objective o = objective_cross_entropy(0.1f);
    struct batching_config batching = { 0 };
    struct train_config c = { 0 };
    const struct option_group groups[] = { { NULL, batching_options, &batching }, { NULL, train_options, &c }, { 0 } };
    struct batch_source source, dev;
    struct train_report report;
    char name[32];
    (void)what;
    options_default(groups);
    batching.batch_tokens = c.micro_tokens = tokens;
    c.threads = 1;
    c.max_updates = 2;
    snprintf(name, sizeof name, "train-%d.ids", tokens);
    struct store *store = corpus(m, name, 2 * tokens);
    must(batching_open(&source, store, model_bos(m), model_eos(m), &batching, NULL, &err) == 0);
    batching.shuffle = false;
    must(batching_open(&dev, store, model_bos(m), model_eos(m), &batching, NULL, &err) == 0);
    snprintf(name, sizeof name, "model-%d", tokens);
    log_quiet(true);
    must(train_model(m, &o, &(struct train_data){ .train = &source, .dev = &dev }, &c, scratch_path(name), &report, &err) == 0);
    must(report.updates == 2 && isfinite(report.dev_nll));
}

static void a_training_and_its_validation_hold_logits_of_a_chunk(void **state)
{
    (void)state;
    check_growth("training", train, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_objective_holds_logits_of_all_tokens),
        cmocka_unit_test(a_training_and_its_validation_hold_logits_of_a_chunk),
    };
    make_vocabulary();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
