/* Tests of decode/search.h on toys: hand-computed cases, exhaustive search, a plain reference. */
#include "tests/test.h"

#include "base/error.h"
#include "base/memory.h"
#include "decode/search.h"
#include "tests/decode/toy_search.h"

/* --- the Markov chain of three words, by hand --- */

static struct kept markov(struct search_config config)
{
    struct stepper s = toy_stepper(6, 0, toy_markov);
    struct corpus *c = corpus_random(1, 1);
    c->length[0] = 3;
    c->source[0][0] = c->source[0][1] = 3;
    c->source[0][2] = TOY_EOS;
    search_all(c, &s, &config);
    struct kept kept = c->result[0];
    s.free(s.state);
    corpus_free(c);
    return kept;
}

static void check_words(const struct kept *k, int i, const char *words, double p)
{
    char text[MOST + 1] = "";
    for (int j = 0; j < k->length[i]; j++)
        text[j] = (char)('A' + k->ids[i][j] - 3);
    assert_string_equal(text, words);
    assert_float_equal(exp(k->logp[i]), p, 1e-6);
}

static void greedy_goes_astray_where_a_beam_does_not(void **state)
{
    struct search_config config = defaults(1, 1);
    config.length_penalty = PENALTY_NONE;
    struct kept k = markov(config);             /* limit 1.5 × 2 + 2 = 5 */
    check_words(&k, 0, "AAAAA", .5 * .3 * .3 * .3 * .3 * .2);
    assert_true(k.cut[0]);
    config.beam = 2;
    k = markov(config);
    check_words(&k, 0, "B", .4 * .9);
    assert_false(k.cut[0]);
}

static void n_best_lists_are_the_likeliest_in_order(void **state)
{
    struct search_config config = defaults(100, 4);
    config.length_penalty = PENALTY_NONE;
    struct kept k = markov(config);
    assert_int_equal(k.count, 4);
    check_words(&k, 0, "B", .4 * .9);
    check_words(&k, 1, "AB", .5 * .3 * .9);
    check_words(&k, 2, "A", .5 * .2);
    check_words(&k, 3, "C", .1 * .7 + 0);       /* AC is .5 × .2 × .7 too, and finishes later */
}

