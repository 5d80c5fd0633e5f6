/* Tests of search under a shortlist: it equals a search over a whole vocabulary in which all other
 * tokens are impossible, for every sentence and whoever shares its batch. */
#include "tests/test.h"

#include "base/error.h"
#include "decode/lexicon.h"
#include "decode/vocabulary.h"
#include "tests/decode/toy_search.h"
#include "tests/decode/toy_tokenizer.h"

static struct tokenizer *tokenizer;
static struct shortlist *list;

/* Source pieces 3 … 7, which are the toys', may become a few of the first 40 target pieces. */
static int make_list(void **state)
{
    struct error err;
    struct rng rng;
    const char *path = scratch_path("toy.sl");
    tokenizer = toy_tokenizer();
    if (!tokenizer)
        return -1;
    int V = tokenizer_vocab(tokenizer);
    struct lexicon x = { .source_vocab = V, .target_vocab = V };
    static int32_t target[8][6];
    static float p[8][6];
    x.rows = xcalloc((size_t)V, sizeof *x.rows);
    x.target_count = xcalloc((size_t)V, sizeof *x.target_count);
    rng_seed(&rng, 1, 0);
    for (int s = 3; s < 8; s++) {
        for (int i = 0; i < 6; i++) {
            target[s][i] = 3 + 6 * i + (int32_t)rng_below(&rng, 6);
            p[s][i] = .3f - .02f * (float)i;
        }
        x.rows[s] = (struct lexicon_row){ 6, target[s], p[s] };
    }
    x.target_count[20] = 9;
    x.target_count[50] = 8;
    if (shortlist_write(path, &x, 1, tokenizer, tokenizer, &(struct shortlist_prune){ 5, 2, 0 }, &err) == 0)
        list = shortlist_open(path, &err);
    free(x.rows);
    free(x.target_count);
    return list ? 0 : -1;
}

static int drop_list(void **state)
{
    shortlist_close(list);
    tokenizer_free(tokenizer);
    return 0;
}

static const struct shortlist_config limits = { 4, 2 };

/* The toy's scores with all but the candidates impossible, and the rest made to sum to one. */
static void only_candidates(const struct toy *t, const struct toy_row *row, float *logp)
{
    uint64_t set[8] = { 0 };
    double sum = 0;
    shortlist_candidates(set, list, row->source, row->source_count, &limits);
    set_add(set, TOY_EOS);
    set[0] &= ~UINT64_C(3);                             /* <unk> and <s>: see `special` below */
    toy_random(t, row, logp);
    for (int v = 0; v < t->vocab; v++)
        sum += set[v / 64] >> (v % 64) & 1 ? exp(logp[v]) : 0;
    for (int v = 0; v < t->vocab; v++)
        logp[v] = set[v / 64] >> (v % 64) & 1 ? logp[v] - (float)log(sum) : -INFINITY;
}

static struct search_config under_list(int number, bool listed)
{
    struct search_config c = number == 0 ? defaults(1, 1) : defaults(6, 4);
    c.groups = number == 2 ? 2 : 1;
    c.sampled = number == 3;
    c.repetition = number == 1 ? 1.2f : 1;
    c.no_repeat = number == 2 ? 2 : 0;
    c.shortlist_limits = limits;
    c.tokens = listed ? list : NULL;
    return c;
}

static const int32_t special[] = { 0, 1 };

static struct stepper toy(void (*score)(const struct toy *, const struct toy_row *, float *))
{
    struct stepper s = toy_stepper(tokenizer_vocab(tokenizer), 3, score);
    s.special = special;
    s.special_count = 2;
    return s;
}

