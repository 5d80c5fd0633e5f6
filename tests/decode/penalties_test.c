/* Tests of what changes a search's preferences: groups, penalties, rewards, lengths.  By the toys'
 * own scores, so that what is told of a hypothesis must be the model's word. */
#include "tests/test.h"

#include "base/error.h"
#include "tests/decode/toy_search.h"

/* Every hypothesis' log-probabilities are what the model says of its tokens. */
static void assert_true_scores(const struct corpus *c, const struct toy *toy)
{
    for (int i = 0; i < c->count; i++)
        for (int j = 0; j < c->result[i].count; j++) {
            const struct kept *k = &c->result[i];
            int32_t prefix[MOST + 1] = { TOY_BOS };
            double sum = 0;
            memcpy(prefix + 1, k->ids[j], sizeof(int32_t) * (size_t)k->length[j]);
            for (int t = 0; t <= k->length[j]; t++) {
                float logp[16];
                struct toy_row row = { (int32_t *)c->source[i], prefix, c->length[i], t + 1, 0 };
                toy->score(toy, &row, logp);
                float expected = logp[t < k->length[j] ? k->ids[j][t] : TOY_EOS];
                assert_float_equal(k->token_logp[j][t], expected, 1e-6);
                sum += expected;
            }
            assert_float_equal(k->logp[j], sum, 1e-5);
        }
}

static bool same_hypothesis(const struct kept *a, int i, const struct kept *b, int j)
{
    return a->length[i] == b->length[j]
        && !memcmp(a->ids[i], b->ids[j], sizeof(int32_t) * (size_t)a->length[i]);
}

/* --- diverse beams --- */

static void without_diversity_every_group_is_a_beam_of_its_own(void **state)
{
    for (int groups = 2; groups <= 4; groups++)
        for (uint64_t seed = 0; seed < 8; seed++) {
            struct stepper s = toy_stepper(10, seed, toy_random);
            struct corpus *plain = corpus_random(20, seed), *grouped = corpus_random(20, seed);
            struct search_config one = defaults(3, 3), many = defaults(3 * groups, 3 * groups);
            many.groups = groups;
            many.diversity = 0;
            search_all(plain, &s, &one);
            search_all(grouped, &s, &many);
            for (int i = 0; i < plain->count; i++) {
                const struct kept *a = &plain->result[i], *b = &grouped->result[i];
                assert_true(b->count >= groups);
                for (int g = 0; g < groups; g++)
                    assert_true(same_hypothesis(a, 0, b, g) && a->logp[0] == b->logp[g]);
                for (int j = 0; j < b->count; j++) {
                    bool found = false;
                    for (int h = 0; h < a->count; h++)
                        found |= same_hypothesis(a, h, b, j);
                    /* a plain beam stops when nothing can better its n-best; a group fills up */
                    assert_true(found || b->score[j] <= a->score[a->count - 1]);
                }
            }
            s.free(s.state);
            corpus_free(plain);
            corpus_free(grouped);
        }
}

static void strong_diversity_begins_every_group_with_another_word(void **state)
{
    struct stepper s = toy_stepper(10, 3, toy_random);
    struct corpus *c = corpus_random(30, 4);
    struct search_config config = defaults(4, 4);
    config.groups = 4;
    config.diversity = 50;
    config.min_length = 2;
    search_all(c, &s, &config);
    for (int i = 0; i < c->count; i++) {
        assert_int_equal(c->result[i].count, 4);
        for (int j = 0; j < 4; j++)
            for (int other = 0; other < j; other++)
                assert_int_not_equal(c->result[i].ids[j][0], c->result[i].ids[other][0]);
    }
    assert_true_scores(c, s.state);
    s.free(s.state);
    corpus_free(c);
}

