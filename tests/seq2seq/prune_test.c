/* Magnitude pruning: which weights become zero, and that they stay so. */
#include "tests/test.h"

#include <math.h>

#include "base/error.h"
#include "seq2seq/model.h"
#include "seq2seq/prune.h"
#include "tokenize/tokenizer.h"

static struct model *model_make(void)
{
    struct error err = { 0 };
    struct model_config c = { 0 };
    const struct option_group groups[] = { { NULL, model_options, &c }, { 0 } };
    options_default(groups);
    c.dim = 32;
    c.ffn = 48;
    c.heads = 2;
    c.encoder_layers = c.decoder_layers = 1;
    struct tokenizer *t = tokenizer_load(TEST_DATA "/../tokenize/golden/bpe.model", &err);
    assert_non_null(t);
    struct model *m = model_new(&c, t, t, 3, &err);
    assert_non_null(m);
    return m;
}

static bool is_matrix(const struct param *p)
{
    return p->rows > 1 && p->cols > 1;
}

static double zero_share(const struct model *m, size_t i)
{
    const struct param *p = &m->params.items[i];
    const float *w = param_data(&m->params, (int)i);
    double zeros = 0;
    for (int k = 0; k < p->rows * p->cols; k++)
        zeros += w[k] == 0;
    return zeros / (p->rows * p->cols);
}

/* Of a set of weights before and after: nothing that became zero is larger than what stayed. */
static void check_range(const struct model *m, const float *before, size_t first, size_t last, double share)
{
    double largest_gone = 0, smallest_left = INFINITY, gone = 0, all = 0;
    for (size_t i = first; i < last; i++) {
        const struct param *p = &m->params.items[i];
        const float *w = param_data(&m->params, (int)i);
        for (int k = 0; is_matrix(p) && k < p->rows * p->cols; k++) {
            double size = fabs((double)before[p->offset + (size_t)k]);
            all++;
            if (w[k] == 0) {
                gone++;
                largest_gone = fmax(largest_gone, size);
            } else {
                assert_true(w[k] == before[p->offset + (size_t)k]);
                smallest_left = fmin(smallest_left, size);
            }
        }
    }
    assert_true(largest_gone <= smallest_left);
    assert_true(fabs(gone - share * all) <= 1 + 1e-3 * all);
}

static void prune_with(int scope, double share)
{
    struct model *m = model_make();
    struct prune_config config = { .share = (float)share, .scope = scope };
    float *before = block_new(&m->params);
    memcpy(before, m->params.block, m->params.total * sizeof *before);
    int64_t of, zeros = model_prune(m, &config, &of);
    assert_true(fabs((double)zeros - share * (double)of) <= 1 + 1e-3 * (double)of);
    if (scope == PRUNE_GLOBAL)
        check_range(m, before, 0, m->params.count, share);
    for (size_t i = 0; i < m->params.count; i++) {
        const struct param *p = &m->params.items[i];
        if (scope == PRUNE_MATRIX && is_matrix(p))
            check_range(m, before, i, i + 1, share);
        if (!is_matrix(p))
            assert_memory_equal(param_data(&m->params, (int)i), before + p->offset,
                                (size_t)p->cols * sizeof(float));
    }
    free(before);
    model_free(m);
}

static void the_smallest_weights_of_all_become_zero(void **state)
{
    prune_with(PRUNE_GLOBAL, 0);
    prune_with(PRUNE_GLOBAL, 0.5);
    prune_with(PRUNE_GLOBAL, 0.95);
}

static void each_matrix_loses_the_same_share(void **state)
{
    prune_with(PRUNE_MATRIX, 0.25);
    prune_with(PRUNE_MATRIX, 0.8);
}

static void zeros_of_matrices_stay_and_nothing_else(void **state)
{
    struct model *m = model_make();
    int64_t of;
    model_prune(m, &(struct prune_config){ .share = 0.6f, .scope = PRUNE_GLOBAL }, &of);
    struct zeros *z = zeros_new(&m->params);
    float *block = block_new(&m->params);
    for (size_t i = 0; i < m->params.total; i++)
        block[i] = 1;
    zeros_keep(z, block);
    int64_t kept = 0;
    for (size_t i = 0; i < m->params.count; i++) {
        const struct param *p = &m->params.items[i];
        const float *w = param_data(&m->params, (int)i);
        for (int k = 0; k < p->rows * p->cols; k++) {
            bool zero = is_matrix(p) && w[k] == 0;
            assert_true(block[p->offset + (size_t)k] == (zero ? 0 : 1));
            kept += zero;
        }
    }
    assert_int_equal(kept, zeros_count(z));
    assert_true(zero_share(m, 0) > 0);
    zeros_free(z);
    free(block);
    model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_weights_of_all_become_zero),
        cmocka_unit_test(each_matrix_loses_the_same_share),
        cmocka_unit_test(zeros_of_matrices_stay_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
