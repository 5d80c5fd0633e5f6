#include "tests/test.h"

#include <stdatomic.h>

#include "base/thread.h"

static atomic_int visits[1000];
static int order[1000], ordered;

static void visit(void *arg, int index)
{
    atomic_fetch_add(&visits[index], *(int *)arg);
}

static void note(void *arg, int index)
{
    order[ordered++] = index;
}

static void every_index_is_visited_once(void **state)
{
    static const int sizes[] = { 1, 2, 3, 8 }, counts[] = { 0, 1, 2, 7, 1000 };
    int one = 1;
    for (int s = 0; s < 4; s++) {
        struct pool *pool = pool_new(sizes[s]);
        assert_int_equal(pool_threads(pool), sizes[s]);
        for (int c = 0; c < 5; c++)
            for (int round = 0; round < 20; round++) {
                for (int i = 0; i < 1000; i++)
                    visits[i] = 0;
                pool_run(pool, counts[c], visit, &one);
                for (int i = 0; i < 1000; i++)
                    assert_int_equal(visits[i], i < counts[c]);
            }
        pool_free(pool);
    }
}

static void one_thread_goes_in_order(void **state)
{
    struct pool *pool = pool_new(1);
    pool_run(pool, 1000, note, NULL);
    assert_int_equal(ordered, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(order[i], i);
    pool_free(pool);
}

static void unused_pool_is_freed(void **state)
{
    pool_free(pool_new(4));
    pool_free(NULL);
}

static void there_is_a_core(void **state)
{
    assert_in_range(cpu_count(), 1, 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_index_is_visited_once),
        cmocka_unit_test(one_thread_goes_in_order),
        cmocka_unit_test(unused_pool_is_freed),
        cmocka_unit_test(there_is_a_core),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