static void a_shortlist_is_a_vocabulary_with_the_rest_impossible(void **state)
{
    for (int number = 0; number < 3; number++) {
        struct stepper whole = toy(only_candidates), listed = toy(toy_random);
        struct corpus *a = corpus_random(40, 7), *b = corpus_random(40, 7);
        struct search_config plain = under_list(number, false), limited = under_list(number, true);
        search_all(a, &whole, &plain);
        search_all(b, &listed, &limited);
        for (int i = 0; i < a->count; i++) {
            assert_int_equal(a->result[i].count, b->result[i].count);
            for (int j = 0; j < a->result[i].count; j++) {
                assert_int_equal(a->result[i].length[j], b->result[i].length[j]);
                assert_memory_equal(a->result[i].ids[j], b->result[i].ids[j],
                                    sizeof(int32_t) * (size_t)a->result[i].length[j]);
                assert_float_equal(a->result[i].logp[j], b->result[i].logp[j], 1e-4);
            }
        }
        whole.free(whole.state);
        listed.free(listed.state);
        corpus_free(a);
        corpus_free(b);
    }
}

static void candidates_of_others_change_nothing(void **state)
{
    for (int number = 0; number < 4; number++) {
        struct stepper s = toy(toy_random);
        struct corpus *alone = corpus_random(50, 6), *together = corpus_random(50, 6);
        struct search_config config = under_list(number, true);
        config.batch_sentences = 1;
        search_all(alone, &s, &config);
        for (config.batch_sentences = 3; config.batch_sentences <= 50; config.batch_sentences += 16) {
            search_all(together, &s, &config);
            assert_memory_equal(alone->result, together->result, sizeof *alone->result * 50);
        }
        s.free(s.state);
        corpus_free(alone);
        corpus_free(together);
    }
}

static void outputs_hold_candidates_and_given_prefixes_only(void **state)
{
    static const int32_t prefix[] = { 300, 0 };         /* no candidates of anything */
    for (int number = 0; number < 4; number++) {
        struct stepper s = toy(toy_random);
        struct corpus *c = corpus_random(30, 9);
        struct search_config config = under_list(number, true);
        config.min_length = 4;
        c->prefix = prefix;
        c->prefix_count = 2;
        search_all(c, &s, &config);
        for (int i = 0; i < c->count; i++)
            for (int j = 0; j < c->result[i].count; j++) {
                uint64_t set[8] = { 0 };
                shortlist_candidates(set, list, c->source[i], c->length[i], &limits);
                set_add(set, 300);
                assert_memory_equal(c->result[i].ids[j], prefix, sizeof prefix);
                for (int t = 2; t < c->result[i].length[j]; t++) {
                    int32_t id = c->result[i].ids[j][t];
                    assert_true(id != 0 && (set[id / 64] >> (id % 64) & 1));
                }
            }
        s.free(s.state);
        corpus_free(c);
    }
}

static void the_whole_vocabulary_comes_back_after_the_search(void **state)
{
    struct stepper s = toy(toy_random);
    struct corpus *before = corpus_random(20, 9), *after = corpus_random(20, 9);
    struct search_config plain = under_list(1, false), limited = under_list(1, true);
    search_all(before, &s, &plain);
    search_all(after, &s, &limited);
    search_all(after, &s, &plain);
    assert_memory_equal(before->result, after->result, sizeof *before->result * 20);
    s.free(s.state);
    corpus_free(before);
    corpus_free(after);
}

static void ids_are_found_where_they_are(void **state)
{
    static const int32_t ids[] = { 2, 5, 6, 11, 40 };
    for (int i = 0; i < 5; i++)
        assert_int_equal(ids_find(ids, 5, ids[i]), i);
    assert_int_equal(ids_find(ids, 5, 1), -1);
    assert_int_equal(ids_find(ids, 5, 7), -1);
    assert_int_equal(ids_find(ids, 5, 41), -1);
    assert_int_equal(ids_find(ids, 0, 2), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shortlist_is_a_vocabulary_with_the_rest_impossible),
        cmocka_unit_test(candidates_of_others_change_nothing),
        cmocka_unit_test(outputs_hold_candidates_and_given_prefixes_only),
        cmocka_unit_test(the_whole_vocabulary_comes_back_after_the_search),
        cmocka_unit_test(ids_are_found_where_they_are),
    };
    return cmocka_run_group_tests(tests, make_list, drop_list);
}
