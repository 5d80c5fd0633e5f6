/* Heads on the encoder: their gradients, their files, and what they predict. */
#include "tests/test.h"

#include <math.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include "corpora/task.h"
#include "seq2seq/head.h"
#include "seq2seq/layer_rates.h"
#include "seq2seq/model.h"
#include "seq2seq/objective.h"
#include "seq2seq/train.h"
#include "seq2seq/workers.h"
#include "tensor/adam.h"
#include "tokenize/tokenizer.h"

static struct error err;

/* Classifications of texts, with two and four labels, a tagging, a number, a classification of pairs. */
enum { PAIRS = 4, TASKS };
static struct task tasks[TASKS];

static int make_tasks(void **state)
{
    static const char *const texts[] = {
        "{\"name\": \"polar\", \"kind\": \"classify\", \"labels\": [\"no\", \"yes\"]}",
        "{\"name\": \"four\", \"kind\": \"classify\", \"labels\": [\"a\", \"b\", \"c\", \"d\"]}",
        "{\"name\": \"tags\", \"kind\": \"tag\", \"labels\": [\"O\", \"B\", \"I\"]}",
        "{\"name\": \"size\", \"kind\": \"regress\", \"mean\": 2, \"deviation\": 0.5}",
        "{\"name\": \"pairs\", \"kind\": \"classify\", \"texts\": 2, \"labels\": [\"no\", \"maybe\", \"yes\"]}",
    };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        json_t *json = json_loads(texts[i], 0, NULL);
        assert_int_equal(task_from_json(&tasks[i], json, &err), 0);
        json_decref(json);
    }
    return 0;
}

static int drop_tasks(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(tasks); i++)
        task_release(&tasks[i]);
    return 0;
}

static struct model *model_make(int arch, int pool, bool layer)
{
    struct model_config c = { 0 };
    const struct option_group groups[] = { { NULL, model_options, &c }, { 0 } };
    options_default(groups);
    c.arch = arch;
    c.dim = 8;
    c.ffn = 12;
    c.heads = 2;
    c.encoder_layers = 2;
    c.decoder_layers = 0;
    c.dropout = 0;
    c.activation = ACTIVATION_GELU;             /* smooth, for differences */
    c.pool = pool;
    c.head_layer = layer;
    c.pair = PAIR_COMPARE;
    struct tokenizer *t = tokenizer_load(TEST_DATA "/../tokenize/golden/bpe.model", &err);
    assert_non_null(t);
    struct model *m = model_new_tasks(&c, tasks, TASKS, t, t, 3, &err);
    if (!m)
        fail_msg("%s", err.text);
    return m;
}

static void batch_make(struct batch *b, const struct model *m, int task)
{
    static const int32_t source[] = { 5, 9, 7, 12, 20, 6, 30 };
    int32_t eos = model_eos(m);
    batch_reset(b);
    b->task = task;
    for (int s = 0; s < 3; s++) {
        int count = 7 - 2 * s, labels = task == 2 ? count - 1 : 1;
        int32_t pairs[14];
        for (int i = 0; i < labels; i++) {
            pairs[2 * i] = (s + i) % task_outputs(&tasks[task]);
            pairs[2 * i + 1] = task == 2 ? i : 0;
            if (task == 3)
                memcpy(&pairs[0], &(float){ 0.3f * (float)s - 0.4f }, sizeof(float));
        }
        batch_add_labels(b, source + s, count, pairs, labels, eos, s, 1);
        if (task == PAIRS)
            b->source[b->source_start[s] + 1] = eos;            /* between the texts */
    }
}

/* ---- gradients ---- */

/* Half the squared error for a number, else cross-entropy: what tasks are trained with. */
static void *no_worker(void *shared, int worker)
{
    (void)worker;
    return shared;
}

static void forget(void *worker)
{
    (void)worker;
}