static void length_penalties_are_as_computed_by_hand(void **state)
{
    struct search_config config = defaults(2, 1);
    static const struct { int kind; float alpha; int length; double score; } cases[] = {
        { PENALTY_NONE, 1, 10, -12 },
        { PENALTY_LENGTH, 1, 10, -1.2 },
        { PENALTY_LENGTH, 0, 10, -12 },
        { PENALTY_LENGTH, 0.5f, 16, -3 },
        { PENALTY_LENGTH, 2, 2, -3 },
        { PENALTY_GNMT, 1, 7, -6 },             /* (5 + 7) / 6 = 2 */
        { PENALTY_GNMT, 2, 13, -12.0 / 9 },     /* 3² */
        { PENALTY_GNMT, 0.5f, 19, -6 },         /* √4 */
        { PENALTY_GNMT, 0, 19, -12 },
        { PENALTY_GNMT, 1, 1, -12 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        config.length_penalty = cases[i].kind;
        config.alpha = cases[i].alpha;
        assert_float_equal(search_score(&config, -12, cases[i].length), cases[i].score, 1e-9);
    }
    config.length_penalty = PENALTY_LENGTH;
    assert_true(search_score(&config, -INFINITY, 3) == -INFINITY);
}

static void length_penalty_prefers_longer_output(void **state)
{
    struct search_config config = defaults(100, 1);
    config.length_penalty = PENALTY_LENGTH;
    config.alpha = 1;
    struct kept k = markov(config);             /* B: ln .36 / 2 = -.51; AB: ln .135 / 3 = -.67 */
    check_words(&k, 0, "B", .36);
    assert_float_equal(k.score[0], log(.36) / 2, 1e-6);
    config.alpha = 3;                           /* AAAAB: ln .0036 / 6³ = -.026; B: -.128 */
    k = markov(config);
    assert_int_equal(k.length[0], 5);
    assert_float_equal(k.score[0], k.logp[0] / 216, 1e-9);
}

/* --- exhaustive search --- */

struct exhaustive {
    struct toy *toy;
    struct toy_row row;
    const struct search_config *config;
    int limit;
    double best;
    int32_t ids[MOST];
    int length;
};

static void exhaust(struct exhaustive *e, double logp)
{
    float next[16];
    int length = e->row.prefix_count - 1;       /* without <s> */
    e->toy->score(e->toy, &e->row, next);
    double score = search_score(e->config, logp + next[TOY_EOS], length + 1);
    if (length >= e->config->min_length && score > e->best) {
        e->best = score;
        e->length = length;
        memcpy(e->ids, e->row.prefix + 1, sizeof(int32_t) * (size_t)length);
    }
    if (length == e->limit)
        return;
    for (int v = 3; v < e->toy->vocab; v++) {
        e->row.prefix[e->row.prefix_count++] = v;
        exhaust(e, logp + next[v]);
        e->row.prefix_count--;
    }
}

static void a_very_wide_beam_equals_exhaustive_search(void **state)
{
    for (uint64_t seed = 0; seed < 12; seed++) {
        struct stepper s = toy_stepper(6, seed, toy_random);
        struct corpus *c = corpus_random(5, seed);
        struct search_config config = defaults(400, 1);         /* 3 + 9 + 27 + 81 + 243 prefixes */
        config.max_length_factor = 0.2f;
        config.max_length_offset = 4;
        config.length_penalty = (int)(seed % 3);
        config.alpha = seed % 2 ? 1 : 0.4f;
        config.min_length = seed % 4 == 3 ? 2 : 0;
        search_all(c, &s, &config);
        for (int i = 0; i < c->count; i++) {
            int32_t prefix[MOST] = { TOY_BOS };
            struct exhaustive e = { s.state, { c->source[i], prefix, c->length[i], 1, 0 }, &config,
                                    search_limit(&config, c->length[i] - 1), -INFINITY };
            exhaust(&e, 0);
            assert_true(c->result[i].score[0] == e.best);
            assert_int_equal(c->result[i].length[0], e.length);
            assert_memory_equal(c->result[i].ids[0], e.ids, sizeof(int32_t) * (size_t)e.length);
        }
        s.free(s.state);
        corpus_free(c);
    }
}

/* --- a reference: the rules of search.h told again, one sentence at a time, sorting all --- */

struct item {
    double logp, score;
    int32_t ids[MOST];
    int length, parent, token;
};

static int better(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    if (x->logp != y->logp)
        return x->logp > y->logp ? -1 : 1;
    if (x->parent != y->parent)
        return x->parent - y->parent;
    return x->token - y->token;
}

static int reference(struct item *done, const struct toy *toy, const int32_t *source, int count,
                     const struct search_config *config)
{
    static struct item live[64], all[64 * 16];
    int k = config->beam, alive = 1, ended = 0, limit = search_limit(config, count - 1);
    live[0] = (struct item){ .logp = 0 };
    for (int step = 0; alive && ended < k; step++) {
        int n = 0, next = 0;
        for (int r = 0; r < alive; r++) {
            int32_t prefix[MOST] = { TOY_BOS };
            float logp[16];
            memcpy(prefix + 1, live[r].ids, sizeof(int32_t) * (size_t)live[r].length);
            struct toy_row row = { (int32_t *)source, prefix, count, live[r].length + 1, 0 };
            toy->score(toy, &row, logp);
            for (int v = 0; v < toy->vocab; v++) {
                bool eos = v == TOY_EOS;
                if (!(logp[v] > -INFINITY) || (eos && step < config->min_length && step < limit)
                    || (!eos && step == limit))
                    continue;
                all[n] = live[r];
                all[n].parent = r;
                all[n].token = v;
                all[n].logp += logp[v];
                all[n++].ids[live[r].length] = v;
            }
        }
        qsort(all, (size_t)n, sizeof *all, better);
        for (int i = 0; i < n && i < 2 * k && next < k; i++) {
            if (all[i].token != TOY_EOS) {
                live[next] = all[i];
                live[next++].length++;
            } else if (i < k) {
                done[ended] = all[i];
                done[ended++].score = search_score(config, all[i].logp, all[i].length + 1);
            }
        }
        alive = next;
    }
    for (int i = 1; i < ended; i++)                     /* stable */
        for (int j = i; j > 0 && done[j - 1].score < done[j].score; j--) {
            struct item swap = done[j];
            done[j] = done[j - 1];
            done[j - 1] = swap;
        }
    return ended < config->n_best ? ended : config->n_best;
}

static void search_equals_a_plain_reference_for_every_beam_greedy_included(void **state)
{
    static struct item done[128];
    for (uint64_t seed = 0; seed < 30; seed++)
        for (int beam = 1; beam <= 9; beam++) {
            struct stepper s = toy_stepper(10, seed, toy_random);
            struct corpus *c = corpus_random(20, seed + 100);
            struct search_config config = defaults(beam, 1 + (int)(seed % (uint64_t)beam));
            config.length_penalty = (int)(seed % 3);
            config.min_length = (int)(seed % 5) / 2;
            search_all(c, &s, &config);
            for (int i = 0; i < c->count; i++) {
                const struct kept *k = &c->result[i];
                int n = reference(done, s.state, c->source[i], c->length[i], &config);
                assert_int_equal(k->count, n);
                for (int j = 0; j < n; j++) {
                    assert_true(k->score[j] == done[j].score && k->logp[j] == done[j].logp);
                    assert_int_equal(k->length[j], done[j].length);
                    assert_memory_equal(k->ids[j], done[j].ids,
                                        sizeof(int32_t) * (size_t)k->length[j]);
                }
            }
            s.free(s.state);
            corpus_free(c);
        }
}

/* --- the batch --- */

static void results_do_not_depend_on_the_batch(void **state)
{
    static const int sentences[] = { 2, 3, 7, 64 }, tokens[] = { 1, 40, 100, 8192 };
    for (int beam = 1; beam <= 4; beam += 3)
        for (size_t t = 0; t < ARRAY_COUNT(tokens); t++)
            for (size_t i = 0; i < ARRAY_COUNT(sentences); i++) {
                struct stepper s = toy_stepper(9, 5, toy_random);
                struct corpus *alone = corpus_random(50, 6), *together = corpus_random(50, 6);
                struct search_config config = defaults(beam, beam);
                config.batch_sentences = 1;
                search_all(alone, &s, &config);
                config.batch_sentences = sentences[i];
                config.batch_tokens = tokens[t];
                search_all(together, &s, &config);
                assert_memory_equal(alone->result, together->result,
                                    sizeof *alone->result * (size_t)alone->count);
                s.free(s.state);
                corpus_free(alone);
                corpus_free(together);
            }
}

static void finished_sentences_leave_and_new_ones_take_their_place(void **state)
{
    struct stepper s = toy_stepper(9, 5, toy_copies);
    struct toy *toy = s.state;
    struct corpus *c = corpus_random(50, 6);
    struct search_config config = defaults(1, 1);
    config.batch_sentences = 8;
    struct search_stats stats = search_all(c, &s, &config);
    long tokens = 0;
    for (int i = 0; i < c->count; i++) {
        assert_int_equal(c->result[i].length[0], c->length[i] - 1);
        tokens += c->length[i];
    }
    assert_int_equal(toy->admitted, 50);
    assert_int_equal(toy->most_rows, 8);
    assert_int_equal(toy->rows_stepped, tokens);        /* no row outlives its sentence */
    assert_int_equal(stats.rows, tokens);
    assert_int_equal(stats.tokens, tokens);
    assert_int_equal(stats.steps, toy->steps);
    assert_true(toy->steps < tokens / 8 * 3 / 2);       /* the batch stays nearly full */
    assert_int_equal(toy->count, 0);                    /* cleared */
    s.free(s.state);
    corpus_free(c);
}

static void batch_tokens_bound_what_runs_at_once(void **state)
{
    struct stepper s = toy_stepper(9, 5, toy_copies);
    struct toy *toy = s.state;
    struct corpus *c = corpus_random(50, 6);
    struct search_config config = defaults(3, 1);
    config.batch_tokens = 21 * 3;
    search_all(c, &s, &config);
    assert_true(toy->most_rows <= 10 * 3);              /* sentences of two tokens at least */
    config.batch_tokens = 1;
    toy->most_rows = 0;
    search_all(c, &s, &config);
    assert_int_equal(toy->most_rows, 3);                /* one always fits */
    s.free(s.state);
    corpus_free(c);
}

static void a_search_runs_again_without_a_trace_of_the_last_run(void **state)
{
    struct stepper s = toy_stepper(9, 5, toy_random);
    struct corpus *once = corpus_random(30, 6), *again = corpus_random(30, 6);
    struct search_config config = defaults(3, 2);
    search_all(once, &s, &config);
    struct search *search = search_new(&s, &config);
    for (int i = 0; i < 3; i++) {
        again->next = 0;
        memset(again->result, 0, sizeof *again->result * 30);
        search_run(search, &(struct search_feed){ again, corpus_next, corpus_done });
        assert_memory_equal(once->result, again->result, sizeof *once->result * 30);
    }
    assert_int_equal(search_stats(search)->sentences, 90);
    search_free(search);
    s.free(s.state);
    corpus_free(once);
    corpus_free(again);
}

/* --- laws of the results --- */

static void hypotheses_are_sorted_distinct_and_their_scores_add_up(void **state)
{
    struct stepper s = toy_stepper(9, 11, toy_random);
    struct corpus *c = corpus_random(40, 12);
    struct search_config config = defaults(8, 8);
    search_all(c, &s, &config);
    for (int i = 0; i < c->count; i++) {
        const struct kept *k = &c->result[i];
        assert_int_equal(k->count, 8);
        for (int j = 0; j < k->count; j++) {
            double sum = 0;
            for (int t = 0; t <= k->length[j]; t++)
                sum += k->token_logp[j][t];
            assert_float_equal(sum, k->logp[j], 1e-9);
            assert_true(k->score[j] == search_score(&config, k->logp[j], k->length[j] + 1));
            assert_true(j == 0 || k->score[j - 1] >= k->score[j]);
            for (int other = 0; other < j; other++)
                assert_false(k->length[other] == k->length[j]
                             && !memcmp(k->ids[other], k->ids[j],
                                        sizeof(int32_t) * (size_t)k->length[j]));
        }
    }
    s.free(s.state);
    corpus_free(c);
}

static void lengths_stay_within_their_limits(void **state)
{
    for (int beam = 1; beam <= 5; beam += 4)
        for (int min = 0; min < 12; min += 3) {
            struct stepper s = toy_stepper(6, 3, toy_random);
            struct corpus *c = corpus_random(40, 13);
            struct search_config config = defaults(beam, beam);
            config.min_length = min;
            config.max_length_factor = 1;
            config.max_length_offset = 3;
            search_all(c, &s, &config);
            for (int i = 0; i < c->count; i++)
                for (int j = 0; j < c->result[i].count; j++) {
                    int limit = c->length[i] - 1 + 3, length = c->result[i].length[j];
                    assert_true(length <= limit);
                    assert_true(length >= (min < limit ? min : limit));
                    assert_true(!c->result[i].cut[j] || length == limit);
                }
            s.free(s.state);
            corpus_free(c);
        }
}

static void limits_are_factor_times_tokens_plus_offset(void **state)
{
    struct search_config config = defaults(1, 1);
    config.max_length_factor = 1.5f;
    config.max_length_offset = 10;
    assert_int_equal(search_limit(&config, 0), 10);
    assert_int_equal(search_limit(&config, 5), 17);
    config.max_length_factor = 0;
    config.max_length_offset = 0;
    assert_int_equal(search_limit(&config, 100), 1);
    config.max_length_factor = 1000;
    assert_true(search_limit(&config, 2000000000) > 100000000);
}

static void given_prefixes_are_kept_and_whole_ones_only_scored(void **state)
{
    static const int32_t prefix[] = { 4, 4, 5, TOY_EOS };
    struct stepper s = toy_stepper(9, 21, toy_random);
    for (int beam = 1; beam <= 4; beam += 3) {
        struct corpus *c = corpus_random(10, 22);
        struct search_config config = defaults(beam, 1);
        config.max_length_factor = 0;
        config.max_length_offset = 1;           /* a prefix may exceed the limit */
        c->prefix = prefix;
        c->prefix_count = 4;
        search_all(c, &s, &config);
        for (int i = 0; i < c->count; i++) {
            double expected = 0;
            int32_t fed[8] = { TOY_BOS, 4, 4, 5 };
            for (int t = 0; t < 4; t++) {
                float logp[9];
                struct toy_row row = { c->source[i], fed, c->length[i], t + 1, 0 };
                toy_random(s.state, &row, logp);
                expected += logp[prefix[t]];
                assert_true(c->result[i].token_logp[0][t] == logp[prefix[t]]);
            }
            assert_int_equal(c->result[i].length[0], 3);
            assert_true(c->result[i].logp[0] == expected);
            assert_false(c->result[i].cut[0]);
        }
        c->prefix_count = 2;
        config.max_length_offset = 12;
        search_all(c, &s, &config);
        for (int i = 0; i < c->count; i++) {
            assert_true(c->result[i].length[0] >= 2);
            assert_memory_equal(c->result[i].ids[0], prefix, sizeof(int32_t) * 2);
        }
        corpus_free(c);
    }
    s.free(s.state);
}

/* --- broken models --- */

static void only_nan(const struct toy *t, const struct toy_row *row, float *logp)
{
    for (int v = 0; v < t->vocab; v++)
        logp[v] = row->prefix_count < 3 && v == 4 ? -1 : NAN;
}

static void a_model_without_usable_scores_gives_a_marked_hypothesis(void **state)
{
    struct stepper s = toy_stepper(9, 0, only_nan);
    for (int beam = 1; beam <= 4; beam += 3) {
        struct corpus *c = corpus_random(10, 1);
        struct search_config config = defaults(beam, beam);
        search_all(c, &s, &config);
        for (int i = 0; i < c->count; i++) {
            assert_true(c->result[i].cut[0]);
            assert_true(c->result[i].logp[0] == -INFINITY);
            assert_int_equal(c->result[i].length[0], 2);
        }
        corpus_free(c);
    }
    s.free(s.state);
}

static void n_best_beyond_the_beam_is_refused(void **state)
{
    struct error err;
    struct search_config config = defaults(4, 5);
    assert_int_equal(search_check(&config, &err), -1);
    assert_non_null(strstr(err.text, "--n-best 5"));
    config.n_best = 4;
    assert_int_equal(search_check(&config, &err), 0);
}

/* The token that each sentence would begin with is declared special. */
static void special_tokens_are_chosen_only_when_asked(void **state)
{
    for (int beam = 1; beam <= 3; beam += 2) {
        struct search_config config = defaults(beam, 1);
        struct stepper s = toy_stepper(6, 0, toy_markov);
        struct corpus *c = corpus_random(1, 1);
        search_all(c, &s, &config);
        int32_t first = c->result[0].ids[0][0];
        assert_true(c->result[0].length[0] > 0);
        s.special = &first;
        s.special_count = 1;
        search_all(c, &s, &config);
        for (int i = 0; i < c->result[0].length[0]; i++)
            assert_int_not_equal(c->result[0].ids[0][i], first);
        config.allow_unk = true;
        search_all(c, &s, &config);
        assert_int_equal(c->result[0].ids[0][0], first);
        corpus_free(c);
        s.free(s.state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greedy_goes_astray_where_a_beam_does_not),
        cmocka_unit_test(n_best_lists_are_the_likeliest_in_order),
        cmocka_unit_test(length_penalties_are_as_computed_by_hand),
        cmocka_unit_test(length_penalty_prefers_longer_output),
        cmocka_unit_test(a_very_wide_beam_equals_exhaustive_search),
        cmocka_unit_test(search_equals_a_plain_reference_for_every_beam_greedy_included),
        cmocka_unit_test(results_do_not_depend_on_the_batch),
        cmocka_unit_test(finished_sentences_leave_and_new_ones_take_their_place),
        cmocka_unit_test(batch_tokens_bound_what_runs_at_once),
        cmocka_unit_test(a_search_runs_again_without_a_trace_of_the_last_run),
        cmocka_unit_test(hypotheses_are_sorted_distinct_and_their_scores_add_up),
        cmocka_unit_test(lengths_stay_within_their_limits),
        cmocka_unit_test(limits_are_factor_times_tokens_plus_offset),
        cmocka_unit_test(given_prefixes_are_kept_and_whole_ones_only_scored),
        cmocka_unit_test(a_model_without_usable_scores_gives_a_marked_hypothesis),
        cmocka_unit_test(special_tokens_are_chosen_only_when_asked),
        cmocka_unit_test(n_best_beyond_the_beam_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