static void diverse_results_do_not_depend_on_the_batch(void **state)
{
    struct stepper s = toy_stepper(9, 5, toy_random);
    struct corpus *alone = corpus_random(40, 6), *together = corpus_random(40, 6);
    struct search_config config = defaults(6, 6);
    config.groups = 3;
    config.batch_sentences = 1;
    search_all(alone, &s, &config);
    config.batch_sentences = 16;
    search_all(together, &s, &config);
    assert_memory_equal(alone->result, together->result, sizeof *alone->result * 40);
    s.free(s.state);
    corpus_free(alone);
    corpus_free(together);
}

/* --- repetition --- */

static int repeated_ngrams(const struct kept *k, int j, int n)
{
    int count = 0;
    for (int a = 0; a + n <= k->length[j]; a++)
        for (int b = 0; b < a; b++)
            count += !memcmp(k->ids[j] + a, k->ids[j] + b, sizeof(int32_t) * (size_t)n);
    return count;
}

/* Greedy, a beam, groups, samples. */
static struct search_config way(int number)
{
    struct search_config c = number == 0 ? defaults(1, 1) : defaults(6, 6);
    c.groups = number == 2 ? 2 : 1;
    c.sampled = number == 3;
    c.max_length_factor = 3;
    c.min_length = 4;
    return c;
}

static void blocked_ngrams_never_come_twice(void **state)
{
    for (int number = 0; number < 4; number++)
        for (int n = 1; n <= 3; n++) {
            struct stepper s = toy_stepper(12, 7, toy_random);
            struct corpus *c = corpus_random(40, 8);
            struct search_config config = way(number);
            int before = 0;
            search_all(c, &s, &config);
            for (int i = 0; i < c->count; i++)
                for (int j = 0; j < c->result[i].count; j++)
                    before += repeated_ngrams(&c->result[i], j, n);
            config.no_repeat = n;
            search_all(c, &s, &config);
            assert_true(before > 0 || n == 3);
            for (int i = 0; i < c->count; i++)
                for (int j = 0; j < c->result[i].count; j++)
                    assert_int_equal(repeated_ngrams(&c->result[i], j, n), 0);
            assert_true_scores(c, s.state);
            s.free(s.state);
            corpus_free(c);
        }
}

static void penalised_repetition_becomes_rare(void **state)
{
    for (int number = 0; number < 4; number++) {
        struct stepper s = toy_stepper(12, 7, toy_random);
        struct corpus *c = corpus_random(40, 8);
        struct search_config config = way(number);
        int repeats[3];
        for (int p = 0; p < 3; p++) {
            config.repetition = p == 0 ? 1 : p == 1 ? 1.3f : 100;
            search_all(c, &s, &config);
            repeats[p] = 0;
            for (int i = 0; i < c->count; i++)
                for (int j = 0; j < c->result[i].count; j++)
                    repeats[p] += repeated_ngrams(&c->result[i], j, 1);
            assert_true_scores(c, s.state);
        }
        assert_true(repeats[1] < repeats[0] && repeats[2] < repeats[1] / 4 + 3);
        s.free(s.state);
        corpus_free(c);
    }
}

/* Greedy, told again: the score of a token that came before is doubled, being negative. */
static void the_repetition_penalty_is_as_computed_by_hand(void **state)
{
    struct stepper s = toy_stepper(9, 7, toy_random);
    struct corpus *c = corpus_random(20, 8);
    struct search_config config = defaults(1, 1);
    config.repetition = 2;
    search_all(c, &s, &config);
    for (int i = 0; i < c->count; i++) {
        const struct kept *k = &c->result[i];
        int32_t prefix[MOST] = { TOY_BOS };
        double penalised = 0;
        for (int t = 0; t <= k->length[0]; t++) {
            struct toy_row row = { c->source[i], prefix, c->length[i], t + 1, 0 };
            float logp[16];
            int best = TOY_EOS;
            toy_random(s.state, &row, logp);
            for (int v = 3; v < 9; v++)
                for (int j = 1; j <= t; j++)
                    if (prefix[j] == v) {
                        logp[v] *= 2;
                        break;
                    }
            for (int v = 0; v < 9; v++)
                best = logp[v] > logp[best] ? v : best;
            if (t < k->length[0])
                assert_int_equal(k->ids[0][t], best);
            penalised += logp[t < k->length[0] ? k->ids[0][t] : TOY_EOS];
            prefix[t + 1] = k->ids[0][t];
        }
        assert_float_equal(k->score[0], search_score(&config, penalised, k->length[0] + 1), 1e-5);
    }
    s.free(s.state);
    corpus_free(c);
}