static void squared(void *worker, int first, int rows, int V, const int32_t *target, const float *weight,
                    float scale, float *logits, struct loss_sums *sums)
{
    (void)worker;
    (void)first;
    assert_int_equal(V, 1);
    for (int r = 0; r < rows; r++) {
        float wanted;
        memcpy(&wanted, &target[r], sizeof wanted);
        float error = logits[r] - wanted;
        sums->loss += 0.5 * (double)(error * error);
        sums->tokens += (double)weight[r];
        logits[r] = scale * weight[r] * error;
    }
}

static double loss_of(const struct model *m, const struct batch *b, const struct objective *o, struct pool *pool,
                      float *grads)
{
    struct workers *w = workers_new(m, o, pool, 1, 0, 0);
    struct loss_sums sums = { 0 };
    assert_int_equal(workers_run(w, b, &(struct moment){ 0 }, 0, &sums, &err), 0);
    if (grads)
        memcpy(grads, workers_grads(w)[0], m->params.total * sizeof *grads);
    workers_free(w);
    return sums.loss;
}

/* Along the gradient itself the loss must rise by its squared length. */
static void check_slope(struct model *m, int task, struct pool *pool)
{
    struct objective plain = objective_cross_entropy(0);
    struct objective number = { .name = "squared", .worker_new = no_worker, .worker_free = forget, .chunk = squared };
    const struct objective *o = task == 3 ? &number : &plain;
    struct batch b = { 0 };
    float *grads = block_new(&m->params), *before = block_new(&m->params);
    size_t total = m->params.total;
    double squares = 0;
    batch_make(&b, m, task);
    loss_of(m, &b, o, pool, grads);
    memcpy(before, m->params.block, total * sizeof *before);
    for (size_t i = 0; i < total; i++)
        squares += (double)grads[i] * (double)grads[i];
    double step = 2e-3 / sqrt(squares), up, down;
    for (size_t i = 0; i < total; i++)
        m->params.block[i] = before[i] + (float)step * grads[i];
    up = loss_of(m, &b, o, pool, NULL);
    for (size_t i = 0; i < total; i++)
        m->params.block[i] = before[i] - (float)step * grads[i];
    down = loss_of(m, &b, o, pool, NULL);
    double slope = (up - down) / (2 * step);
    if (fabs(slope - squares) > 0.01 * squares)
        fail_msg("task %d, pool %d: slope %g, gradient %g", task, m->config.pool, slope, squares);
    memcpy(m->params.block, before, total * sizeof *before);
    free(grads);
    free(before);
    batch_release(&b);
    plain.free(plain.shared);
}

static void the_gradient_of_every_head_is_the_slope(void **state)
{
    struct pool *pool = pool_new(1);
    for (int arch = 0; arch < 2; arch++)
        for (int pooling = POOL_FIRST; pooling <= POOL_ATTENTION; pooling++) {
            struct model *m = model_make(arch, pooling, pooling != POOL_MEAN);
            for (int task = 0; task < TASKS; task++)
                check_slope(m, task, pool);
            model_free(m);
        }
    pool_free(pool);
}

/* Each text is read by itself: with the second one as the first, the answer is that of a model whose
 * head has the parts of u and v, and only those, changed about. */
