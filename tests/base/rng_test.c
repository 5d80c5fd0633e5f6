#include "tests/test.h"

#include "base/rng.h"

/* From the authors' C code: splitmix64 seeded with 0, and xoshiro256** from state 1, 2, 3, 4. */
static void numbers_are_the_published_ones(void **state)
{
    struct rng r = { { 1, 2, 3, 4 } };
    assert_int_equal(rng_mix(0), UINT64_C(0xE220A8397B1DCDAF));
    assert_int_equal(rng_next(&r), 11520);
    assert_int_equal(rng_next(&r), 0);
    assert_int_equal(rng_next(&r), 1509978240);
    assert_int_equal(rng_next(&r), UINT64_C(1215971899390074240));
}

static void seed_and_stream_fix_the_numbers(void **state)
{
    struct rng a, b;
    rng_seed(&a, 7, 3);
    rng_seed(&b, 7, 3);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(rng_next(&a), rng_next(&b));
}

static void streams_and_seeds_differ(void **state)
{
    uint64_t first[64];
    for (int i = 0; i < 64; i++) {
        struct rng r;
        rng_seed(&r, (uint64_t)(i / 8), (uint64_t)(i % 8));
        first[i] = rng_next(&r);
        for (int j = 0; j < i; j++)
            assert_true(first[i] != first[j]);
    }
}

static void copied_state_goes_on_the_same(void **state)
{
    struct rng a, b;
    rng_seed(&a, 1, 0);
    rng_normal(&a);
    b = a;
    for (int i = 0; i < 10; i++)
        assert_true(rng_normal(&a) == rng_normal(&b));
}

static void below_is_in_range_and_even(void **state)
{
    struct rng r;
    int seen[7] = { 0 };
    rng_seed(&r, 42, 0);
    assert_int_equal(rng_below(&r, 1), 0);
    for (int i = 0; i < 70000; i++)
        seen[rng_below(&r, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 9500, 10500);
    for (int i = 0; i < 1000; i++)
        assert_true(rng_below(&r, UINT64_C(3) << 62) < UINT64_C(3) << 62);
}

static void unit_and_normal_have_their_moments(void **state)
{
    struct rng r;
    double sum = 0, normal = 0, squares = 0;
    rng_seed(&r, 5, 5);
    for (int i = 0; i < 100000; i++) {
        double u = rng_unit(&r), n = rng_normal(&r);
        assert_true(u >= 0 && u < 1);
        assert_true(isfinite(n));
        sum += u;
        normal += n;
        squares += n * n;
    }
    assert_true(fabs(sum / 1e5 - 0.5) < 0.005);
    assert_true(fabs(normal / 1e5) < 0.015);
    assert_true(fabs(squares / 1e5 - 1) < 0.02);
}

struct item {
    int number;
    char filler[99];
};

static void shuffled_items_are_all_there(void **state)
{
    struct item items[100] = { 0 };
    struct rng r;
    int moved = 0, seen[100] = { 0 };
    rng_seed(&r, 9, 0);
    for (int i = 0; i < 100; i++) {
        items[i].number = i;
        memset(items[i].filler, i, sizeof items[i].filler);
    }
    rng_shuffle(&r, items, 100, sizeof *items);
    for (int i = 0; i < 100; i++) {
        seen[items[i].number]++;
        moved += items[i].number != i;
        assert_int_equal(items[i].filler[98], items[i].number);
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(seen[i], 1);
    assert_true(moved > 80);
    rng_shuffle(&r, items, 0, sizeof *items);
}

static void every_order_is_as_likely(void **state)
{
    struct rng r;
    int seen[6] = { 0 };
    rng_seed(&r, 11, 0);
    for (int i = 0; i < 60000; i++) {
        char order[3] = { 0, 1, 2 };
        rng_shuffle(&r, order, 3, 1);
        seen[order[0] * 2 + (order[1] > order[2])]++;
    }
    for (int i = 0; i < 6; i++)
        assert_in_range(seen[i], 9500, 10500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_the_published_ones),
        cmocka_unit_test(seed_and_stream_fix_the_numbers),
        cmocka_unit_test(streams_and_seeds_differ),
        cmocka_unit_test(copied_state_goes_on_the_same),
        cmocka_unit_test(below_is_in_range_and_even),
        cmocka_unit_test(unit_and_normal_have_their_moments),
        cmocka_unit_test(shuffled_items_are_all_there),
        cmocka_unit_test(every_order_is_as_likely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