/* --- rewards and coverage: a wide beam against all there is --- */

struct exhaustive {
    struct toy *toy;
    struct toy_row row;
    const struct search_config *config;
    double cover[8], best;
    int32_t ids[MOST];
    int length, limit;
};

static void exhaust(struct exhaustive *e, double logp)
{
    float next[16], weight[8];
    double cover[8];
    int length = e->row.prefix_count - 1, S = e->row.source_count;
    e->toy->score(e->toy, &e->row, next);
    toy_weights(weight, &e->row);
    memcpy(cover, e->cover, sizeof cover);
    for (int i = 0; i < S; i++)
        e->cover[i] += weight[i];
    double score = search_score(e->config, logp + next[TOY_EOS], length + 1)
                 + (e->config->coverage ? search_coverage(e->config, e->cover, S - 1) : 0);
    if (score > e->best) {
        e->best = score;
        e->length = length;
        memcpy(e->ids, e->row.prefix + 1, sizeof(int32_t) * (size_t)length);
    }
    for (int v = 3; v < e->toy->vocab && length < e->limit; v++) {
        e->row.prefix[e->row.prefix_count++] = v;
        exhaust(e, logp + next[v]);
        e->row.prefix_count--;
    }
    memcpy(e->cover, cover, sizeof cover);
}

static void a_wide_beam_finds_the_best_by_reward_and_coverage(void **state)
{
    static const float rewards[] = { 0, .7f, -.7f, 0, 2 }, coverages[] = { .5f, 0, 0, 3, .2f };
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct stepper s = toy_stepper(6, seed, toy_random);
        struct corpus *c = corpus_random(5, seed);
        struct search_config config = defaults(400, 1);
        config.max_length_factor = 0;
        config.max_length_offset = 4;
        config.length_penalty = (int)(seed % 3);
        config.reward = rewards[seed % 5];
        config.coverage = coverages[seed % 5];
        search_all(c, &s, &config);
        for (int i = 0; i < c->count; i++) {
            int32_t prefix[MOST] = { TOY_BOS };
            struct exhaustive e = { .toy = s.state, .row = { c->source[i], prefix, c->length[i], 1, 0 },
                                    .config = &config, .best = -INFINITY, .limit = 4 };
            exhaust(&e, 0);
            assert_float_equal(c->result[i].score[0], e.best, 1e-5);
            assert_int_equal(c->result[i].length[0], e.length);
            assert_memory_equal(c->result[i].ids[0], e.ids, sizeof(int32_t) * (size_t)e.length);
        }
        s.free(s.state);
        corpus_free(c);
    }
}

static void coverage_is_as_computed_by_hand(void **state)
{
    const double cover[] = { 1, .5, 3, .25 };
    struct search_config config = defaults(1, 1);
    config.coverage = .2f;
    assert_float_equal(search_coverage(&config, cover, 4), .2 * (log(.5) + log(.25)), 1e-6);
    assert_float_equal(search_coverage(&config, cover, 1), 0, 1e-9);
}

