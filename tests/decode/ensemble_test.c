/* Tests of ensembles: averages by hand, and the laws that search over one must keep. */
#include "tests/test.h"

#include "base/memory.h"
#include "decode/search.h"
#include "decode/translator.h"
#include "tests/decode/toys.h"

static const int32_t source[] = { 4, 5, TOY_EOS };

static struct stepper pair(uint64_t a, uint64_t b, enum average average)
{
    struct stepper members[] = { toy_stepper(9, a, toy_random), toy_stepper(9, b, toy_random) };
    return ensemble_stepper(members, NULL, 2, average);
}

static void first_step(const struct stepper *s, float *logp)
{
    s->admit(s->state, source, (int32_t[]){ 0, 3 }, 1, 10);
    float lse;
    s->step(s->state, (int32_t[]){ TOY_BOS }, 1, logp, &lse);
    for (int v = 0; v < s->vocab; v++)
        logp[v] -= lse;
}

static void first_step_of_toy(uint64_t seed, float *logp)
{
    struct stepper s = toy_stepper(9, seed, toy_random);
    first_step(&s, logp);
    s.free(s.state);
}

static void probabilities_are_averaged(void **state)
{
    float a[9], b[9], mean[9];
    struct stepper s = pair(1, 2, AVERAGE_PROBABILITY);
    first_step(&s, mean);
    first_step_of_toy(1, a);
    first_step_of_toy(2, b);
    for (int v = 0; v < 9; v++)
        assert_float_equal(exp(mean[v]), (exp(a[v]) + exp(b[v])) / 2, 1e-6);
    s.free(s.state);
}

/* Shares of 3 and 1 are those of the one in three places of four. */
static void weights_are_shares(void **state)
{
    for (int average = AVERAGE_PROBABILITY; average <= AVERAGE_LOG; average++) {
        float weighted[9], equal[9];
        struct stepper two[] = { toy_stepper(9, 1, toy_random), toy_stepper(9, 2, toy_random) };
        struct stepper four[] = { toy_stepper(9, 1, toy_random), toy_stepper(9, 2, toy_random),
                                  toy_stepper(9, 1, toy_random), toy_stepper(9, 1, toy_random) };
        struct stepper a = ensemble_stepper(two, (const float[]){ 0.75f, 0.25f }, 2, (enum average)average);
        struct stepper b = ensemble_stepper(four, NULL, 4, (enum average)average);
        first_step(&a, weighted);
        first_step(&b, equal);
        for (int v = 0; v < 9; v++)
            assert_float_equal(exp(weighted[v]), exp(equal[v]), 1e-6);
        a.free(a.state);
        b.free(b.state);
    }
}

static void log_probabilities_are_averaged_and_sum_to_one(void **state)
{
    float a[9], b[9], mean[9];
    double product = 0, total = 0;
    struct stepper s = pair(1, 2, AVERAGE_LOG);
    first_step(&s, mean);
    first_step_of_toy(1, a);
    first_step_of_toy(2, b);
    for (int v = TOY_EOS; v < 9; v++)
        product += exp((a[v] + b[v]) / 2);
    for (int v = TOY_EOS; v < 9; v++) {
        assert_float_equal(exp(mean[v]), exp((a[v] + b[v]) / 2) / product, 1e-6);
        total += exp(mean[v]);
    }
    assert_float_equal(total, 1, 1e-6);
    s.free(s.state);
}

/* --- search --- */

struct one {
    bool given;
    int32_t ids[32];
    int count;
    double logp;
};

static bool one_next(void *arg, struct sentence *out)
{
    struct one *one = arg;
    if (one->given)
        return false;
    one->given = true;
    *out = (struct sentence){ .source = source, .source_count = 3 };
    return true;
}

static void one_done(void *arg, int64_t index, const struct hypothesis *best, int count)
{
    struct one *one = arg;
    one->count = best->count;
    one->logp = best->logp;
    memcpy(one->ids, best->ids, sizeof(int32_t) * (size_t)best->count);
}

static struct one search_one(struct stepper s)
{
    struct one one = { 0 };
    struct search_config c = { 0 };
    options_default((struct option_group[]){ { NULL, search_options, &c }, { NULL, NULL, NULL } });
    c.beam = 4;
    struct search *search = search_new(&s, &c);
    search_run(search, &(struct search_feed){ &one, one_next, one_done });
    search_free(search);
    s.free(s.state);
    return one;
}

static void an_ensemble_of_twins_searches_like_one_of_them(void **state)
{
    for (uint64_t seed = 0; seed < 10; seed++)
        for (int average = AVERAGE_PROBABILITY; average <= AVERAGE_LOG; average++) {
            struct one single = search_one(toy_stepper(9, seed, toy_random));
            struct one twins = search_one(pair(seed, seed, average));
            assert_int_equal(single.count, twins.count);
            assert_memory_equal(single.ids, twins.ids, sizeof(int32_t) * (size_t)single.count);
            assert_float_equal(single.logp, twins.logp, 1e-4);
        }
}

static void the_order_of_the_members_does_not_matter(void **state)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct one ab = search_one(pair(seed, seed + 50, AVERAGE_PROBABILITY));
        struct one ba = search_one(pair(seed + 50, seed, AVERAGE_PROBABILITY));
        assert_int_equal(ab.count, ba.count);
        assert_memory_equal(ab.ids, ba.ids, sizeof(int32_t) * (size_t)ab.count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probabilities_are_averaged),
        cmocka_unit_test(weights_are_shares),
        cmocka_unit_test(log_probabilities_are_averaged_and_sum_to_one),
        cmocka_unit_test(an_ensemble_of_twins_searches_like_one_of_them),
        cmocka_unit_test(the_order_of_the_members_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
