/* Products with weights laid out for them, against their definition in double precision. */
#include "tests/test.h"

#include "base/error.h"
#include "base/rng.h"
#include "base/thread.h"
#include "tensor/kernels.h"
#include "tensor/params.h"
#include "tensor/product.h"

static struct error err;

/* x rounded to bfloat16 by the definition: 8 bits of mantissa, ties to even. */
static double rounded(double x)
{
    int exponent;
    double mantissa = frexp(x, &exponent);
    return ldexp(nearbyint(mantissa * 256) / 256, exponent);
}

struct layer {
    int O, I, N;
    struct param_set set;
    struct packs *packs;
    const struct pack *w;
    float *x, *dy;
    bool narrow;
};

static float *random_floats(size_t count, uint64_t seed)
{
    struct rng rng;
    float *x = malloc(count * sizeof *x);
    rng_seed(&rng, seed, 0);
    for (size_t i = 0; i < count; i++)
        x[i] = (float)(rng_unit(&rng) * 2 - 1);
    return x;
}

static void layer_make(struct layer *l, int O, int I, int N, int precision, struct pool *pool)
{
    int ref, bias, table;
    struct rng rng;
    *l = (struct layer){ .O = O, .I = I, .N = N, .narrow = precision == PRECISION_BF16 };
    param_add(&l->set, &table, INIT_EMBED, 5, 3, "table");
    param_add(&l->set, &ref, INIT_XAVIER, O, I, "weight");
    param_add(&l->set, &bias, INIT_ONE, 1, O, "bias");
    params_allocate(&l->set);
    rng_seed(&rng, 9, 0);
    params_init(&l->set, &rng);
    l->packs = packs_new(&l->set, -1, (enum precision)precision);
    if (!l->packs)
        return;
    packs_update(l->packs, pool);
    assert_null(packs_find(l->packs, table));
    assert_null(packs_find(l->packs, bias));
    assert_null(packs_find(NULL, ref));
    l->w = packs_find(l->packs, ref);
    l->x = random_floats((size_t)N * I, 1);
    l->dy = random_floats((size_t)N * O, 2);
}

static void layer_release(struct layer *l)
{
    packs_free(l->packs);
    params_release(&l->set);
    free(l->x);
    free(l->dy);
}

static double factor(const struct layer *l, float x)
{
    return l->narrow ? rounded((double)x) : (double)x;
}

static double weight_at(const struct layer *l, int o, int i)
{
    return factor(l, param_data(&l->set, 1)[(size_t)o * l->I + i]);
}

static double forward_at(const struct layer *l, int n, int o)
{
    double sum = 0;
    for (int i = 0; i < l->I; i++)
        sum += factor(l, l->x[(size_t)n * l->I + i]) * weight_at(l, o, i);
    return sum;
}

static double backward_at(const struct layer *l, int n, int i)
{
    double sum = 0;
    for (int o = 0; o < l->O; o++)
        sum += factor(l, l->dy[(size_t)n * l->O + o]) * weight_at(l, o, i);
    return sum;
}

static double gradient_at(const struct layer *l, int o, int i)
{
    double sum = 0;
    for (int n = 0; n < l->N; n++)
        sum += factor(l, l->dy[(size_t)n * l->O + o]) * factor(l, l->x[(size_t)n * l->I + i]);
    return sum;
}

/* got (rows,cols) is what `at` says, plus `before`; nothing was written behind it. */
static void expect_matrix(const struct layer *l, const char *what, const float *got, int rows, int cols,
                          double (*at)(const struct layer *l, int row, int col), float before)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++) {
            double expected = at(l, r, c) + (double)before, is = (double)got[(size_t)r * cols + c];
            if (fabs(is - expected) > 2e-5 * (1 + fabs(expected)))
                fail_msg("%s of %d x %d, %d rows: (%d,%d) is %g, not %g", what, l->O, l->I, l->N, r, c, is, expected);
        }
    for (int k = 0; k < 8; k++)
        assert_true(got[(size_t)rows * cols + k] == 3);
}

/* Room with a known value everywhere, and a little more. */
static float *filled(int rows, int cols, float value)
{
    size_t size = (size_t)rows * cols;
    float *x = malloc((size + 8) * sizeof *x);
    for (size_t i = 0; i < size; i++)
        x[i] = value;
    for (size_t i = size; i < size + 8; i++)
        x[i] = 3;
    return x;
}

