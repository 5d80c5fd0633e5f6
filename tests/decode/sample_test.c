/* Tests of decode/sample.h and of searches that draw: by hand, by counting, and by law. */
#include "tests/test.h"

#include "base/error.h"
#include "decode/select.h"
#include "tests/decode/toy_search.h"

/* --- one token --- */

/* p = .4 .3 .2 .1 on tokens 2, 0, 4, 1; 3 is impossible. */
static const double shares[] = { .3, .1, .4, 0, .2 };
enum { WORDS = 5, DRAWS = 40000 };

static void count_draws(double *share, const struct sampling *how)
{
    struct sampler s = { 0 };
    struct rng rng;
    float logp[WORDS];
    for (int v = 0; v < WORDS; v++) {
        logp[v] = (float)log(shares[v]);
        share[v] = 0;
    }
    rng_seed(&rng, 17, 0);
    for (int i = 0; i < DRAWS; i++)
        share[sample_token(&s, logp, WORDS, how, &rng)] += 1.0 / DRAWS;
    sampler_release(&s);
}

static void tokens_are_drawn_by_their_shares(void **state)
{
    static const struct { struct sampling how; double expected[WORDS]; } cases[] = {
        { { 1, 0, 1 }, { .3, .1, .4, 0, .2 } },
        { { 1, 5, 1 }, { .3, .1, .4, 0, .2 } },
        { { 1, 1000, 1 }, { .3, .1, .4, 0, .2 } },
        { { 1, 2, 1 }, { 3. / 7, 0, 4. / 7, 0, 0 } },
        { { 1, 1, 1 }, { 0, 0, 1, 0, 0 } },
        { { 1, 0, .7f }, { 3. / 7, 0, 4. / 7, 0, 0 } },         /* .4 + .3 just suffice */
        { { 1, 0, .71f }, { 3. / 9, 0, 4. / 9, 0, 2. / 9 } },
        { { 1, 0, .01f }, { 0, 0, 1, 0, 0 } },
        { { 1, 0, 0 }, { 0, 0, 1, 0, 0 } },
        { { 1, 0, .9999f }, { .3, .1, .4, 0, .2 } },
        { { 1, 3, .7f }, { 3. / 7, 0, 4. / 7, 0, 0 } },         /* .7 of the .9 that three hold */
        { { 1, 3, .8f }, { 3. / 9, 0, 4. / 9, 0, 2. / 9 } },
        { { .5f, 0, 1 }, { .09 / .3, .01 / .3, .16 / .3, 0, .04 / .3 } },
        { { .5f, 2, 1 }, { .09 / .25, 0, .16 / .25, 0, 0 } },
        { { 100, 0, 1 }, { .25, .25, .25, 0, .25 } },
        { { 0, 0, 1 }, { 0, 0, 1, 0, 0 } },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        double share[WORDS];
        count_draws(share, &cases[i].how);
        for (int v = 0; v < WORDS; v++) {
            double deviation = sqrt(cases[i].expected[v] * (1 - cases[i].expected[v]) / DRAWS);
            if (fabs(share[v] - cases[i].expected[v]) > 5 * deviation + (i == 14 ? .01 : 1e-9))
                fail_msg("case %zu: token %d has %g instead of %g", i, v, share[v], cases[i].expected[v]);
        }
    }
}

static void a_large_vocabulary_is_drawn_from_by_the_same_rules(void **state)
{
    enum { V = 3000 };
    static float logp[V];
    static const struct sampling hows[] = { { 1, 0, .6f }, { 1, 40, 1 }, { .7f, 100, .8f }, { 1.3f, 0, .95f } };
    struct sampler s = { 0 };
    struct rng rng;
    rng_seed(&rng, 3, 0);
    for (int v = 0; v < V; v++)
        logp[v] = (float)(2 * rng_normal(&rng));        /* a logit does as well */
    for (size_t h = 0; h < ARRAY_COUNT(hows); h++) {
        static struct candidate best[V];
        static bool allowed[V];
        double zero = 0, whole = 0, kept = 0, sum = 0;
        int k = hows[h].top_k ? hows[h].top_k : V, count = 0;
        memset(allowed, 0, sizeof allowed);
        select_top(best, V, logp, V, &zero, 1, V);
        for (int v = 0; v < V; v++)
            whole += exp(logp[v] / hows[h].temperature);
        for (int i = 0; i < k; i++)
            kept += exp(best[i].logp / hows[h].temperature) / whole;
        while (count < k && sum < hows[h].top_p * kept - 1e-6)
            sum += exp(best[count++].logp / hows[h].temperature) / whole;
        for (int i = 0; i < count + 1 && i < k; i++)    /* one more: float sums at the edge */
            allowed[best[i].token] = true;
        bool last_seen = false;
        for (int i = 0; i < 20000; i++) {
            int32_t token = sample_token(&s, logp, V, &hows[h], &rng);
            assert_true(token >= 0 && allowed[token]);
            for (int j = count * 9 / 10; j < count; j++)
                last_seen |= token == best[j].token;
        }
        assert_true(last_seen);                         /* the tail of the choice is drawn too */
    }
    sampler_release(&s);
}

