/* Teachers: one model's soft-max, or the mean of several, row by row. */
#include "tests/seq2seq/small_model.h"

#include "base/error.h"
#include "corpora/batch.h"
#include "seq2seq/model.h"
#include "seq2seq/teacher.h"
#include "tokenize/tokenizer.h"

static struct error err;

static struct model *model_of(const char *vocabulary, const char *arch, int dim, int64_t seed)
{
    struct model_config c = small_config(arch, dim);
    c.dropout = 0.4f;
    c.tied = TIE_NONE;                  /* the output's weights are its own */
    return small_model(&c, vocabulary, seed);
}

static struct model *models[2];
static struct batch batch;

static int setup(void **state)
{
    static const int32_t source[] = { 5, 9, 12, 7, 30, 14, 8 }, target[] = { 6, 8, 15, 21, 9, 9, 40, 3 };
    models[0] = model_of("bpe", "transformer", 16, 1);
    models[1] = model_of("bpe", "lstm", 24, 2);
    for (int i = 1; i <= 16; i++)
        batch_add(&batch, source, 1 + i % 7, target, i % 9, model_bos(models[0]), model_eos(models[0]), i, 1);
    return 0;
}

static int teardown(void **state)
{
    model_free(models[0]);
    model_free(models[1]);
    batch_release(&batch);
    return 0;
}

static float *distributions(int count, struct teacher_config config, int chunk)
{
    struct teacher *t = teacher_new((const struct model *const *)models, count, &config, &err);
    struct teacher_worker *w = teacher_worker_new(t);
    int V = teacher_vocab(t);
    float *q = malloc(sizeof *q * (size_t)batch.target_tokens * (size_t)V);
    teacher_begin(w, &batch);
    for (int first = 0; first < batch.target_tokens; first += chunk) {
        int rows = batch.target_tokens - first < chunk ? batch.target_tokens - first : chunk;
        teacher_rows(w, q + (size_t)first * (size_t)V, first, rows);
    }
    teacher_worker_free(w);
    teacher_free(t);
    return q;
}

static void one_model_gives_the_scorer_s_probabilities(void **state)
{
    float *q = distributions(1, (struct teacher_config){ .temperature = 1 }, 7);
    float *logp = malloc(sizeof *logp * (size_t)batch.target_tokens);
    int V = models[0]->config.target_vocab;
    struct scorer *s = scorer_new(models[0]);
    scorer_run(s, &batch, logp);
    for (int n = 0; n < batch.target_tokens; n++)
        assert_float_equal(logf(q[(size_t)n * (size_t)V + (size_t)batch.output[n]]), logp[n], 1e-4);
    scorer_free(s);
    free(logp);
    free(q);
}

/* Each one's distribution, then their mean by its definition. */
static void assert_mean(enum average average, float w0, float w1, float temperature)
{
    int V = models[0]->config.target_vocab;
    const float weight[2] = { w0, w1 };
    struct teacher_config alone = { .temperature = temperature };
    struct teacher_config both = { average, temperature, weight };
    float *a = distributions(1, alone, 1000), *q, *b;
    struct model *first = models[0];
    models[0] = models[1];
    b = distributions(1, alone, 1000);
    models[0] = first;
    q = distributions(2, both, 11);
    for (int n = 0; n < batch.target_tokens; n++) {
        double sum = 0, share = (double)w0 / ((double)w0 + (double)w1), total = 0;
        for (int v = 0; v < V; v++) {
            double x = (double)a[n * V + v], y = (double)b[n * V + v];
            sum += average == AVERAGE_LOG ? pow(x, share) * pow(y, 1 - share) : share * x + (1 - share) * y;
        }
        for (int v = 0; v < V; v++) {
            double x = (double)a[n * V + v], y = (double)b[n * V + v];
            double mean = average == AVERAGE_LOG ? pow(x, share) * pow(y, 1 - share) : share * x + (1 - share) * y;
            assert_float_equal(q[n * V + v], mean / sum, 1e-6);
            total += (double)q[n * V + v];
        }
        assert_float_equal(total, 1, 1e-4);
    }
    free(a);
    free(b);
    free(q);
}

