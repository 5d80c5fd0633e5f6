/* Mixtures of corpora: their shares, their epochs, their exact position. */
#include "tests/test.h"

#include <math.h>

#include "corpora/batching.h"
#include "corpora/mixture.h"
#include "tests/corpora/random_store.h"

enum { BOS = 1, EOS = 2, LONGEST = 20 };

static struct store *large, *small;

static int open_stores(void **state)
{
    large = random_store(scratch_path("large.ids"), 2000, LONGEST, 11);
    small = random_store(scratch_path("small.ids"), 300, LONGEST, 12);
    return 0;
}

static int close_stores(void **state)
{
    store_close(large);
    store_close(small);
    return 0;
}

static struct batch_source part_of(const struct store *store)
{
    struct batching_config config = { 0 };
    struct batch_source source;
    struct error err = { 0 };
    options_default((struct option_group[]){ { NULL, batching_options, &config }, { 0 } });
    config.batch_tokens = 200;
    config.seed = 3;
    if (batching_open(&source, store, BOS, EOS, &config, NULL, &err) < 0)
        fail_msg("%s", err.text);
    return source;
}

static struct course course_of(const char *text)
{
    struct course c;
    struct error err = { 0 };
    if (course_parse(&c, text, 0, 0, &err) < 0)
        fail_msg("%s", err.text);
    return c;
}

static struct batch_source mix(const char *large_weight, const char *small_weight)
{
    const struct mixture_part parts[] = {
        { part_of(large), course_of(large_weight), 0, 1 },
        { part_of(small), course_of(small_weight), 1, 0.5f },
    };
    struct batch_source out;
    struct error err = { 0 };
    if (mixture_open(&out, parts, 2, 7, &err) < 0)
        fail_msg("%s", err.text);
    return out;
}

static void batches_are_drawn_by_weight(void **state)
{
    struct batch_source m = mix("3", "1");
    struct batch b = { 0 };
    int from[2] = { 0 };
    for (int i = 0; i < 4000; i++)
        if (m.next(m.state, &b, NULL) == 1)
            from[b.task]++;
    double share = (double)from[1] / (from[0] + from[1]);
    assert_true(fabs(share - 0.25) < 0.03);
    batch_release(&b);
    m.free(m.state);
}

static void what_was_drawn_is_counted_across_a_resume(void **state)
{
    struct batch_source m = mix("3", "1"), again = mix("3", "1");
    struct batch b = { 0 };
    struct error err = { 0 };
    int64_t from[2] = { 0 };
    int count = 0;
    for (int i = 0; i < 500; i++) {
        if (i == 250) {
            json_t *position = m.save(m.state);
            assert_int_equal(again.restore(again.state, position, &err), 0);
            json_decref(position);
        }
        struct batch_source *at = i < 250 ? &m : &again;
        if (at->next(at->state, &b, NULL) == 1)
            from[b.task] += b.B;
    }
    const int64_t *drawn = again.drawn(again.state, &count);
    assert_int_equal(count, 2);
    assert_true(from[0] > 0 && from[1] > 0);
    assert_int_equal(drawn[0], from[0]);
    assert_int_equal(drawn[1], from[1]);
    batch_release(&b);
    m.free(m.state);
    again.free(again.state);
}

static void a_batch_is_of_one_part_and_carries_its_factor(void **state)
{
    struct batch_source m = mix("1", "1");
    struct batch b = { 0 };
    for (int i = 0; i < 200; i++) {
        if (m.next(m.state, &b, NULL) != 1)
            continue;
        for (int s = 0; s < b.B; s++) {
            assert_true(b.weight[s] == (b.task ? 0.5f : 1));
            assert_true(b.index[s] < (b.task ? 300 : 2000));
        }
    }
    batch_release(&b);
    m.free(m.state);
}

static void an_epoch_is_the_sentences_of_all_parts(void **state)
{
    struct batch_source m = mix("1", "1");
    struct batch b = { 0 };
    for (int epoch = 0; epoch < 3; epoch++) {
        int64_t sentences = 0, last = 0;
        while (m.next(m.state, &b, NULL) == 1)
            sentences += last = b.B;
        assert_true(sentences >= m.sentences(m.state));
        assert_true(sentences - last < m.sentences(m.state));
    }
    batch_release(&b);
    m.free(m.state);
}

