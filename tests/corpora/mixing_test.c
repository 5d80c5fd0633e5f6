/* Several corpora in one training: the shares of its sentences, by weight and by temperature. */
#include "tests/test.h"

#include <math.h>

#include "base/course.h"
#include "corpora/mixing.h"
#include "tests/corpora/random_store.h"

enum { CORPORA = 2, LARGE = 4000, SMALL = 500 };

/* Sentences of the small corpus are longer, so that its batches hold fewer. */
static struct store *stores[CORPORA];

static int open_stores(void **state)
{
    stores[0] = random_store(scratch_path("large.ids"), LARGE, 12, 21);
    stores[1] = random_store(scratch_path("small.ids"), SMALL, 40, 22);
    return 0;
}

static int close_stores(void **state)
{
    for (int i = 0; i < CORPORA; i++)
        store_close(stores[i]);
    return 0;
}

static void batching_default(struct batching_config *out)
{
    *out = (struct batching_config){ 0 };
    options_default((struct option_group[]){ { NULL, batching_options, out }, { 0 } });
    out->batch_tokens = 400;
    out->seed = 5;
}

/* Options as "name value name value". */
static int try_mix(struct batch_source *out, const char *const *options, struct error *err)
{
    struct batching_config batching;
    struct mixing_config mixing = { 0 };
    struct option_group groups[] = { { NULL, mixing_options, &mixing }, { 0 } };
    struct batch_source parts[CORPORA];
    batching_default(&batching);
    options_default(groups);
    for (; *options; options += 2)
        if (!strcmp(options[0], "mixing-weights"))
            strings_add(&mixing.weights, options[1]);
        else if (options_set(groups, options[0], options[1], err) < 0)
            fail_msg("%s", err->text);
    for (int i = 0; i < CORPORA; i++)
        if (batching_open(&parts[i], stores[i], 1, 2, &batching, NULL, err) < 0)
            fail_msg("%s", err->text);
    int ret = mixing_open(out, parts, stores, CORPORA, &mixing, &batching, err);
    for (int i = 0; ret < 0 && i < CORPORA; i++)
        parts[i].free(parts[i].state);
    options_release(groups);
    return ret;
}

static struct batch_source mix(const char *const *options)
{
    struct batch_source out;
    struct error err = { 0 };
    if (try_mix(&out, options, &err) < 0)
        fail_msg("%s", err.text);
    return out;
}

/* Whether the batch is of the small corpus: by the first sentence's tokens. */
static bool is_small(const struct batch *b)
{
    int source, target;
    random_store_lengths(b->index[0], 40, 22, &source, &target);
    return b->index[0] < SMALL && source + 1 == b->source_start[1] && target + 1 == b->target_start[1];
}

/* The share of sentences that come from the small corpus. */
static double small_share(struct batch_source *m, int updates)
{
    struct batch b = { 0 };
    int64_t all = 0, small = 0;
    for (int i = 0; i < updates; i++) {
        if (m->next(m->state, &b, NULL) != 1)
            continue;
        all += b.B;
        small += is_small(&b) ? b.B : 0;
    }
    batch_release(&b);
    return (double)small / (double)all;
}

static void expect_share(double wanted, const char *const *options)
{
    struct batch_source m = mix(options);
    double share = small_share(&m, 6000);
    if (fabs(share - wanted) > 0.03)
        fail_msg("%s %s: a share of %.3f in place of %.3f", options[0] ? options[0] : "", options[0] ? options[1] : "",
                 share, wanted);
    m.free(m.state);
}

#define OPTIONS(...) (const char *const[]){ __VA_ARGS__ }

static void corpora_come_by_their_size_without_options(void **state)
{
    expect_share((double)SMALL / (SMALL + LARGE), OPTIONS(NULL));
}

static void temperature_evens_the_shares_out(void **state)
{
    double a = sqrt(SMALL), b = sqrt(LARGE);
    expect_share(a / (a + b), OPTIONS("mixing-temperature", "2", NULL));
    expect_share(0.5, OPTIONS("mixing-temperature", "1000", NULL));
}

static void weights_are_shares_of_sentences(void **state)
{
    expect_share(0.25, OPTIONS("mixing-weights", "3", "mixing-weights", "1", NULL));
    expect_share(0.0, OPTIONS("mixing-weights", "3", "mixing-weights", "0", NULL));
}

static void weights_may_change_over_the_training(void **state)
{
    struct batch_source m = mix(OPTIONS("mixing-weights", "1", "mixing-weights", "ramp 0 1 100 200", NULL));
    m.at(m.state, &(struct moment){ .update = 0 });
    assert_true(small_share(&m, 500) == 0);
    m.at(m.state, &(struct moment){ .update = 300 });
    assert_true(fabs(small_share(&m, 6000) - 0.5) < 0.03);
    m.free(m.state);
}

static void wrong_weights_are_refused(void **state)
{
    struct batch_source m;
    struct error err = { 0 };
    assert_int_equal(try_mix(&m, OPTIONS("mixing-weights", "1", NULL), &err), -1);
    assert_non_null(strstr(err.text, "1 numbers for 2 corpora"));
    assert_int_equal(try_mix(&m, OPTIONS("mixing-weights", "1", "mixing-weights", "-2", NULL), &err), -1);
    assert_non_null(strstr(err.text, "mixing-weights: '-2'"));
    assert_int_equal(try_mix(&m, OPTIONS("mixing-weights", "0", "mixing-weights", "0", NULL), &err), -1);
    assert_non_null(strstr(err.text, "above 0"));
}

static void a_batch_is_guessed_to_hold_what_it_holds(void **state)
{
    struct batching_config batching;
    batching_default(&batching);
    for (int budget = 0; budget <= 400; budget += 400) {        /* 0: the usual one */
        struct batch_source s;
        struct batch b = { 0 };
        int64_t batches = 0, sentences = 0;
        batching.batch_tokens = budget;
        assert_int_equal(batching_open(&s, stores[1], 1, 2, &batching, NULL, NULL), 0);
        while (s.next(s.state, &b, NULL) == 1) {
            batches++;
            sentences += b.B;
        }
        double guess = mixing_batch_sentences(stores[1], &batching), held = (double)sentences / (double)batches;
        assert_true(guess > 0.7 * held && guess < 1.3 * held);
        batch_release(&b);
        s.free(s.state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(corpora_come_by_their_size_without_options),
        cmocka_unit_test(temperature_evens_the_shares_out),
        cmocka_unit_test(weights_are_shares_of_sentences),
        cmocka_unit_test(weights_may_change_over_the_training),
        cmocka_unit_test(wrong_weights_are_refused),
        cmocka_unit_test(a_batch_is_guessed_to_hold_what_it_holds),
    };
    return cmocka_run_group_tests(tests, open_stores, close_stores);
}
