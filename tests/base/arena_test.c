#include "tests/test.h"

#include "base/arena.h"

static void pieces_are_aligned_and_do_not_overlap(void **state)
{
    struct arena a = { 0 };
    unsigned char *pieces[200];
    for (int i = 0; i < 200; i++) {
        size_t size = (size_t)(i * i * 7 % 30000);
        pieces[i] = arena_take(&a, size);
        assert_int_equal((uintptr_t)pieces[i] % 64, 0);
        memset(pieces[i], i, size);
    }
    for (int i = 0; i < 200; i++)
        for (size_t j = 0; j < (size_t)(i * i * 7 % 30000); j++)
            assert_int_equal(pieces[i][j], i);
    arena_release(&a);
    assert_int_equal(a.used, 0);
}

static void zeroed_pieces_are_zero_after_use(void **state)
{
    struct arena a = { 0 };
    memset(arena_take(&a, 5000), 0xFF, 5000);
    arena_reset(&a);
    const unsigned char *p = arena_zeroed(&a, 5000);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(p[i], 0);
    arena_release(&a);
}

static void reset_keeps_memory_in_one_block(void **state)
{
    struct arena a = { 0 };
    for (int step = 0; step < 3; step++) {
        for (int i = 0; i < 100; i++)
            memset(arena_take(&a, 100000), step, 100000);
        assert_true(a.used >= 10000000);
        assert_int_equal(a.peak, a.used);
        arena_reset(&a);
        assert_int_equal(a.used, 0);
    }
    /* The whole of a step now lies in one piece of memory. */
    char *first = arena_take(&a, 64), *second = arena_take(&a, 9000000);
    assert_ptr_equal(first + 64, second);
    arena_release(&a);
}

static void mark_and_return_give_back_what_lies_between(void **state)
{
    struct arena a = { 0 };
    char *kept = arena_take(&a, 1000);
    strcpy(kept, "kept");
    struct arena_mark mark = arena_mark(&a);
    size_t used = a.used;

    char *first = arena_take(&a, 500);
    for (int i = 0; i < 50; i++)
        memset(arena_take(&a, 300000), 1, 300000);      /* several blocks */
    arena_return(&a, mark);
    assert_int_equal(a.used, used);
    assert_ptr_equal(arena_take(&a, 500), first);
    for (int i = 0; i < 50; i++)
        memset(arena_take(&a, 300000), 2, 300000);
    assert_string_equal(kept, "kept");
    arena_release(&a);
}

static void mark_of_an_empty_arena_returns_everything(void **state)
{
    struct arena a = { 0 };
    struct arena_mark mark = arena_mark(&a);
    char *first = arena_take(&a, 100);
    memset(arena_take(&a, 5000000), 0, 5000000);
    arena_return(&a, mark);
    assert_int_equal(a.used, 0);
    assert_ptr_equal(arena_take(&a, 100), first);
    arena_release(&a);
}

static void marks_nest(void **state)
{
    struct arena a = { 0 };
    for (int round = 0; round < 20; round++) {
        struct arena_mark outer = arena_mark(&a);
        int *x = arena_take(&a, sizeof *x);
        *x = round;
        struct arena_mark inner = arena_mark(&a);
        memset(arena_take(&a, (size_t)round * 200000), 7, (size_t)round * 200000);
        arena_return(&a, inner);
        memset(arena_take(&a, 3000000), 8, 3000000);
        assert_int_equal(*x, round);
        arena_return(&a, outer);
        assert_int_equal(a.used, 0);
    }
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_and_do_not_overlap),
        cmocka_unit_test(zeroed_pieces_are_zero_after_use),
        cmocka_unit_test(reset_keeps_memory_in_one_block),
        cmocka_unit_test(mark_and_return_give_back_what_lies_between),
        cmocka_unit_test(mark_of_an_empty_arena_returns_everything),
        cmocka_unit_test(marks_nest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
