/* Timelines: every row has its place, sentences stand by falling length. */
#include "tests/test.h"

#include "base/arena.h"
#include "base/rng.h"
#include "tensor/timeline.h"

static void the_example_of_the_header(void **state)
{
    static const int32_t starts[] = { 0, 2, 5, 6 };
    struct arena arena = { 0 };
    const struct timeline *line = timeline_new(&arena, starts, 3);
    assert_int_equal(line->T, 3);
    assert_int_equal(line->N, 6);
    assert_memory_equal(line->start, ((int32_t[]){ 0, 3, 5, 6 }), 4 * sizeof(int32_t));
    assert_memory_equal(line->sentence, ((int32_t[]){ 1, 0, 2 }), 3 * sizeof(int32_t));
    assert_memory_equal(line->row, ((int32_t[]){ 2, 0, 5, 3, 1, 4 }), 6 * sizeof(int32_t));
    assert_memory_equal(line->first, ((int32_t[]){ 1, 0, 2 }), 3 * sizeof(int32_t));
    assert_memory_equal(line->last, ((int32_t[]){ 4, 5, 2 }), 3 * sizeof(int32_t));
    arena_release(&arena);
}

static void no_sentences_make_an_empty_timeline(void **state)
{
    static const int32_t starts[] = { 0 };
    struct arena arena = { 0 };
    const struct timeline *line = timeline_new(&arena, starts, 0);
    assert_int_equal(line->T, 0);
    assert_int_equal(line->N, 0);
    arena_release(&arena);
}

static void check_laws(const struct timeline *line)
{
    for (int n = 0; n < line->N; n++)
        assert_int_equal(line->place[line->row[n]], n);
    for (int t = 1; t < line->T; t++)
        assert_true(timeline_alive(line, t) <= timeline_alive(line, t - 1));
    for (int t = 0; t < line->T; t++)
        for (int rank = 0; rank < timeline_alive(line, t); rank++) {
            int sentence = line->sentence[rank];
            assert_int_equal(line->row[line->start[t] + rank], line->starts[sentence] + t);
        }
    for (int b = 0; b < line->B; b++) {
        assert_int_equal(line->row[line->first[b]], line->starts[b]);
        assert_int_equal(line->row[line->last[b]], line->starts[b + 1] - 1);
    }
}

static void random_sentences_keep_the_laws(void **state)
{
    struct rng rng;
    struct arena arena = { 0 };
    rng_seed(&rng, 1, 0);
    for (int round = 0; round < 200; round++) {
        int32_t starts[40] = { 0 };
        int B = 1 + (int)rng_below(&rng, 39);
        for (int b = 0; b < B; b++)
            starts[b + 1] = starts[b] + 1 + (int32_t)rng_below(&rng, round % 7 + 1);
        check_laws(timeline_new(&arena, starts, B));
        arena_reset(&arena);
    }
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_header),
        cmocka_unit_test(no_sentences_make_an_empty_timeline),
        cmocka_unit_test(random_sentences_keep_the_laws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
