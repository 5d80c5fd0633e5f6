/* Where weights start: slices that are what they were cut from, layers, and what a reset keeps. */
#include "tests/test.h"

#include "base/error.h"
#include "corpora/batch.h"
#include "distill/initial.h"
#include "distill/slice.h"
#include "seq2seq/model.h"
#include "tokenize/tokenizer.h"

static struct error err;

static struct model *model_of(const char *const *set, int64_t seed)
{
    struct model_config c = { 0 };
    const struct option_group groups[] = { { NULL, model_options, &c }, { 0 } };
    static const char *const usual[] = { "dim", "32", "ffn", "64", "heads", "4", "encoder-layers", "2",
                                         "decoder-layers", "2", "positions", "learned", NULL };
    options_default(groups);
    for (const char *const *s = usual; *s; s += 2)
        assert_int_equal(options_set(groups, s[0], s[1], &err), 0);
    for (; set && *set; set += 2)
        assert_int_equal(options_set(groups, set[0], set[1], &err), 0);
    struct tokenizer *t = tokenizer_load(TEST_DATA "/../tokenize/golden/char.model", &err);
    struct model *m = model_new(&c, t, t, seed, &err);
    if (!m)
        fail_msg("%s", err.text);
    return m;
}

#define WITH(...) (const char *const[]){ __VA_ARGS__, NULL }

static double nll(const struct model *m)
{
    static const int32_t source[] = { 5, 9, 12, 7 }, target[] = { 6, 8, 15 };
    struct batch b = { 0 };
    float logp[4];
    double sum = 0;
    struct scorer *s = scorer_new(m);
    batch_add(&b, source, 4, target, 3, model_bos(m), model_eos(m), 0, 1);
    scorer_run(s, &b, logp);
    for (int i = 0; i < 4; i++)
        sum -= (double)logp[i];
    scorer_free(s);
    batch_release(&b);
    return sum;
}

/* The width of the first block of places. */
static int block_width(const int *place, int count)
{
    int width = 0;
    while (width < count && place[width] == width)
        width++;
    return width;
}

/* Twice as wide: every channel stands there a second time, computed from the leading ones alone, so
 * that norms see the same mean and deviation and the leading ones are a network of their own. */
static void widen(struct model *whole, const struct model *slim)
{
    for (size_t i = 0; i < slim->params.count; i++) {
        const struct param *p = &slim->params.items[i], *q = &whole->params.items[i];
        float *to = param_data(&whole->params, (int)i), *from = param_data(&slim->params, (int)i);
        int *row, *col;
        memset(to, 0, (size_t)q->rows * (size_t)q->cols * sizeof *to);
        slice_places(&row, &col, whole, q, p);
        /* the second copy stands behind the first: in rows, but in columns of vectors and of
         * tables that hold a row of channels for each piece */
        bool table = strstr(p->name, "embed") || strstr(p->name, "positions");
        int down = q->rows > p->rows ? block_width(row, p->rows) : 0;
        int right = q->cols > p->cols && (p->rows == 1 || table) ? block_width(col, p->cols) : 0;
        for (int r = 0; r < p->rows; r++)
            for (int c = 0; c < p->cols; c++) {
                float w = from[(size_t)r * (size_t)p->cols + (size_t)c];
                size_t at = (size_t)row[r] * (size_t)q->cols + (size_t)col[c];
                to[at] = w;
                to[at + (size_t)down * (size_t)q->cols + (size_t)right] = w;
            }
        free(row);
        free(col);
    }
}

static const char *const shapes[][8] = {
    { "arch", "transformer", "norm", "pre" },
    { "arch", "transformer", "norm", "post" },
    { "arch", "transformer", "norm", "pre", "decoder-layer", "ssru" },
    { "arch", "transformer", "norm", "post", "decoder-layer", "ssru" },
    { "arch", "transformer", "norm", "pre", "activation", "swiglu" },
    { "arch", "lstm", "encoder-direction", "forward", "input-feeding", "true" },
    { "arch", "lstm", "encoder-direction", "forward", "input-feeding", "false" },
};

static struct model *shaped(const char *const *shape, bool slim, int64_t seed)
{
    const char *set[20];
    int n = 0;
    while (shape[n] && n < 8) {
        set[n] = shape[n];
        n++;
    }
    set[n++] = "tied";
    set[n++] = "none";
    for (int i = 0; slim && i < 6; i++)
        set[n++] = (const char *const[]){ "dim", "16", "heads", "2", "ffn", "32" }[i];
    set[n] = NULL;
    return model_of(set, seed);
}