static void without_a_usable_score_nothing_is_drawn(void **state)
{
    const float nan[] = { NAN, NAN }, none[] = { -INFINITY, -INFINITY }, one[] = { -INFINITY, -7 };
    const struct sampling plain = { 1, 0, 1 }, cut = { 1, 2, .9f };
    struct sampler s = { 0 };
    struct rng rng;
    rng_seed(&rng, 1, 0);
    assert_int_equal(sample_token(&s, nan, 2, &plain, &rng), -1);
    assert_int_equal(sample_token(&s, none, 2, &cut, &rng), -1);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(sample_token(&s, one, 2, &plain, &rng), 1);
        assert_int_equal(sample_token(&s, one, 2, &cut, &rng), 1);
    }
    sampler_release(&s);
}

/* --- whole sentences --- */

static struct search_config draws(int n)
{
    struct search_config c = defaults(5, n);
    c.sampled = true;
    return c;
}

static void assert_same_sample(const struct kept *a, const struct kept *b, int i)
{
    assert_int_equal(a->length[i], b->length[i]);
    assert_memory_equal(a->ids[i], b->ids[i], sizeof(int32_t) * (size_t)a->length[i]);
    assert_true(a->logp[i] == b->logp[i] && a->score[i] == b->score[i]);
}

static void top_k_of_one_and_no_temperature_are_greedy(void **state)
{
    for (int way = 0; way < 3; way++) {
        struct stepper s = toy_stepper(9, 4, toy_random);
        struct corpus *greedy = corpus_random(40, 7), *drawn = corpus_random(40, 7);
        struct search_config config = defaults(1, 1), sampled = draws(3);
        sampled.sampling = way == 0 ? (struct sampling){ 1, 1, 1 }
                         : way == 1 ? (struct sampling){ 0, 0, 1 } : (struct sampling){ 1, 0, 0 };
        search_all(greedy, &s, &config);
        search_all(drawn, &s, &sampled);
        for (int i = 0; i < greedy->count; i++) {
            assert_int_equal(drawn->result[i].count, 3);
            for (int j = 0; j < 3; j++) {
                assert_int_equal(drawn->result[i].length[j], greedy->result[i].length[0]);
                assert_memory_equal(drawn->result[i].ids[j], greedy->result[i].ids[0],
                                    sizeof(int32_t) * (size_t)greedy->result[i].length[0]);
                assert_true(drawn->result[i].logp[j] == greedy->result[i].logp[0]);
            }
        }
        s.free(s.state);
        corpus_free(greedy);
        corpus_free(drawn);
    }
}

static void sentences_come_as_often_as_they_are_likely(void **state)
{
    struct stepper s = toy_stepper(6, 0, toy_markov);
    struct search_config config = draws(50);
    struct corpus *c = corpus_random(20, 1);
    int b = 0, a = 0, ab = 0, all = 0;
    config.max_length_offset = 20;
    for (int64_t seed = 1; seed <= 20; seed++) {
        config.seed = seed;
        search_all(c, &s, &config);
        for (int i = 0; i < c->count; i++)
            for (int j = 0; j < c->result[i].count; j++) {
                const int32_t *ids = c->result[i].ids[j];
                int length = c->result[i].length[j];
                b += length == 1 && ids[0] == 4;
                a += length == 1 && ids[0] == 3;
                ab += length == 2 && ids[0] == 3 && ids[1] == 4;
                all++;
            }
    }
    assert_int_equal(all, 20 * 20 * 50);
    assert_float_equal((double)b / all, .36, .02);
    assert_float_equal((double)a / all, .1, .012);
    assert_float_equal((double)ab / all, .135, .015);
    s.free(s.state);
    corpus_free(c);
}