static void several_models_give_their_mean(void **state)
{
    assert_mean(AVERAGE_PROBABILITY, 1, 1, 1);
    assert_mean(AVERAGE_PROBABILITY, 3, 1, 2);
    assert_mean(AVERAGE_LOG, 1, 1, 1);
    assert_mean(AVERAGE_LOG, 0.2f, 0.6f, 0.5f);
}

/* ---- gold at several temperatures ---- */

static void gold_at_a_temperature_is_that_of_the_distribution(void **state)
{
    static const float temperatures[3] = { 0.5f, 1, 3 }, weight[2] = { 3, 1 };
    int N = batch.target_tokens, V = models[0]->config.target_vocab;
    double *logp = malloc(sizeof *logp * 3 * (size_t)N);
    for (int kind = 0; kind < 3; kind++) {
        struct teacher_config config = { kind == 2 ? AVERAGE_LOG : AVERAGE_PROBABILITY, 7, kind ? weight : NULL };
        int count = kind ? 2 : 1;
        struct teacher *t = teacher_new((const struct model *const *)models, count, &config, &err);
        struct teacher_worker *w = teacher_worker_new(t);
        teacher_begin(w, &batch);
        teacher_gold(w, logp, temperatures, 3, batch.output, 0, 40);
        teacher_gold(w, logp + 3 * 40, temperatures, 3, batch.output + 40, 40, N - 40);
        for (int k = 0; k < 3; k++) {
            float *q = distributions(count, (struct teacher_config){ config.average, temperatures[k], config.weight }, 50);
            for (int n = 0; n < N; n++)
                assert_float_equal(logp[3 * n + k], log((double)q[(size_t)n * (size_t)V + (size_t)batch.output[n]]), 1e-4);
            free(q);
        }
        teacher_worker_free(w);
        teacher_free(t);
    }
    free(logp);
}

/* ---- the temperature that fits ---- */

/* The one batch, whose gold is what the models think likeliest at two of three places: so they know
 * something, and not all. */
static int batch_next(void *state, struct batch *b, struct error *e)
{
    bool *given = state;
    batch_reset(b);
    if (!*given)
        batch_share(&batch, b, 0, 1, 1);
    *given = !*given;
    return *given;
}

static void half_right(struct batch *b)
{
    float *q = distributions(2, (struct teacher_config){ .temperature = 1 }, 100);
    int V = models[0]->config.target_vocab;
    for (int n = 0; n < b->target_tokens; n++) {
        int best = 0;
        for (int v = 1; v < V; v++)
            if (q[(size_t)n * (size_t)V + (size_t)v] > q[(size_t)n * (size_t)V + (size_t)best])
                best = v;
        b->output[n] = n % 3 ? best : (best + 7 * n) % V;
    }
    free(q);
}

static struct teacher_fit fitted(int count, enum average average, struct batch_source *data)
{
    struct teacher *t = teacher_new((const struct model *const *)models, count,
                                    &(struct teacher_config){ average, 1, NULL }, &err);
    struct teacher_fit fit;
    float near[3];
    double nll[3];
    assert_int_equal(teacher_fit(&fit, t, data, 2, &err), 0);
    for (int k = 0; k < 3; k++)
        near[k] = fit.temperature * (1 + 0.02f * (float)(k - 1));
    assert_int_equal(teacher_nll_at(t, data, near, 3, 2, nll, &err), 0);
    assert_true(nll[1] < nll[0] && nll[1] < nll[2]);
    assert_true(nll[1] == fit.nll);
    assert_true(fit.nll <= fit.nll_unfitted);
    assert_int_equal(teacher_nll(t, data, 2, nll, &err), 0);
    assert_float_equal(nll[0], fit.nll_unfitted, 1e-9);
    teacher_free(t);
    return fit;
}

static void logits_times(struct model *m, float factor)
{
    struct output_layer layer = model_output(m, 0);
    const int ids[2] = { layer.weight, layer.bias };
    for (int i = 0; i < 2; i++) {
        const struct param *p = &m->params.items[ids[i]];
        for (int n = 0; n < p->rows * p->cols; n++)
            param_data(&m->params, ids[i])[n] *= factor;
    }
}