static void the_leading_channels_are_a_model_of_their_own(void **state)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct model *whole = shaped(shapes[i], false, 1), *slim = shaped(shapes[i], true, 2);
        for (size_t k = 0; k < slim->params.total; k++)         /* gains and biases, too */
            slim->params.block[k] += 0.2f * (float)sin(7.0 * (double)k);
        widen(whole, slim);
        memset(slim->params.block, 0, slim->params.total * sizeof(float));
        assert_int_equal(slice_copy(slim, whole, &err), 0);
        if (fabs(nll(whole) - nll(slim)) > 2e-3)
            fail_msg("%s %s %s: the whole gives %g, the slice %g", shapes[i][1], shapes[i][3],
                     shapes[i][5] ? shapes[i][5] : "", nll(whole), nll(slim));
        model_free(whole);
        model_free(slim);
    }
}

static void a_transformers_slice_takes_the_leading_of_every_block(void **state)
{
    struct model *whole = model_of(NULL, 1), *slim = model_of(WITH("dim", "16", "heads", "2", "ffn", "32"), 2);
    for (size_t i = 0; i < whole->params.total; i++)
        whole->params.block[i] = (float)i;
    assert_int_equal(slice_copy(slim, whole, &err), 0);
    int qkv = param_find(&slim->params, "encoder.1.self.qkv.weight"), there = param_find(&whole->params, "encoder.1.self.qkv.weight");
    const float *s = param_data(&slim->params, qkv), *w = param_data(&whole->params, there);
    for (int block = 0; block < 3; block++)
        for (int r = 0; r < 16; r++)
            for (int c = 0; c < 16; c++)
                assert_true(s[(block * 16 + r) * 16 + c] == w[(block * 32 + r) * 32 + c]);
    int bias = param_find(&slim->params, "decoder.0.cross.kv.bias");
    s = param_data(&slim->params, bias);
    w = param_data(&whole->params, param_find(&whole->params, "decoder.0.cross.kv.bias"));
    for (int i = 0; i < 32; i++)
        assert_true(s[i] == w[i < 16 ? i : i + 16]);
    int out = param_find(&slim->params, "decoder.1.ffn.out.weight");
    s = param_data(&slim->params, out);
    w = param_data(&whole->params, param_find(&whole->params, "decoder.1.ffn.out.weight"));
    for (int r = 0; r < 16; r++)
        for (int c = 0; c < 32; c++)
            assert_true(fabsf(s[r * 32 + c] - sqrtf(0.5f) * w[r * 64 + c]) <= 1e-6f * w[r * 64 + c]);
    model_free(whole);
    model_free(slim);
}

static void the_whole_share_is_the_whole_model(void **state)
{
    struct model *m = model_of(NULL, 1), *same = model_of(NULL, 2);
    struct model_config c;
    assert_int_equal(slice_config(&c, &m->config, 1, &err), 0);
    assert_true(c.dim == m->config.dim && c.ffn == m->config.ffn && c.heads == m->config.heads);
    assert_int_equal(slice_copy(same, m, &err), 0);
    assert_true(nll(same) == nll(m));
    model_free(same);
    model_free(m);
}

/* What a reset keeps is from the model started from, the rest is the student's own; the same part
 * in every generation. */
static void a_reset_keeps_the_same_part_in_every_generation(void **state)
{
    static const struct { int reset; double least, most; } cases[] = {
        { RESET_WELS, 0.47, 0.53 }, { RESET_KELS, 0.25, 0.55 },
    };
    for (int k = 0; k < 2; k++) {
        struct initial_config c = { .reset = cases[k].reset, .keep = 0.5f, .mask_seed = 4 };
        struct model *from = model_of(NULL, 1), *a = model_of(NULL, 2), *b = model_of(NULL, 3), *fresh = model_of(NULL, 2);
        int64_t kept = 0, all = 0;
        for (size_t i = 0; i < from->params.total; i++)
            from->params.block[i] = 100 + (float)(i % 50);
        assert_int_equal(initial_start(a, from, &c, &err), 0);
        assert_int_equal(initial_start(b, from, &c, &err), 0);
        for (size_t i = 0; i < from->params.count; i++) {
            const float *f = param_data(&from->params, (int)i), *x = param_data(&a->params, (int)i);
            const float *y = param_data(&b->params, (int)i), *own = param_data(&fresh->params, (int)i);
            for (int n = 0; n < from->params.items[i].rows * from->params.items[i].cols; n++) {
                assert_true(x[n] == f[n] || x[n] == own[n]);
                assert_true((x[n] == f[n]) == (y[n] == f[n]));
                kept += x[n] == f[n];
                all++;
            }
        }
        double share = (double)kept / (double)all;
        if (share < cases[k].least || share > cases[k].most)
            fail_msg("reset %d keeps %g", cases[k].reset, share);
        model_free(from);
        model_free(fresh);
        model_free(a);
        model_free(b);
    }
}