static void check_layer(const struct layer *l)
{
    int O = l->O, I = l->I, N = l->N;
    float *y = filled(N, O, 0.5f), *dx = filled(N, I, 0.25f), *dw = filled(O, I, 2);
    product_forward(y, l->x, l->w, N, false);
    expect_matrix(l, "y", y, N, O, forward_at, 0);
    free(y);
    y = filled(N, O, 0.5f);
    product_forward(y, l->x, l->w, N, true);
    expect_matrix(l, "y added", y, N, O, forward_at, 0.5f);
    product_backward(dx, l->dy, l->w, N, true);
    expect_matrix(l, "dx added", dx, N, I, backward_at, 0.25f);
    product_weights(dw, l->dy, l->x, l->w->precision, O, I, N);
    expect_matrix(l, "dw", dw, O, I, gradient_at, 2);
    product_gradients(dx, false, dw, l->dy, l->x, l->w, N);
    expect_matrix(l, "dx", dx, N, I, backward_at, 0);
    float *twice = filled(O, I, 2);
    for (int i = 0; i < O * I; i++)
        dw[i] -= 2;
    product_weights(twice, l->dy, l->x, l->w->precision, O, I, N);
    product_weights(twice, l->dy, l->x, l->w->precision, O, I, N);
    for (int i = 0; i < O * I; i++)
        assert_true(fabsf(twice[i] - 2 - dw[i]) < 1e-4f * (1 + fabsf(dw[i])));
    free(twice);
    free(y);
    free(dx);
    free(dw);
}

static void check_precision(int precision)
{
    static const int shapes[][3] = { { 2, 2, 1 }, { 7, 5, 3 }, { 64, 64, 64 }, { 33, 100, 85 }, { 130, 17, 149 } };
    struct pool *pool = pool_new(2);
    if (precision_check(precision, &err) < 0) {
        print_message("skipped: %s\n", err.text);
        skip();
    }
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct layer l;
        layer_make(&l, shapes[i][0], shapes[i][1], shapes[i][2], precision, pool);
        if (!l.packs) {
            print_message("skipped: no packs on this processor\n");
            skip();
        }
        check_layer(&l);
        layer_release(&l);
    }
    pool_free(pool);
}

static void products_equal_their_definition_fp32(void **state) { check_precision(PRECISION_FP32); }
static void products_equal_their_definition_bf16(void **state) { check_precision(PRECISION_BF16); }

/* A thread compiles products of its own; what comes out is the same. */

struct in_threads {
    const struct layer *l;
    float *y[4];
};

static void forward_task(void *arg, int i)
{
    struct in_threads *t = arg;
    product_forward(t->y[i], t->l->x, t->l->w, t->l->N, false);
}

static void every_thread_finds_the_same_bits(void **state)
{
    for (int precision = 0; precision < 2; precision++) {
        struct pool *pool = pool_new(4);
        struct layer l;
        if (precision_check(precision, &err) < 0)
            continue;
        layer_make(&l, 40, 30, 77, precision, pool);
        if (!l.packs)
            skip();
        struct in_threads t = { &l, { filled(77, 40, 0), filled(77, 40, 0), filled(77, 40, 0), filled(77, 40, 0) } };
        pool_run(pool, 4, forward_task, &t);
        for (int i = 0; i < 4; i++) {
            assert_memory_equal(t.y[0], t.y[i], 77 * 40 * sizeof(float));
            if (i)
                free(t.y[i]);
        }
        free(t.y[0]);
        layer_release(&l);
        pool_free(pool);
    }
}

static void bf16_is_the_nearest_on_every_instruction_set(void **state)
{
    static const char *const isas[] = { "baseline", "avx2", "avx512" };
    static const float special[] = { 0, -0.0f, 1, 1.00390625f /* a tie, down to even */, 1.01171875f /* a tie, up */,
                                     INFINITY, -INFINITY, NAN, 3.4e38f, 1e-40f };
    static const uint16_t expected[] = { 0, 0x8000, 0x3f80, 0x3f80, 0x3f82, 0x7f80, 0xff80, 0x7fc0, 0x7f80, 0x0001 };
    float *x = random_floats(1003, 5);
    uint16_t y[1003];
    for (int i = 0; i < 3; i++) {
        const struct kernels *k = kernels_named(isas[i]);
        if (!k)
            continue;
        k->to_bf16(y, special, 10);
        for (int j = 0; j < 10; j++)
            if (y[j] != expected[j])
                fail_msg("%s: %g becomes %04x", isas[i], (double)special[j], y[j]);
        k->to_bf16(y, x, 1003);
        for (int j = 0; j < 1003; j++) {
            union { uint32_t i; float f; } back = { .i = (uint32_t)y[j] << 16 };
            assert_true((double)back.f == rounded((double)x[j]));
        }
    }
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_equal_their_definition_fp32),
        cmocka_unit_test(products_equal_their_definition_bf16),
        cmocka_unit_test(every_thread_finds_the_same_bits),
        cmocka_unit_test(bf16_is_the_nearest_on_every_instruction_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