static void a_line_draws_the_same_whatever_stands_around_it(void **state)
{
    struct stepper s = toy_stepper(9, 5, toy_random);
    struct corpus *alone = corpus_random(50, 6), *together = corpus_random(50, 6);
    struct search_config one = draws(1), many = draws(7);
    many.sampling = one.sampling = (struct sampling){ .9f, 6, .95f };
    one.batch_sentences = 1;
    search_all(alone, &s, &one);
    search_all(together, &s, &many);
    for (int i = 0; i < alone->count; i++)
        assert_same_sample(&alone->result[i], &together->result[i], 0);
    struct corpus *rest = corpus_random(50, 6);         /* as if 20 lines had been read before */
    memmove(rest->source, rest->source[20], sizeof rest->source[0] * 30);
    memmove(rest->length, rest->length + 20, sizeof rest->length[0] * 30);
    rest->count = 30;
    rest->first_line = 20;
    search_all(rest, &s, &many);
    for (int i = 0; i < 30; i++)
        for (int j = 0; j < 7; j++)
            assert_same_sample(&rest->result[i], &together->result[20 + i], j);
    s.free(s.state);
    corpus_free(alone);
    corpus_free(together);
    corpus_free(rest);
}

static void seeds_lines_and_samples_differ(void **state)
{
    struct stepper s = toy_stepper(9, 5, toy_random);
    struct corpus *c = corpus_random(20, 6);
    struct search_config config = draws(2);
    config.min_length = 4;
    for (int i = 1; i < 20; i++) {                      /* the same source again and again */
        memcpy(c->source[i], c->source[0], sizeof c->source[0]);
        c->length[i] = c->length[0];
    }
    search_all(c, &s, &config);
    int equal_samples = 0, equal_lines = 0, equal_seeds = 0;
    double before = c->result[3].logp[0];
    for (int i = 0; i < 20; i++) {
        equal_samples += c->result[i].logp[0] == c->result[i].logp[1];
        equal_lines += i && c->result[i].logp[0] == c->result[0].logp[0];
    }
    config.seed = 2;
    search_all(c, &s, &config);
    equal_seeds = c->result[3].logp[0] == before;
    assert_true(equal_samples < 5 && equal_lines < 5 && equal_seeds == 0);
    s.free(s.state);
    corpus_free(c);
}

static void samples_keep_prefixes_and_limits_and_their_scores_add_up(void **state)
{
    static const int32_t prefix[] = { 4, 4 };
    struct stepper s = toy_stepper(9, 21, toy_random);
    struct corpus *c = corpus_random(30, 22);
    struct search_config config = draws(6);
    config.min_length = 5;
    config.max_length_factor = 0;
    config.max_length_offset = 9;
    c->prefix = prefix;
    c->prefix_count = 2;
    search_all(c, &s, &config);
    for (int i = 0; i < c->count; i++)
        for (int j = 0; j < 6; j++) {
            const struct kept *k = &c->result[i];
            double sum = 0;
            assert_true(k->length[j] >= 5 && k->length[j] <= 9);
            assert_true(!k->cut[j] || k->length[j] == 9);
            assert_memory_equal(k->ids[j], prefix, sizeof prefix);
            for (int t = 0; t <= k->length[j]; t++)
                sum += k->token_logp[j][t];
            assert_float_equal(sum, k->logp[j], 1e-9);
        }
    s.free(s.state);
    corpus_free(c);
}

static void drawing_options_without_sampling_are_refused(void **state)
{
    struct search_config config = defaults(1, 1);
    struct error err;
    config.sampling.top_k = 5;
    assert_int_equal(search_check(&config, &err), -1);
    assert_non_null(strstr(err.text, "--sampling"));
    config.sampled = true;
    config.n_best = 40;                                 /* more than the beam: samples need none */
    assert_int_equal(search_check(&config, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_drawn_by_their_shares),
        cmocka_unit_test(a_large_vocabulary_is_drawn_from_by_the_same_rules),
        cmocka_unit_test(without_a_usable_score_nothing_is_drawn),
        cmocka_unit_test(top_k_of_one_and_no_temperature_are_greedy),
        cmocka_unit_test(sentences_come_as_often_as_they_are_likely),
        cmocka_unit_test(a_line_draws_the_same_whatever_stands_around_it),
        cmocka_unit_test(seeds_lines_and_samples_differ),
        cmocka_unit_test(samples_keep_prefixes_and_limits_and_their_scores_add_up),
        cmocka_unit_test(drawing_options_without_sampling_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