static void texts_that_are_compared_change_places(void **state)
{
    for (int arch = 0; arch < 2; arch++) {
        struct model *m = model_make(arch, POOL_ATTENTION, false);
        struct scorer *s = scorer_new(m);
        struct batch b = { 0 }, turned = { 0 };
        int32_t eos = model_eos(m), pair[] = { 0, 0 }, one[] = { 5, 9, eos, 20 }, other[] = { 20, eos, 5, 9 };
        float said[3], meant[3];
        batch_reset(&b);
        batch_reset(&turned);
        b.task = turned.task = PAIRS;
        batch_add_labels(&b, one, 4, pair, 1, eos, 0, 1);
        batch_add_labels(&turned, other, 4, pair, 1, eos, 0, 1);
        assert_int_equal(model_predict(s, &b, said), 3);
        int layer = m->heads[PAIRS].layer, D = m->config.dim;
        float *w = m->params.block + m->params.items[layer].offset;
        for (int r = 0; r < D; r++)
            for (int d = 0; d < D; d++) {
                float *u = &w[(size_t)r * 4 * (size_t)D + (size_t)d], *v = u + D, kept = *u;
                *u = *v;
                *v = kept;
            }
        assert_int_equal(model_predict(s, &turned, meant), 3);
        for (int i = 0; i < 3; i++)
            assert_true(fabsf(said[i] - meant[i]) < 1e-5f);
        batch_release(&b);
        batch_release(&turned);
        scorer_free(s);
        model_free(m);
    }
}

/* ---- files and predictions ---- */

static void a_saved_model_predicts_the_same(void **state)
{
    const char *folder = scratch_path("heads");
    for (int arch = 0; arch < 2; arch++) {
        struct model *m = model_make(arch, POOL_ATTENTION, true), *again;
        assert_int_equal(model_save(m, folder, &err), 0);
        again = model_load(folder, &err);
        if (!again)
            fail_msg("%s", err.text);
        assert_int_equal(again->task_count, TASKS);
        assert_int_equal(model_find_task(again, "tags"), 2);
        assert_int_equal(model_find_task(again, "nothing"), -1);
        assert_string_equal(again->tasks[1].labels.items[3], "d");
        assert_true(again->tasks[3].deviation == 0.5f);
        struct scorer *one = scorer_new(m), *two = scorer_new(again);
        struct batch b = { 0 };
        for (int task = 0; task < TASKS; task++) {
            float x[64], y[64];
            batch_make(&b, m, task);
            int outputs = model_predict(one, &b, x);
            assert_int_equal(model_predict(two, &b, y), outputs);
            assert_memory_equal(x, y, (size_t)(b.target_tokens * outputs) * sizeof *x);
        }
        batch_release(&b);
        scorer_free(one);
        scorer_free(two);
        model_free(again);
        model_free(m);
    }
}

static void the_score_of_a_label_is_what_is_predicted_for_it(void **state)
{
    struct model *m = model_make(0, POOL_MEAN, false);
    struct scorer *s = scorer_new(m);
    struct batch b = { 0 };
    for (int task = 0; task < TASKS; task++) {
        float x[64], logp[16];
        batch_make(&b, m, task);
        int outputs = model_predict(s, &b, x);
        scorer_run(s, &b, logp);
        for (int n = 0; n < b.target_tokens; n++) {
            float wanted;
            memcpy(&wanted, &b.output[n], sizeof wanted);
            float expected = task == 3 ? -(x[n] - wanted) * (x[n] - wanted) : x[n * outputs + b.output[n]];
            assert_true(fabsf(logp[n] - expected) < 1e-6f);
        }
    }
    batch_release(&b);
    scorer_free(s);
    model_free(m);
}

static void the_mean_of_one_state_is_the_first_state(void **state)
{
    struct model *first = model_make(0, POOL_FIRST, false), *mean = model_make(0, POOL_MEAN, false);
    struct scorer *a = scorer_new(first), *c = scorer_new(mean);
    struct batch b = { 0 };
    float x[8], y[8];
    batch_reset(&b);
    batch_add_labels(&b, NULL, 0, (int32_t[]){ 1, 0 }, 1, model_eos(first), 0, 1);      /* </s> alone */
    int outputs = model_predict(a, &b, x);
    model_predict(c, &b, y);
    for (int i = 0; i < outputs; i++)
        assert_true(fabsf(x[i] - y[i]) < 1e-5f);
    batch_release(&b);
    scorer_free(a);
    scorer_free(c);
    model_free(first);
    model_free(mean);
}

static float factor_of(const struct model *m, const float *factor, const char *name)
{
    int found = param_find(&m->params, name);
    assert_true(found >= 0);
    return factor[found];
}