static void weights_may_change_over_the_training(void **state)
{
    struct batch_source m = mix("1", "ramp 0 1 50 100");
    struct batch b = { 0 };
    int early = 0, late = 0;
    for (int64_t update = 0; update < 400; update++) {
        m.at(m.state, &(struct moment){ .update = update });
        while (m.next(m.state, &b, NULL) != 1)
            ;
        early += update < 50 && b.task == 1;
        late += update >= 100 && b.task == 1;
    }
    assert_int_equal(early, 0);
    assert_true(late > 100 && late < 200);
    batch_release(&b);
    m.free(m.state);
}

static uint64_t next_hash(struct batch_source *m, struct batch *b)
{
    if (m->next(m->state, b, NULL) != 1)
        return 0;
    uint64_t hash = (uint64_t)b->task + 1;
    for (int i = 0; i < b->B; i++)
        hash = rng_mix(hash ^ (uint64_t)b->index[i]);
    return hash;
}

/* Pseudo-Label (Lee 2013): beside gold's weight of 1, pseudo-labelled text has 0 up to update 100, 3
 * from update 600 on, and in between what lies between; α of 1+α batches are of it. */
static void pseudo_labelled_text_comes_in_as_its_ramp_says(void **state)
{
    static const struct { int64_t update; double alpha; } stands[] = {
        { 0, 0 }, { 100, 0 }, { 225, 0.75 }, { 350, 1.5 }, { 475, 2.25 }, { 600, 3 }, { 5000, 3 },
    };
    struct batch_source s = mix("1", "ramp 0 3 100 600");
    struct error err = { 0 };
    struct batch b = { 0 };
    for (size_t i = 0; i < sizeof stands / sizeof *stands; i++) {
        int pseudo = 0, all = 4000;
        s.at(s.state, &(struct moment){ .update = stands[i].update });
        for (int k = 0; k < all; k++) {
            while (s.next(s.state, &b, &err) == 0)
                ;                       /* an epoch's end */
            pseudo += b.task == 1;
        }
        double share = stands[i].alpha / (1 + stands[i].alpha);
        assert_true(fabs((double)pseudo / all - share) <= (share > 0 ? 0.03 : 0));
    }
    batch_release(&b);
    s.free(s.state);
}

static void a_restored_mixture_goes_on_where_it_was_saved(void **state)
{
    struct batch_source m = mix("2", "1"), again = mix("2", "1");
    struct batch b = { 0 };
    struct error err = { 0 };
    for (int i = 0; i < 321; i++)
        next_hash(&m, &b);
    json_t *position = m.save(m.state);
    uint64_t expected[300];
    for (int i = 0; i < 300; i++)
        expected[i] = next_hash(&m, &b);
    assert_int_equal(again.restore(again.state, position, &err), 0);
    for (int i = 0; i < 300; i++)
        assert_true(next_hash(&again, &b) == expected[i]);
    json_object_set_new(position, "parts", json_array());
    assert_int_equal(again.restore(again.state, position, &err), -1);
    assert_non_null(strstr(err.text, "had 0 parts"));
    json_decref(position);
    batch_release(&b);
    m.free(m.state);
    again.free(again.state);
}

static void a_part_that_teaches_nothing_more_is_left_out(void **state)
{
    struct batch_source m = mix("1", "1"), again = mix("1", "1");
    struct batch b = { 0 };
    struct error err = { 0 };
    assert_true(mixture_judge(&m, 1, 50, 2));
    assert_true(mixture_judge(&m, 1, 40, 2));           /* once without gain */
    assert_true(mixture_judge(&m, 1, 60, 2));           /* a gain: counted anew */
    assert_true(mixture_judge(&m, 1, 60, 2));
    assert_false(mixture_judge(&m, 1, 55, 2));
    json_t *position = m.save(m.state);
    if (again.restore(again.state, position, &err) < 0)
        fail_msg("%s", err.text);
    for (int i = 0; i < 200; i++)
        if (again.next(again.state, &b, NULL) == 1)
            assert_int_equal(b.task, 0);
    assert_false(mixture_judge(&again, 1, 70, 2));      /* it does not come back */
    assert_true(mixture_judge(&again, 0, 9, 1));
    assert_true(mixture_judge(&again, 0, 8, 1));        /* the last one stays */
    json_decref(position);
    batch_release(&b);
    m.free(m.state);
    again.free(again.state);
}

