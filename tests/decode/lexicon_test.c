/* Tests of decode/lexicon.h: Koehn's worked example, laws of expectation maximisation. */
#include "tests/test.h"

#include "base/error.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/thread.h"
#include "corpora/store.h"
#include "decode/lexicon.h"

static struct lexicon_config defaults(void)
{
    struct lexicon_config c = { 0 };
    options_default((struct option_group[]){ { NULL, lexicon_options, &c }, { 0 } });
    return c;
}

static struct store *store_of(const int32_t pairs[][2][8], const int lengths[][2], int count)
{
    struct error err;
    const char *path = scratch_path("pairs.store");
    struct store_writer *w = store_writer_new(path, 1, 2, &err);
    for (int i = 0; i < count; i++)
        assert_int_equal(store_writer_add(w, pairs[i][0], lengths[i][0], pairs[i][1], lengths[i][1],
                                          &err), 0);
    assert_int_equal(store_writer_commit(w, &err), 0);
    return store_open(path, true, &err);
}

static float p_of(const struct lexicon *x, int source, int target)
{
    for (int i = 0; i < x->rows[source].count; i++)
        if (x->rows[source].target[i] == target)
            return x->rows[source].p[i];
    return 0;
}

static struct lexicon train(const struct store *s, int source_vocab, int target_vocab,
                            const struct lexicon_config *c, int threads)
{
    struct lexicon x = { 0 };
    struct error err = { "" };
    struct pool *pool = pool_new(threads);
    if (lexicon_train(&x, s, source_vocab, target_vocab, c, pool, &err) < 0)
        fail_msg("%s", err.text);
    pool_free(pool);
    return x;
}

/* das Haus – the house, das Buch – the book, ein Buch – a book (Koehn 2010, figure 4.4). */
enum { DAS, HAUS, BUCH, EIN };
enum { THE, HOUSE, BOOK, A };
static const int32_t koehn[][2][8] = {
    { { DAS, HAUS }, { THE, HOUSE } }, { { DAS, BUCH }, { THE, BOOK } }, { { EIN, BUCH }, { A, BOOK } }
};
static const int koehn_lengths[][2] = { { 2, 2 }, { 2, 2 }, { 2, 2 } };

static void a_worked_example_comes_out(void **state)
{
    static const struct { int source, target; double after[3]; } cases[] = {
        { DAS, THE, { .5, .6364, .7479 } }, { DAS, BOOK, { .25, .1818, .1208 } },
        { DAS, HOUSE, { .25, .1818, .1313 } }, { BUCH, THE, { .25, .1818, .1208 } },
        { BUCH, BOOK, { .5, .6364, .7479 } }, { BUCH, A, { .25, .1818, .1313 } },
        { EIN, BOOK, { .5, .4286, .3466 } }, { EIN, A, { .5, .5714, .6534 } },
        { HAUS, THE, { .5, .4286, .3466 } }, { HAUS, HOUSE, { .5, .5714, .6534 } },
        { HAUS, A, { 0, 0, 0 } },
    };
    struct store *s = store_of(koehn, koehn_lengths, 3);
    struct lexicon_config c = defaults();
    c.null_weight = 0;
    c.diagonal_iterations = 0;
    for (c.iterations = 1; c.iterations <= 3; c.iterations++) {
        struct lexicon x = train(s, 4, 4, &c, 2);
        for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
            assert_float_equal(p_of(&x, cases[i].source, cases[i].target),
                               cases[i].after[c.iterations - 1], 6e-5);
        assert_int_equal(x.target_count[BOOK], 2);
        assert_int_equal(x.pairs, 3);
        lexicon_release(&x);
    }
    c.iterations = 100;
    struct lexicon x = train(s, 4, 4, &c, 1);
    assert_float_equal(p_of(&x, DAS, THE), 1, .02);
    assert_float_equal(p_of(&x, HAUS, HOUSE), 1, .02);
    lexicon_release(&x);
    store_close(s);
}

/* --- a made-up language: word w becomes w + 20, now and then with a word 50 that nothing explains;
 * some pairs are empty on a side --- */

enum { SOURCE = 20, TARGET = 60, PAIRS = 700 };

static struct store *made_up(bool in_order)
{
    struct error err;
    struct rng rng;
    const char *path = scratch_path("made-up.store");
    struct store_writer *w = store_writer_new(path, 1, 2, &err);
    rng_seed(&rng, 9, 0);
    for (int i = 0; i < PAIRS; i++) {
        int32_t source[12], target[16];
        int S = (int)rng_below(&rng, 12), T = 0;
        for (int j = 0; j < S; j++)
            source[j] = (int32_t)(rng_below(&rng, SOURCE) * rng_below(&rng, SOURCE) / SOURCE);
        for (int j = 0; j < S; j++)
            target[T++] = source[in_order ? j : S - 1 - j] + 20;
        if (rng_below(&rng, 3) == 0)
            target[T++] = 50;
        assert_int_equal(store_writer_add(w, source, S, target, T, &err), 0);
    }
    assert_int_equal(store_writer_commit(w, &err), 0);
    return store_open(path, true, &err);
}

