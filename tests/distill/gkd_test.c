/* On-policy distillation as a whole: the samples are the student's, and an update on them is that of
 * ordinary distillation on a corpus of them. */
#include "tests/seq2seq/small_model.h"

#include "base/error.h"
#include "base/rng.h"
#include "base/thread.h"
#include "corpora/batching.h"
#include "corpora/store.h"
#include "distill/kd.h"
#include "distill/objectives.h"
#include "distill/on_policy.h"
#include "seq2seq/model.h"
#include "seq2seq/train.h"
#include "seq2seq/workers.h"
#include "tensor/tape.h"
#include "tokenize/tokenizer.h"

static struct error err;

enum { LONGEST = 12 };
static const char *const divergences[] = { "word-kd", "reverse-kl", "jsd", "skew-kl", "skew-reverse-kl", "tvd" };
enum { DIVERGENCES = sizeof divergences / sizeof *divergences };

static struct model *model_make(int dim, float dropout, int64_t seed)
{
    struct model_config c = small_config("transformer", dim);
    c.dropout = dropout;
    struct model *m = small_model(&c, "char", seed);
    for (size_t w = 0; w < m->params.total; w++)        /* fresh weights are nearly even */
        m->params.block[w] *= 2;
    return m;
}

static struct store_writer *writer_make(const char **path, const struct model *m)
{
    static int number;
    char name[32];
    snprintf(name, sizeof name, "corpus-%d.ids", number++);
    *path = scratch_path(name);
    uint64_t vocab = tokenizer_fingerprint(m->source_tokenizer);
    return store_writer_new(*path, vocab, vocab, &err);
}

static struct store *store_done(struct store_writer *w, const char *path)
{
    assert_int_equal(store_writer_commit(w, &err), 0);
    struct store *s = store_open(path, true, &err);
    assert_non_null(s);
    return s;
}

static struct store *gold_store(const struct model *m)
{
    const char *path;
    struct store_writer *w = writer_make(&path, m);
    struct rng rng;
    rng_seed(&rng, 3, 0);
    for (int i = 0; i < 60; i++) {
        int32_t ids[16];
        for (int j = 0; j < 16; j++)
            ids[j] = 4 + (int32_t)rng_below(&rng, 20);
        assert_int_equal(store_writer_add(w, ids, 1 + (int)rng_below(&rng, 7), ids + 8, 1 + (int)rng_below(&rng, 7), &err), 0);
    }
    return store_done(w, path);
}

/* The batch as an ordinary corpus, in its order. */
static struct store *store_of(const struct batch *b, const struct model *m)
{
    const char *path;
    struct store_writer *w = writer_make(&path, m);
    for (int i = 0; i < b->B; i++)
        assert_int_equal(store_writer_add(w, b->source + b->source_start[i], b->source_start[i + 1] - b->source_start[i] - 1,
                                          b->output + b->target_start[i], b->target_start[i + 1] - b->target_start[i] - 1,
                                          &err), 0);
    return store_done(w, path);
}

static struct batch_source batches_of(const struct store *store, const struct model *m, int tokens, bool shuffle)
{
    struct batching_config c = { .batch_tokens = tokens, .max_length = 20, .seed = 6, .shuffle = shuffle };
    struct batch_source out;
    assert_int_equal(batching_open(&out, store, model_bos(m), model_eos(m), &c, NULL, &err), 0);
    return out;
}

struct scene {
    struct model *teacher, *student;
    struct store *store;
    struct batch_source own;            /* the student's outputs alone */
};

static void scene_open(struct scene *s, float end_bias)
{
    struct on_policy_config config = { 0 };
    const struct option_group groups[] = { { NULL, on_policy_options, &config }, { NULL } };
    *s = (struct scene){ model_make(24, 0.4f, 1), model_make(16, 0, 2), NULL, { 0 } };
    param_data(&s->student->params, model_output(s->student, 0).bias)[model_eos(s->student)] += end_bias;
    s->store = gold_store(s->student);
    options_default(groups);
    assert_int_equal(options_set(groups, "on-policy", "1", &err), 0);
    struct batch_source gold = batches_of(s->store, s->student, 60, true);
    assert_int_equal(on_policy_open(&s->own, &gold, s->student, &config, LONGEST, 9, 2, &err), 0);
}