static void layers_learn_the_slower_the_deeper_they_lie(void **state)
{
    for (int arch = 0; arch < 2; arch++) {
        struct model *m = model_make(arch, POOL_MEAN, false);
        const char *top = arch ? "encoder.1.forward.bias" : "encoder.1.ffn.out.weight";
        const char *bottom = arch ? "encoder.0.forward.bias" : "encoder.0.ffn.out.weight";
        float *factor = layer_rates(m, 0.5f);
        assert_null(layer_rates(m, 1));
        assert_true(factor_of(m, factor, "head.four.output.weight") == 1);
        assert_true(factor_of(m, factor, top) == 0.5f);
        assert_true(factor_of(m, factor, bottom) == 0.25f);
        assert_true(factor_of(m, factor, "embed") == 0.125f);
        free(factor);
        model_free(m);
    }
}

/* Adam's first step is the rate itself wherever the gradient is not zero. */
static void adam_steps_by_the_factor_of_each_parameter(void **state)
{
    struct model *m = model_make(0, POOL_MEAN, false);
    struct adam_config c = { .beta1 = 0.9f, .beta2 = 0.99f, .epsilon = 1e-12f };
    struct adam adam;
    struct pool *pool = pool_new(2);
    float *grads = block_new(&m->params), *before = block_new(&m->params);
    for (size_t i = 0; i < m->params.total; i++)
        grads[i] = i % 2 ? 1 : -2;
    memcpy(before, m->params.block, m->params.total * sizeof *before);
    adam_init(&adam, &m->params, &c);
    adam.factor = layer_rates(m, 0.5f);
    adam_update(&adam, &m->params, grads, 1, 1, 0.01f, &c, pool);
    for (size_t p = 0; p < m->params.count; p++) {
        const struct param *it = &m->params.items[p];
        for (size_t i = it->offset; i < it->offset + (size_t)it->rows * (size_t)it->cols; i++)
            assert_true(fabsf(fabsf(m->params.block[i] - before[i]) - 0.01f * adam.factor[p]) < 1e-5f);
    }
    adam_release(&adam);
    pool_free(pool);
    free(grads);
    free(before);
    model_free(m);
}

static void a_translation_without_a_decoder_is_refused(void **state)
{
    struct model_config c = { 0 };
    const struct option_group groups[] = { { NULL, model_options, &c }, { 0 } };
    options_default(groups);
    struct tokenizer *t = tokenizer_load(TEST_DATA "/../tokenize/golden/bpe.model", &err);
    c.decoder_layers = 0;
    assert_null(model_new(&c, t, t, 1, &err));
    assert_non_null(strstr(err.text, "translation needs a decoder"));
    c.decoder_layers = 2;
    assert_null(model_new_tasks(&c, tasks, 4, t, t, 1, &err));
    assert_non_null(strstr(err.text, "none of the tasks is a translation"));
    c.decoder_layers = 0;
    struct task twice[2] = { tasks[0], tasks[0] };
    assert_null(model_new_tasks(&c, twice, 2, t, t, 1, &err));
    assert_non_null(strstr(err.text, "two tasks are called 'polar'"));
    tokenizer_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gradient_of_every_head_is_the_slope),
        cmocka_unit_test(texts_that_are_compared_change_places),
        cmocka_unit_test(a_saved_model_predicts_the_same),
        cmocka_unit_test(the_score_of_a_label_is_what_is_predicted_for_it),
        cmocka_unit_test(the_mean_of_one_state_is_the_first_state),
        cmocka_unit_test(layers_learn_the_slower_the_deeper_they_lie),
        cmocka_unit_test(adam_steps_by_the_factor_of_each_parameter),
        cmocka_unit_test(a_translation_without_a_decoder_is_refused),
    };
    return cmocka_run_group_tests(tests, make_tasks, drop_tasks);
}
