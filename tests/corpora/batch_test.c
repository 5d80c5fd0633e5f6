/* Packed batches. */
#include "tests/test.h"

#include <stdbool.h>

#include "base/rng.h"
#include "corpora/batch.h"

enum { BOS = 1, EOS = 2 };

static const int32_t ids[] = { 10, 11, 12, 13, 14, 15, 16, 17, 18, 19 };

static void batch_adds_begin_and_end_marks(void **state)
{
    struct batch b = { 0 };
    batch_add(&b, ids, 2, ids + 5, 3, BOS, EOS, 77, 0.5f);
    batch_add(&b, ids, 1, ids + 1, 1, BOS, EOS, 78, 1);
    assert_int_equal(b.B, 2);
    assert_int_equal(b.source_tokens, 5);
    assert_int_equal(b.target_tokens, 6);
    assert_memory_equal(b.source, ((int32_t[]){ 10, 11, EOS, 10, EOS }), 5 * sizeof(int32_t));
    assert_memory_equal(b.input, ((int32_t[]){ BOS, 15, 16, 17, BOS, 11 }), 6 * sizeof(int32_t));
    assert_memory_equal(b.output, ((int32_t[]){ 15, 16, 17, EOS, 11, EOS }), 6 * sizeof(int32_t));
    assert_memory_equal(b.source_start, ((int32_t[]){ 0, 3, 5 }), 3 * sizeof(int32_t));
    assert_memory_equal(b.target_start, ((int32_t[]){ 0, 4, 6 }), 3 * sizeof(int32_t));
    assert_int_equal(b.index[0], 77);
    assert_true(b.weight[0] == 0.5f && b.weight[1] == 1);
    batch_release(&b);
    assert_null(b.source);
}

static void empty_sides_still_have_their_end(void **state)
{
    struct batch b = { 0 };
    batch_add(&b, NULL, 0, NULL, 0, BOS, EOS, 0, 1);
    assert_int_equal(b.source_tokens, 1);
    assert_int_equal(b.source[0], EOS);
    assert_int_equal(b.input[0], BOS);
    assert_int_equal(b.output[0], EOS);
    batch_release(&b);
}

static void reset_batch_is_empty_and_keeps_its_memory(void **state)
{
    struct batch b = { .task = 0 };
    for (int i = 0; i < 1000; i++)
        batch_add(&b, ids, 10, ids, 10, BOS, EOS, i, 1);
    const int32_t *before = b.source;
    b.task = 3;
    batch_reset(&b);
    assert_int_equal(b.B, 0);
    assert_int_equal(b.source_tokens, 0);
    assert_int_equal(b.task, 0);
    assert_int_equal(b.source_start[0], 0);
    for (int i = 0; i < 1000; i++)
        batch_add(&b, ids, 10, ids, 10, BOS, EOS, i, 1);
    assert_ptr_equal(b.source, before);
    batch_release(&b);
}

/* Sentences of random lengths; the index tells which one it is. */
static void fill_random(struct batch *b, int sentences, int longest, uint64_t seed)
{
    int32_t text[200];
    struct rng rng;
    rng_seed(&rng, seed, 0);
    for (int i = 0; i < 200; i++)
        text[i] = 100 + i;
    for (int i = 0; i < sentences; i++) {
        int source = (int)rng_below(&rng, (uint64_t)longest), target = (int)rng_below(&rng, (uint64_t)longest);
        batch_add(b, text + i % 7, source, text + i % 5, target, BOS, EOS, i, (float)i);
    }
}

static int tokens(const struct batch *b)
{
    return b->source_tokens + b->target_tokens;
}

static void assert_same_sentence(const struct batch *a, int i, const struct batch *b, int k)
{
    int source = a->source_start[i + 1] - a->source_start[i];
    int target = a->target_start[i + 1] - a->target_start[i];
    assert_int_equal(source, b->source_start[k + 1] - b->source_start[k]);
    assert_int_equal(target, b->target_start[k + 1] - b->target_start[k]);
    assert_memory_equal(a->source + a->source_start[i], b->source + b->source_start[k],
                        (size_t)source * sizeof(int32_t));
    assert_memory_equal(a->input + a->target_start[i], b->input + b->target_start[k],
                        (size_t)target * sizeof(int32_t));
    assert_memory_equal(a->output + a->target_start[i], b->output + b->target_start[k],
                        (size_t)target * sizeof(int32_t));
    assert_true(a->weight[i] == b->weight[k]);
}

static void split_is_a_balanced_partition_in_order(void **state)
{
    for (int count = 1; count <= 5; count++) {
        struct batch from = { .task = 0 }, parts[5] = { 0 };
        bool seen[300] = { false };
        int least = INT32_MAX, most = 0, sentences = 0;
        fill_random(&from, 300, 60, 5);
        from.task = 4;
        batch_split(&from, parts, count);
        for (int p = 0; p < count; p++) {
            for (int k = 0; k < parts[p].B; k++) {
                int64_t index = parts[p].index[k];
                assert_false(seen[index]);
                seen[index] = true;
                assert_true(k == 0 || parts[p].index[k - 1] < index);
                assert_same_sentence(&from, (int)index, &parts[p], k);
            }
            assert_int_equal(parts[p].task, 4);
            sentences += parts[p].B;
            least = tokens(&parts[p]) < least ? tokens(&parts[p]) : least;
            most = tokens(&parts[p]) > most ? tokens(&parts[p]) : most;
        }
        assert_int_equal(sentences, 300);
        assert_true(most - least <= 120);
        for (int p = 0; p < count; p++)
            batch_release(&parts[p]);
        batch_release(&from);
    }
}

static void split_of_few_sentences_leaves_parts_empty(void **state)
{
    struct batch from = { 0 }, parts[4] = { 0 };
    batch_reset(&from);
    batch_split(&from, parts, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(parts[i].B, 0);
    batch_add(&from, ids, 3, ids, 3, BOS, EOS, 0, 1);
    batch_split(&from, parts, 4);
    assert_int_equal(parts[0].B + parts[1].B + parts[2].B + parts[3].B, 1);
    for (int i = 0; i < 4; i++)
        batch_release(&parts[i]);
    batch_release(&from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_adds_begin_and_end_marks),
        cmocka_unit_test(empty_sides_still_have_their_end),
        cmocka_unit_test(reset_batch_is_empty_and_keeps_its_memory),
        cmocka_unit_test(split_is_a_balanced_partition_in_order),
        cmocka_unit_test(split_of_few_sentences_leaves_parts_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