static void scene_close(struct scene *s)
{
    s->own.free(s->own.state);
    store_close(s->store);
    model_free(s->student);
    model_free(s->teacher);
}

static void draw(struct batch_source *source, struct batch *b)
{
    if (source->at)
        source->at(source->state, &(struct moment){ 0 });
    if (source->next(source->state, b, &err) <= 0)
        assert_int_equal(source->next(source->state, b, &err), 1);
    assert_true(b->B > 0);
}

/* The gradient of all weights into out, by that divergence alone or with gold; returns the sums. */
static struct loss_sums gradient(float *out, const struct model *student, const struct model *teacher, const char *name,
                                 const char *alpha, const struct batch *b)
{
    const struct objective_kind *kind = objective_find(name, &err);
    struct kd_config config = { 0 };
    struct objective o;
    const struct option_group groups[] = { { NULL, kind->options, &config }, { NULL } };
    options_default(groups);
    assert_int_equal(options_set(groups, "alpha", alpha, &err), 0);
    const struct objective_needs needs = { .student = student, .teachers = &teacher, .teacher_count = 1 };
    assert_int_equal(objective_make(&o, kind, &needs, &config, &err), 0);
    struct pool *pool = pool_new(1);
    struct workers *w = workers_new(student, &o, pool, 1, 0, 0);
    struct loss_sums sums = { 0 };
    assert_int_equal(workers_run(w, b, &(struct moment){ 0 }, 0, &sums, &err), 0);
    memcpy(out, workers_grads(w)[0], student->params.total * sizeof *out);
    workers_free(w);
    pool_free(pool);
    o.free(o.shared);
    return sums;
}

static float largest(const float *x, size_t size)
{
    float most = 0;
    for (size_t i = 0; i < size; i++)
        most = fmaxf(most, fabsf(x[i]));
    return most;
}

/* An update on samples is one of ordinary distillation on the corpus of them, bit for bit: the
 * shift, the ends, the masks and the counting of tokens are the same, and the sampling has no gradient.
 * On gold batches the share of gold would be another half. */
static void samples_teach_what_a_corpus_of_them_teaches(void **state)
{
    struct scene s;
    struct batch own = { 0 }, plain = { 0 };
    scene_open(&s, 2);
    size_t total = s.student->params.total;
    float *a = malloc(total * sizeof *a), *b = malloc(total * sizeof *b);
    for (int round = 0; round < 3; round++) {
        draw(&s.own, &own);
        struct store *store = store_of(&own, s.student);
        struct batch_source corpus = batches_of(store, s.student, 100000, false);
        draw(&corpus, &plain);
        assert_true(own.sampled && !plain.sampled);
        assert_int_equal(own.target_tokens, plain.target_tokens);
        for (int d = 0; d < DIVERGENCES; d++) {
            struct loss_sums x = gradient(a, s.student, s.teacher, divergences[d], "0.5", &own);
            struct loss_sums y = gradient(b, s.student, s.teacher, divergences[d], "1", &plain);
            assert_true(x.loss == y.loss && x.tokens == y.tokens && x.gold_tokens == y.gold_tokens);
            assert_true(largest(a, total) > 1e-3f);
            assert_memory_equal(a, b, total * sizeof *a);
        }
        corpus.free(corpus.state);
        store_close(store);
    }
    free(a);
    free(b);
    batch_release(&own);
    batch_release(&plain);
    scene_close(&s);
}

static void a_student_that_is_its_teacher_learns_nothing_from_its_samples(void **state)
{
    struct scene s;
    struct batch own = { 0 };
    scene_open(&s, 2);
    size_t total = s.student->params.total;
    float *a = malloc(total * sizeof *a);
    draw(&s.own, &own);
    for (int d = 0; d < DIVERGENCES; d++) {
        bool rough = !strcmp(divergences[d], "tvd");    /* its slope is a sign, of noise where p = q */
        gradient(a, s.student, s.teacher, divergences[d], "1", &own);
        float other = largest(a, total);
        gradient(a, s.student, s.student, divergences[d], "1", &own);
        if (!rough && largest(a, total) > 1e-4f * other)
            fail_msg("%s: %g, from another teacher %g", divergences[d], (double)largest(a, total), (double)other);
    }
    free(a);
    batch_release(&own);
    scene_close(&s);
}

/* What was drawn is a prefix and no target: also of </s> behind an output that the length limit cut,
 * where the teacher's word on the next token counts. */