static void every_word_finds_its_translation(void **state)
{
    struct store *s = made_up(true);
    struct lexicon_config c = defaults();
    struct lexicon x = train(s, SOURCE, TARGET, &c, 2);
    for (int w = 0; w < SOURCE - 1; w++) {
        if (!x.rows[w].count)
            continue;
        double sum = 0;
        for (int i = 0; i < x.rows[w].count; i++) {
            sum += x.rows[w].p[i];
            assert_true(i == 0 || x.rows[w].target[i - 1] < x.rows[w].target[i]);
        }
        assert_float_equal(sum, 1, 1e-4);
        if (x.target_count[w + 20] > 20)
            assert_true(p_of(&x, w, w + 20) > .8);
    }
    assert_true(x.passed_over > 0 && x.pairs + x.passed_over == PAIRS);
    lexicon_release(&x);
    store_close(s);
}

static void no_pass_explains_the_corpus_worse(void **state)
{
    for (int order = 0; order < 2; order++) {
        struct store *s = made_up(order);
        struct lexicon_config c = defaults();
        c.iterations = 8;
        c.diagonal_iterations = 8;
        struct lexicon x = train(s, SOURCE, TARGET, &c, 3);
        assert_int_equal(x.iterations, 16);
        for (int i = 1; i < 16; i++)
            if (i != 8)                         /* model 2 begins: another model */
                assert_true(x.bits[i] <= x.bits[i - 1] + 1e-4);
        assert_true(x.bits[7] < x.bits[0] - 1);
        if (order)
            assert_true(x.bits[15] < x.bits[7] - .3);   /* the diagonal tells more */
        lexicon_release(&x);
        store_close(s);
    }
}

static void the_rows_do_not_depend_on_the_threads(void **state)
{
    struct store *s = made_up(true);
    struct lexicon_config c = defaults();
    struct lexicon one = train(s, SOURCE, TARGET, &c, 1);
    for (int threads = 2; threads <= 9; threads += 3) {
        struct lexicon many = train(s, SOURCE, TARGET, &c, threads);
        for (int w = 0; w < SOURCE; w++) {
            size_t n = (size_t)one.rows[w].count;
            assert_int_equal(many.rows[w].count, n);
            assert_memory_equal(many.rows[w].target, one.rows[w].target, n * sizeof(int32_t));
            assert_memory_equal(many.rows[w].p, one.rows[w].p, n * sizeof(float));
        }
        lexicon_release(&many);
    }
    lexicon_release(&one);
    store_close(s);
}

static void a_part_of_the_corpus_will_do(void **state)
{
    struct store *s = made_up(true);
    struct lexicon_config c = defaults();
    c.pairs = 300;
    struct lexicon x = train(s, SOURCE, TARGET, &c, 2);
    assert_int_equal(x.pairs + x.passed_over, 300);
    assert_true(p_of(&x, 0, 20) > .8);
    lexicon_release(&x);
    store_close(s);
}

static void what_cannot_be_learnt_from_is_refused(void **state)
{
    static const int32_t pairs[][2][8] = { { { 1 }, { 7 } }, { { 2 }, { 3 } } };
    static const int lengths[][2] = { { 1, 1 }, { 1, 1 } }, empty[][2] = { { 1, 0 }, { 0, 1 } };
    struct lexicon_config c = defaults();
    struct lexicon x = { 0 };
    struct pool *pool = pool_new(1);
    struct error err;
    struct store *s = store_of(pairs, lengths, 2);
    assert_int_equal(lexicon_train(&x, s, 4, 4, &c, pool, &err), -1);
    assert_non_null(strstr(err.text, "id 7 in pair 1"));
    store_close(s);
    s = store_of(pairs, empty, 2);
    assert_int_equal(lexicon_train(&x, s, 8, 8, &c, pool, &err), -1);
    assert_non_null(strstr(err.text, "no pair to learn from"));
    assert_null(x.rows);
    store_close(s);
    pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worked_example_comes_out),
        cmocka_unit_test(every_word_finds_its_translation),
        cmocka_unit_test(no_pass_explains_the_corpus_worse),
        cmocka_unit_test(the_rows_do_not_depend_on_the_threads),
        cmocka_unit_test(a_part_of_the_corpus_will_do),
        cmocka_unit_test(what_cannot_be_learnt_from_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
