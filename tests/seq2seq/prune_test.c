/* Magnitude pruning: which weights become zero, and that they stay so. */
#include "tests/test.h"

#include <math.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "seq2seq/model.h"
#include "seq2seq/prune.h"
#include "seq2seq/sparse.h"
#include "seq2seq/weights.h"
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

/* ---- on disk ---- */

static int64_t file_bytes(const char *folder)
{
    char *path = path_join(folder, "model.safetensors");
    struct error err = { 0 };
    struct mapping file = { 0 };
    assert_int_equal(mapping_open(&file, path, &err), 0);
    int64_t bytes = (int64_t)file.length;
    mapping_close(&file);
    free(path);
    return bytes;
}

static void same_weights(const struct model *a, const char *folder, bool decoder)
{
    struct error err = { 0 };
    struct model *b = decoder ? model_load_decoder(folder, PRODUCTS_STORED, &err) : model_load(folder, &err);
    if (!b)
        fail_msg("%s", err.text);
    assert_true(model_fingerprint(a) == model_fingerprint(b));
    if (!decoder)
        assert_memory_equal(a->params.block, b->params.block, a->params.total * sizeof(float));
    model_free(b);
}

static void a_pruned_model_is_smaller_on_disk_and_the_same_in_memory(void **state)
{
    static const struct { float share, most; } cases[] = { { 0, 1.0f }, { 0.05f, 1.0f }, { 0.5f, 0.6f }, { 0.8f, 0.3f }, { 0.999f, 0.15f } };
    char *dense = xstrdup(scratch_path("dense")), *sparse = xstrdup(scratch_path("sparse"));
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct model *m = model_make();
        struct error err = { 0 };
        int64_t of;
        model_prune(m, &(struct prune_config){ .share = cases[i].share, .scope = PRUNE_GLOBAL }, &of);
        param_data(&m->params, 0)[1] = -0.0f;           /* a zero with a sign is kept as it is */
        assert_int_equal(model_save_plain(m, dense, &err), 0);
        assert_int_equal(model_save(m, sparse, &err), 0);
        double share = (double)file_bytes(sparse) / (double)file_bytes(dense);
        if (share > (double)cases[i].most)
            fail_msg("of which %g are zero, the file takes %g", (double)cases[i].share, share);
        for (int decoder = 0; decoder < 2; decoder++) {
            same_weights(m, dense, decoder);
            same_weights(m, sparse, decoder);
        }
        assert_int_equal(model_load_weights(m, sparse, &err), 0);
        model_free(m);
    }
    free(dense);
    free(sparse);
}

/* Bits that announce more or fewer values than there are, and bits beyond the matrix. */
static void damaged_bits_are_refused(void **state)
{
    static const struct { uint8_t bits[2]; int values; const char *says; } cases[] = {
        { { 0x0F, 0x00 }, 4, NULL }, { { 0xFF, 0x03 }, 10, NULL }, { { 0, 0 }, 0, NULL },
        { { 0x0F, 0x00 }, 5, "shape" }, { { 0x1F, 0x00 }, 4, "shape" }, { { 0x07, 0x04 }, 4, "beyond its 10 numbers" },
    };
    const char *path = scratch_path("bits.safetensors");
    float values[10] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, out[10];
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct error err = { 0 };
        struct safetensors st = { 0 };
        struct safetensors_entry entries[] = {
            { "w.values", 0, cases[i].values, values, DTYPE_F32 }, { "w.bits", 0, 2, cases[i].bits, DTYPE_U8 },
        };
        assert_int_equal(safetensors_write(path, entries, 2, NULL, &err), 0);
        assert_int_equal(safetensors_open(&st, path, &err), 0);
        assert_true(sparse_is(&st, "w") && !sparse_is(&st, "v"));
        assert_int_equal(sparse_read(out, 10, &st, "w", &err), cases[i].says ? -1 : 0);
        if (cases[i].says)
            assert_non_null(strstr(err.text, cases[i].says));
        for (int k = 0; k < 10 && !cases[i].says; k++)
            assert_true(out[k] == (k < cases[i].values ? values[k] : 0));
        safetensors_close(&st);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_weights_of_all_become_zero),
        cmocka_unit_test(each_matrix_loses_the_same_share),
        cmocka_unit_test(zeros_of_matrices_stay_and_nothing_else),
        cmocka_unit_test(a_pruned_model_is_smaller_on_disk_and_the_same_in_memory),
        cmocka_unit_test(damaged_bits_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