static void the_temperature_that_fits_goes_with_the_scale_of_the_logits(void **state)
{
    bool given = false;
    struct batch_source data = { .state = &given, .next = batch_next };
    struct teacher_fit before[3], after[3];
    int32_t *output = malloc(sizeof *output * (size_t)batch.target_tokens);
    memcpy(output, batch.output, sizeof *output * (size_t)batch.target_tokens);
    half_right(&batch);
    for (int i = 0; i < 2; i++)
        logits_times(models[i], 8);     /* fresh weights say next to nothing */
    for (int times = 0; times < 2; times++) {
        struct teacher_fit *fit = times ? after : before;
        fit[0] = fitted(1, AVERAGE_PROBABILITY, &data);
        fit[1] = fitted(2, AVERAGE_PROBABILITY, &data);
        fit[2] = fitted(2, AVERAGE_LOG, &data);
        for (int i = 0; i < 2; i++)
            logits_times(models[i], times ? 1 / 24.0f : 3);
    }
    for (int kind = 0; kind < 3; kind++) {
        assert_true(before[kind].temperature > 0.07f && before[kind].temperature < 5);
        assert_float_equal(after[kind].temperature / before[kind].temperature, 3, 0.01);
        assert_float_equal(after[kind].nll, before[kind].nll, 1e-5);
        assert_true(after[kind].nll_unfitted != before[kind].nll_unfitted);
    }
    memcpy(batch.output, output, sizeof *output * (size_t)batch.target_tokens);
    free(output);
}

static uint64_t fingerprint(int count, struct teacher_config config)
{
    struct teacher *t = teacher_new((const struct model *const *)models, count, &config, &err);
    uint64_t print = teacher_fingerprint(t);
    teacher_free(t);
    return print;
}

static void fingerprint_tells_what_changes_the_distribution(void **state)
{
    static const float one[2] = { 1, 1 }, twos[2] = { 2, 2 }, other[2] = { 1, 3 };
    uint64_t usual = fingerprint(2, (struct teacher_config){ AVERAGE_PROBABILITY, 1, NULL });
    assert_true(usual == fingerprint(2, (struct teacher_config){ AVERAGE_PROBABILITY, 1, one }));
    assert_true(usual == fingerprint(2, (struct teacher_config){ AVERAGE_PROBABILITY, 1, twos }));
    assert_true(usual != fingerprint(2, (struct teacher_config){ AVERAGE_PROBABILITY, 1, other }));
    assert_true(usual != fingerprint(2, (struct teacher_config){ AVERAGE_PROBABILITY, 2, one }));
    assert_true(usual != fingerprint(2, (struct teacher_config){ AVERAGE_LOG, 1, one }));
    assert_true(usual != fingerprint(1, (struct teacher_config){ AVERAGE_PROBABILITY, 1, one }));
}

static void refused(struct model *second, const float *weight, const char *says)
{
    const struct model *two[2] = { models[0], second };
    assert_null(teacher_new(two, 2, &(struct teacher_config){ AVERAGE_LOG, 1, weight }, &err));
    if (!strstr(err.text, says))
        fail_msg("'%s' is not in: %s", says, err.text);
}

static void what_cannot_be_averaged_is_refused(void **state)
{
    static const float zero[2] = { 1, 0 }, nan[2] = { NAN, 1 };
    struct model *other = model_of("unigram", "lstm", 16, 1);
    refused(other, NULL, "model 2 has another source vocabulary");
    refused(models[1], zero, "weight 2 of the ensemble is 0");
    refused(models[1], nan, "weight 1");
    model_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_model_gives_the_scorer_s_probabilities),
        cmocka_unit_test(several_models_give_their_mean),
        cmocka_unit_test(gold_at_a_temperature_is_that_of_the_distribution),
        cmocka_unit_test(the_temperature_that_fits_goes_with_the_scale_of_the_logits),
        cmocka_unit_test(fingerprint_tells_what_changes_the_distribution),
        cmocka_unit_test(what_cannot_be_averaged_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