static void a_mixture_without_weights_is_refused(void **state)
{
    const struct mixture_part part = { part_of(small), course_of("0"), 0, 1 };
    struct batch_source out;
    struct error err = { 0 };
    assert_int_equal(mixture_open(&out, &part, 1, 1, &err), -1);
    assert_non_null(strstr(err.text, "weight above 0"));
    part.source.free(part.source.state);
}

/* ---- a part that has nothing to say ---- */

static int empty_next(void *state, struct batch *b, struct error *err)
{
    (void)state, (void)err;
    batch_reset(b);
    return 1;
}

static int64_t one(void *state)
{
    (void)state;
    return 1;
}

static void nothing(void *state)
{
    (void)state;
}

static struct batch_source mix_with_empty(const char *weight, const char *empty_weight)
{
    const struct mixture_part parts[] = {
        { part_of(small), course_of(weight), 0, 1 },
        { { .next = empty_next, .sentences = one, .tokens = one, .free = nothing }, course_of(empty_weight), 1, 1 },
    };
    struct batch_source out;
    struct error err = { 0 };
    if (mixture_open(&out, parts, 2, 7, &err) < 0)
        fail_msg("%s", err.text);
    return out;
}

static void another_part_is_drawn_in_the_place_of_an_empty_batch(void **state)
{
    struct batch_source m = mix_with_empty("1", "3"), alone = part_of(small);
    struct batch a = { 0 }, b = { 0 };
    for (int i = 0; i < 10; i++) {
        assert_int_equal(m.next(m.state, &a, NULL), 1);
        assert_int_equal(alone.next(alone.state, &b, NULL), 1);
        assert_int_equal(a.B, b.B);
        assert_memory_equal(a.output, b.output, (size_t)b.target_tokens * sizeof *b.output);
    }
    batch_release(&a);
    batch_release(&b);
    m.free(m.state);
    alone.free(alone.state);
}

static void a_mixture_of_empty_batches_alone_is_an_error(void **state)
{
    struct batch_source m = mix_with_empty("0", "1");
    struct batch b = { 0 };
    struct error err = { 0 };
    assert_int_equal(m.next(m.state, &b, &err), -1);
    assert_non_null(strstr(err.text, "100 batches in a row have no sentence"));
    batch_release(&b);
    m.free(m.state);
}

static void the_weight_of_a_part_goes_by_its_size(void **state)
{
    assert_true(fabsf(mixture_weight(10000, 1, 0.75) - 1000) < 0.1f);
    assert_true(mixture_weight(500, 1, 0) == 1);
    assert_true(mixture_weight(500, 4, 1) == 125);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_are_drawn_by_weight),
        cmocka_unit_test(what_was_drawn_is_counted_across_a_resume),
        cmocka_unit_test(a_batch_is_of_one_part_and_carries_its_factor),
        cmocka_unit_test(an_epoch_is_the_sentences_of_all_parts),
        cmocka_unit_test(weights_may_change_over_the_training),
        cmocka_unit_test(pseudo_labelled_text_comes_in_as_its_ramp_says),
        cmocka_unit_test(a_restored_mixture_goes_on_where_it_was_saved),
        cmocka_unit_test(a_part_that_teaches_nothing_more_is_left_out),
        cmocka_unit_test(a_mixture_without_weights_is_refused),
        cmocka_unit_test(another_part_is_drawn_in_the_place_of_an_empty_batch),
        cmocka_unit_test(a_mixture_of_empty_batches_alone_is_an_error),
        cmocka_unit_test(the_weight_of_a_part_goes_by_its_size),
    };
    return cmocka_run_group_tests(tests, open_stores, close_stores);
}