/* What kels keeps is what a slice cuts out. */
static void what_kels_keeps_is_the_slim_network(void **state)
{
    struct initial_config c = { .reset = RESET_KELS, .keep = 0.5f };
    struct model *from = model_of(NULL, 1), *m = model_of(NULL, 2);
    struct model *a = model_of(WITH("dim", "16", "heads", "2", "ffn", "32"), 3);
    struct model *b = model_of(WITH("dim", "16", "heads", "2", "ffn", "32"), 4);
    assert_int_equal(initial_start(m, from, &c, &err), 0);
    assert_int_equal(slice_copy(a, from, &err), 0);
    assert_int_equal(slice_copy(b, m, &err), 0);
    assert_true(nll(a) == nll(b));
    assert_true(nll(m) != nll(from));
    model_free(a);
    model_free(b);
    model_free(from);
    model_free(m);
}

static void layers_come_from_those_that_are_listed(void **state)
{
    struct initial_config c = { .by = START_LAYERS };
    struct model *from = model_of(WITH("encoder-layers", "3", "decoder-layers", "3"), 1), *m = model_of(NULL, 2);
    strings_add(&c.encoder, "0");
    strings_add(&c.encoder, "2");
    strings_add(&c.decoder, "2");
    strings_add(&c.decoder, "1");
    assert_int_equal(initial_start(m, from, &c, &err), 0);
    static const char *const pairs[][2] = {
        { "encoder.0.ffn.in.weight", "encoder.0.ffn.in.weight" }, { "encoder.1.ffn.in.weight", "encoder.2.ffn.in.weight" },
        { "decoder.0.cross.kv.bias", "decoder.2.cross.kv.bias" }, { "decoder.1.self.out.weight", "decoder.1.self.out.weight" },
        { "embed", "embed" }, { "target.embed", "target.embed" },
    };
    for (size_t i = 0; i < 6; i++) {
        int here = param_find(&m->params, pairs[i][0]), there = param_find(&from->params, pairs[i][1]);
        if (here < 0)
            continue;
        const struct param *p = &m->params.items[here];
        assert_memory_equal(param_data(&m->params, here), param_data(&from->params, there),
                            (size_t)p->rows * (size_t)p->cols * sizeof(float));
    }
    strings_release(&c.decoder);
    strings_add(&c.decoder, "2");
    assert_int_equal(initial_start(m, from, &c, &err), -1);
    assert_non_null(strstr(err.text, "comes from none"));
    strings_release(&c.encoder);
    strings_release(&c.decoder);
    model_free(from);
    model_free(m);
}

static void what_cannot_start_is_refused(void **state)
{
    struct initial_config whole = { 0 }, slice = { .by = START_SLICE }, kels = { .reset = RESET_KELS, .keep = 0.5f };
    struct model *m = model_of(NULL, 1), *small = model_of(WITH("dim", "16"), 2);
    struct model *waves = model_of(WITH("positions", "sinusoidal"), 3);
    struct model *two = model_of(WITH("arch", "lstm", "encoder-direction", "bidirectional"), 4);
    assert_int_equal(initial_start(m, small, &whole, &err), -1);
    assert_non_null(strstr(err.text, "give both the same sizes"));
    assert_int_equal(initial_start(m, small, &slice, &err), -1);
    assert_non_null(strstr(err.text, "but only"));
    assert_int_equal(initial_start(waves, waves, &kels, &err), -1);
    assert_non_null(strstr(err.text, "positions: learned"));
    assert_int_equal(initial_start(two, two, &kels, &err), -1);
    assert_non_null(strstr(err.text, "bidirectional"));
    assert_int_equal(initial_check(&kels, false, 1, 1, &err), -1);
    model_free(m);
    model_free(small);
    model_free(waves);
    model_free(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_leading_channels_are_a_model_of_their_own),
        cmocka_unit_test(a_transformers_slice_takes_the_leading_of_every_block),
        cmocka_unit_test(the_whole_share_is_the_whole_model),
        cmocka_unit_test(a_reset_keeps_the_same_part_in_every_generation),
        cmocka_unit_test(what_kels_keeps_is_the_slim_network),
        cmocka_unit_test(layers_come_from_those_that_are_listed),
        cmocka_unit_test(what_cannot_start_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