static void every_token_comes_with_its_attention_when_watched(void **state)
{
    for (int number = 0; number < 4; number++) {
        struct stepper s = toy_stepper(9, 5, toy_random);
        struct corpus *c = corpus_random(40, 6);
        struct search_config config = way(number);
        config.watched = true;
        search_all(c, &s, &config);
        for (int i = 0; i < c->count; i++)
            for (int j = 0; j < c->result[i].count; j++) {
                const struct kept *k = &c->result[i];
                int32_t prefix[MOST + 1] = { TOY_BOS };
                memcpy(prefix + 1, k->ids[j], sizeof(int32_t) * (size_t)k->length[j]);
                for (int t = 0; t <= k->length[j]; t++) {
                    struct toy_row row = { c->source[i], prefix, c->length[i], t + 1, 0 };
                    float weight[8];
                    toy_weights(weight, &row);
                    assert_memory_equal(k->attention[j][t], weight,
                                        sizeof(float) * (size_t)c->length[i]);
                }
            }
        s.free(s.state);
        corpus_free(c);
    }
}

/* --- lengths --- */

static void outputs_are_as_long_as_their_sources_ask(void **state)
{
    for (int number = 0; number < 4; number++) {
        struct stepper s = toy_stepper(9, 5, toy_random);
        struct corpus *c = corpus_random(40, 6);
        struct search_config config = way(number);
        config.min_length = 1;
        config.min_length_factor = 1.5f;
        config.max_length_factor = 2;
        config.max_length_offset = 3;
        search_all(c, &s, &config);
        for (int i = 0; i < c->count; i++)
            for (int j = 0; j < c->result[i].count; j++) {
                int S = c->length[i] - 1, least = S * 3 / 2 > 1 ? S * 3 / 2 : 1;
                assert_true(c->result[i].length[j] >= least && c->result[i].length[j] <= 2 * S + 3);
            }
        s.free(s.state);
        corpus_free(c);
    }
}

/* --- what makes no sense --- */

static void options_that_do_not_go_together_are_refused(void **state)
{
    static const struct { const char *options[8], *told; } cases[] = {
        { { "beam", "4", "n-best", "5" }, "--n-best 5" },
        { { "beam", "5", "beam-groups", "2" }, "2 groups" },
        { { "sampling-top-p", "0.5" }, "--sampling" },
        { { "sampling", "true", "beam-groups", "5" }, "--beam-groups" },
        { { "min-length", "9", "max-length", "8" }, "--min-length 9" },
        { { "mbr", "chrf" }, "--n-best" },
        { { "beam", "6", "beam-groups", "3", "n-best", "6", "mbr", "bleu" }, NULL },
        { { "sampling", "true", "n-best", "40", "sampling-top-k", "10", "mbr", "chrf" }, NULL },
        { { "min-length", "8", "max-length", "8", "no-repeat-ngram", "3" }, NULL },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct search_config c = { 0 };
        struct error err = { "" };
        const struct option_group groups[] = { { NULL, search_options, &c }, { 0 } };
        options_default(groups);
        for (int o = 0; o < 8 && cases[i].options[o]; o += 2)
            if (options_set(groups, cases[i].options[o], cases[i].options[o + 1], &err) < 0)
                fail_msg("%s", err.text);
        int ret = search_check(&c, &err);
        assert_int_equal(ret, cases[i].told ? -1 : 0);
        if (cases[i].told && !strstr(err.text, cases[i].told))
            fail_msg("'%s' does not tell of %s", err.text, cases[i].told);
        options_release(groups);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_diversity_every_group_is_a_beam_of_its_own),
        cmocka_unit_test(strong_diversity_begins_every_group_with_another_word),
        cmocka_unit_test(diverse_results_do_not_depend_on_the_batch),
        cmocka_unit_test(blocked_ngrams_never_come_twice),
        cmocka_unit_test(penalised_repetition_becomes_rare),
        cmocka_unit_test(the_repetition_penalty_is_as_computed_by_hand),
        cmocka_unit_test(a_wide_beam_finds_the_best_by_reward_and_coverage),
        cmocka_unit_test(coverage_is_as_computed_by_hand),
        cmocka_unit_test(every_token_comes_with_its_attention_when_watched),
        cmocka_unit_test(outputs_are_as_long_as_their_sources_ask),
        cmocka_unit_test(options_that_do_not_go_together_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