static void a_sample_that_was_cut_teaches_no_end(void **state)
{
    struct scene s;
    struct batch own = { 0 };
    int cut = 0;
    scene_open(&s, -50);
    size_t total = s.student->params.total;
    float *a = malloc(total * sizeof *a), *b = malloc(total * sizeof *b);
    draw(&s.own, &own);
    for (int d = 0; d < DIVERGENCES; d++) {
        double before = gradient(a, s.student, s.teacher, divergences[d], "0.3", &own).loss;
        for (int i = 0; i < own.B; i++) {
            int last = own.target_start[i + 1] - 1;
            cut += last - own.target_start[i] == LONGEST;
            own.output[last] = d % 2 ? model_eos(s.student) : 7;
        }
        assert_true(gradient(b, s.student, s.teacher, divergences[d], "0.3", &own).loss == before);
        assert_memory_equal(a, b, total * sizeof *a);
    }
    assert_int_equal(cut, DIVERGENCES * own.B);
    free(a);
    free(b);
    batch_release(&own);
    scene_close(&s);
}

/* ---- whose samples they are ---- */

static bool drawable(const struct tokenizer *t, int32_t id)
{
    return id != tokenizer_unk(t) && id != tokenizer_bos(t) && id != tokenizer_pad(t);
}

/* The surprise of a token that is drawn from softmax(x), less what is expected of it, and its variance. */
static void surprise(double *excess, double *variance, const float *x, int32_t drawn, const struct tokenizer *t, int V)
{
    double sum = 0, mean = 0, square = 0, max = -1e30;
    for (int v = 0; v < V; v++)
        max = drawable(t, v) ? fmax(max, (double)x[v]) : max;
    for (int v = 0; v < V; v++)
        sum += drawable(t, v) ? exp((double)x[v] - max) : 0;
    for (int v = 0; v < V; v++) {
        double nll = max + log(sum) - (double)x[v], p = exp(-nll);
        mean += drawable(t, v) ? p * nll : 0;
        square += drawable(t, v) ? p * nll * nll : 0;
    }
    *excess += max + log(sum) - (double)x[drawn] - mean;
    *variance += square - mean * mean;
}

/* By the model's pass over whole sentences, without dropout: the tokens are as surprising as its
 * distributions say.  The </s> that the limit set is not drawn. */
static void samples_are_drawn_from_what_a_whole_pass_says(void **state)
{
    struct scene s;
    struct batch own = { 0 };
    double excess[2] = { 0 }, variance[2] = { 0 };
    int tokens = 0;
    scene_open(&s, 2);
    struct model *other = model_make(16, 0, 77);
    const struct model *both[] = { s.student, other };
    const struct tokenizer *t = s.student->target_tokenizer;
    int V = s.student->config.target_vocab;
    s.student->config.dropout = 0.5f;
    for (int round = 0; round < 150; round++) {
        draw(&s.own, &own);
        for (int m = 0; m < 2; m++) {
            struct tape tape = { .params = &both[m]->params };
            struct tensor *hidden = model_hidden(both[m], &tape, &own);
            float *logits = malloc((size_t)hidden->rows * (size_t)V * sizeof *logits);
            model_logits(both[m], logits, hidden->data, hidden->rows);
            for (int i = 0; i < own.B; i++)
                for (int r = own.target_start[i]; r < own.target_start[i + 1] && r < own.target_start[i] + LONGEST; r++) {
                    surprise(&excess[m], &variance[m], logits + (size_t)r * (size_t)V, own.output[r], t, V);
                    tokens += m == 0;
                }
            free(logits);
            tape_release(&tape);
        }
    }
    assert_true(tokens > 5000);
    if (fabs(excess[0]) > 3.5 * sqrt(variance[0]))
        fail_msg("%d tokens are %g nats too surprising, with a deviation of %g", tokens, excess[0], sqrt(variance[0]));
    assert_true(fabs(excess[1]) > 10 * sqrt(variance[1]));     /* of another model they are not */
    model_free(other);
    batch_release(&own);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_teach_what_a_corpus_of_them_teaches),
        cmocka_unit_test(a_student_that_is_its_teacher_learns_nothing_from_its_samples),
        cmocka_unit_test(a_sample_that_was_cut_teaches_no_end),
        cmocka_unit_test(samples_are_drawn_from_what_a_whole_pass_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
