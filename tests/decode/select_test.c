/* Tests of decode/select.h: top-k by threshold against sorting everything. */
#include "tests/test.h"

#include "base/memory.h"
#include "base/rng.h"
#include "decode/select.h"

static int by_rank(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->logp != y->logp)
        return x->logp > y->logp ? -1 : 1;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return x->token < y->token ? -1 : x->token > y->token;
}

static void check_against_sort(const float *logp, const double *sum, int rows, int V, int K)
{
    struct candidate *all = xcalloc((size_t)rows * (size_t)V + 1, sizeof *all);
    struct candidate *best = xcalloc((size_t)K, sizeof *best);
    int count = 0;
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < V; v++)
            if (sum[r] + logp[r * V + v] > -INFINITY)
                all[count++] = (struct candidate){ sum[r] + logp[r * V + v], r, v, logp[r * V + v] };
    qsort(all, (size_t)count, sizeof *all, by_rank);
    int expected = count < K ? count : K;
    assert_int_equal(select_top(best, K, logp, V, sum, rows, V), expected);
    for (int i = 0; i < expected; i++) {
        assert_int_equal(best[i].row, all[i].row);
        assert_int_equal(best[i].token, all[i].token);
        assert_true(best[i].logp == all[i].logp);
        assert_true(best[i].value == logp[best[i].row * V + best[i].token]);
    }
    free(all);
    free(best);
}

static void selection_equals_full_sort(void **state)
{
    struct rng rng;
    rng_seed(&rng, 7, 0);
    static float logp[12 * 300];
    double sum[12];
    for (int trial = 0; trial < 400; trial++) {
        int rows = 1 + (int)rng_below(&rng, 12), V = 1 + (int)rng_below(&rng, 300);
        int levels = trial % 3 == 0 ? 4 : 1000000;              /* few levels: many ties */
        for (int i = 0; i < rows * V; i++)
            logp[i] = -(float)rng_below(&rng, (uint64_t)levels) / 7.0f;
        for (int i = 0; trial % 5 == 0 && i < rows * V; i += 3)
            logp[i] = i % 2 ? NAN : -INFINITY;
        for (int r = 0; r < rows; r++)
            sum[r] = -(double)rng_below(&rng, trial % 3 == 0 ? 3 : 1000) / 3.0;
        check_against_sort(logp, sum, rows, V, 1 + (int)rng_below(&rng, 40));
    }
}

static void ties_go_to_the_lower_row_then_the_lower_token(void **state)
{
    float logp[2 * 40];
    for (int i = 0; i < 80; i++)
        logp[i] = -1;
    double sum[2] = { -2, -2 };
    struct candidate best[41];
    assert_int_equal(select_top(best, 41, logp, 40, sum, 2, 40), 41);
    for (int i = 0; i < 41; i++) {
        assert_int_equal(best[i].row, i / 40);
        assert_int_equal(best[i].token, i % 40);
    }
}

static void best_is_the_first_of_the_largest(void **state)
{
    static float x[1000];
    struct rng rng;
    rng_seed(&rng, 8, 0);
    for (int trial = 0; trial < 200; trial++) {
        int V = 1 + (int)rng_below(&rng, 1000), expected = 0;
        for (int v = 0; v < V; v++)
            x[v] = -(float)rng_below(&rng, trial % 2 ? 5 : 1000000);
        for (int v = 0; v < V; v++)
            if (x[v] > x[expected])
                expected = v;
        assert_int_equal(select_best(x, V), expected);
    }
}

static void nothing_is_best_among_nan_and_minus_infinity(void **state)
{
    float x[50];
    for (int v = 0; v < 50; v++)
        x[v] = v % 2 ? NAN : -INFINITY;
    double sum = 0;
    struct candidate best[3];
    assert_int_equal(select_best(x, 50), -1);
    assert_int_equal(select_top(best, 3, x, 50, &sum, 1, 50), 0);
    x[41] = -1e30f;
    assert_int_equal(select_best(x, 50), 41);
    assert_int_equal(select_top(best, 3, x, 50, &sum, 1, 50), 1);
}

static void above_finds_the_first_at_every_place(void **state)
{
    float x[100];
    for (int V = 1; V < 100; V++)
        for (int at = 0; at < V; at++) {
            for (int v = 0; v < V; v++)
                x[v] = v >= at ? 1 : 0;
            assert_int_equal(select_above(x, 0, V, 0.5f), at);
            assert_int_equal(select_above(x, at, V, 0.5f), at);
            assert_int_equal(select_above(x, 0, V, 1), V);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selection_equals_full_sort),
        cmocka_unit_test(ties_go_to_the_lower_row_then_the_lower_token),
        cmocka_unit_test(best_is_the_first_of_the_largest),
        cmocka_unit_test(nothing_is_best_among_nan_and_minus_infinity),
        cmocka_unit_test(above_finds_the_first_at_every_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
