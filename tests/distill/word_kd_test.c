/* Word-level distillation with the teacher online: what it computes, what it refuses. */
#include "tests/test.h"

#include "base/error.h"
#include "base/rng.h"
#include "corpora/batch.h"
#include "distill/word_kd.h"
#include "seq2seq/model.h"
#include "seq2seq/train.h"
#include "tensor/tape.h"
#include "tokenize/tokenizer.h"

#define GOLDEN TEST_DATA "/../tokenize/golden/"

static struct error err;

static struct model *model_of(const char *vocabulary, int dim, int64_t seed)
{
    struct model_config c = { 0 };
    const struct option_group groups[] = { { NULL, model_options, &c }, { 0 } };
    char path[4096];
    options_default(groups);
    c.dim = dim;
    c.ffn = 2 * dim;
    c.heads = 2;
    c.encoder_layers = c.decoder_layers = 1;
    c.dropout = 0.4f;
    snprintf(path, sizeof path, GOLDEN "%s.model", vocabulary);
    struct tokenizer *t = tokenizer_load(path, &err);
    assert_non_null(t);
    struct model *m = model_new(&c, t, t, seed, &err);
    assert_non_null(m);
    return m;
}

static void batch_fill(struct batch *b, const struct model *m)
{
    static const int32_t source[] = { 5, 9, 12, 7, 30 }, target[] = { 6, 8, 15, 21 };
    batch_reset(b);
    for (int i = 1; i <= 4; i++)
        batch_add(b, source, i + 1, target, i, model_bos(m), model_eos(m), i, 1);
}

/* The gradient of the logits of the whole batch by an objective, the logits being given; returns
 * the loss. */
static double gradient(const struct objective *o, const struct batch *b, const float *logits,
                       float *out, int V)
{
    struct loss_sums sums = { 0 };
    void *worker = o->worker_new(o->shared, 0);
    float *weight = malloc(sizeof(float) * (size_t)b->target_tokens);
    for (int i = 0; i < b->target_tokens; i++)
        weight[i] = 1;
    memcpy(out, logits, sizeof(float) * (size_t)b->target_tokens * (size_t)V);
    if (o->begin)
        assert_int_equal(o->begin(worker, b, &(struct moment){ 0 }, &err), 0);
    /* in two chunks, as the output layer would */
    o->chunk(worker, 0, 5, V, b->output, weight, 1, out, &sums);
    o->chunk(worker, 5, b->target_tokens - 5, V, b->output + 5, weight, 1, out + 5 * (size_t)V, &sums);
    assert_int_equal(sums.gold_tokens, b->target_tokens);
    o->worker_free(worker);
    free(weight);
    return sums.loss;
}

struct scene {
    struct model *teacher;
    struct batch batch;
    int V;
    size_t size;
    float *logits, *a, *b;
};

static void scene_open(struct scene *s)
{
    struct rng rng;
    *s = (struct scene){ .teacher = model_of("bpe", 24, 1) };
    batch_fill(&s->batch, s->teacher);
    s->V = s->teacher->config.target_vocab;
    s->size = (size_t)s->batch.target_tokens * (size_t)s->V;
    s->logits = malloc(s->size * sizeof(float));
    s->a = malloc(s->size * sizeof(float));
    s->b = malloc(s->size * sizeof(float));
    rng_seed(&rng, 8, 0);
    for (size_t i = 0; i < s->size; i++)
        s->logits[i] = (float)rng_normal(&rng);
}

static void scene_close(struct scene *s)
{
    free(s->logits);
    free(s->a);
    free(s->b);
    batch_release(&s->batch);
    model_free(s->teacher);
}

static struct objective word_kd(const struct scene *s, struct word_kd_config config)
{
    struct objective o;
    assert_int_equal(objective_word_kd(&o, s->teacher, s->teacher, &config, &err), 0);
    return o;
}

static void without_the_teachers_share_it_is_cross_entropy_bit_for_bit(void **state)
{
    struct scene s;
    scene_open(&s);
    struct objective plain = objective_cross_entropy(0.1f);
    struct objective kd = word_kd(&s, (struct word_kd_config){ 0, 3, true, 0.1f });
    double a = gradient(&plain, &s.batch, s.logits, s.a, s.V);
    double b = gradient(&kd, &s.batch, s.logits, s.b, s.V);
    assert_true(a == b);
    assert_memory_equal(s.a, s.b, s.size * sizeof(float));
    plain.free(plain.shared);
    kd.free(kd.shared);
    scene_close(&s);
}

/* The teacher's own logits leave nothing to learn, at any temperature; so its dropout is off. */
static void a_student_that_gives_the_teachers_logits_has_no_gradient(void **state)
{
    static const float temperatures[] = { 1, 2, 0.5f };
    struct scene s;
    scene_open(&s);
    struct tape tape = { .params = &s.teacher->params };
    struct tensor *hidden = model_hidden(s.teacher, &tape, &s.batch);
    model_logits(s.teacher, s.logits, hidden->data, hidden->rows);
    for (int i = 0; i < 3; i++) {
        struct objective kd = word_kd(&s, (struct word_kd_config){ 1, temperatures[i], true, 0 });
        gradient(&kd, &s.batch, s.logits, s.a, s.V);
        for (size_t k = 0; k < s.size; k++)
            assert_true(fabsf(s.a[k]) < 1e-5f);
        kd.free(kd.shared);
    }
    tape_release(&tape);
    scene_close(&s);
}

static void the_square_of_the_temperature_multiplies_the_teachers_share_once(void **state)
{
    struct scene s;
    scene_open(&s);
    struct objective with = word_kd(&s, (struct word_kd_config){ 1, 2, true, 0 });
    struct objective without = word_kd(&s, (struct word_kd_config){ 1, 2, false, 0 });
    double a = gradient(&with, &s.batch, s.logits, s.a, s.V);
    double b = gradient(&without, &s.batch, s.logits, s.b, s.V);
    assert_true(fabs(a - 4 * b) < 1e-4 * fabs(a));
    for (size_t k = 0; k < s.size; k++)
        assert_true(fabsf(s.a[k] - 4 * s.b[k]) < 1e-5f);
    with.free(with.shared);
    without.free(without.shared);
    scene_close(&s);
}

static void other_vocabularies_are_refused_and_seq_kd_is_suggested(void **state)
{
    struct model *student = model_of("char", 24, 1), *teacher = model_of("bpe", 24, 1);
    struct word_kd_config config = { 0.5f, 1, true, 0 };
    struct objective o;
    assert_int_equal(objective_word_kd(&o, student, teacher, &config, &err), -1);
    assert_non_null(strstr(err.text, "vocabulary"));
    assert_non_null(strstr(err.text, "seq-kd"));
    model_free(student);
    model_free(teacher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_the_teachers_share_it_is_cross_entropy_bit_for_bit),
        cmocka_unit_test(a_student_that_gives_the_teachers_logits_has_no_gradient),
        cmocka_unit_test(the_square_of_the_temperature_multiplies_the_teachers_share_once),
        cmocka_unit_test(other_vocabularies_are_refused_and_seq_kd_is_suggested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
