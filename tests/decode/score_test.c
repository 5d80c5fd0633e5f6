/* Tests of decode/score.h on real models with random weights: whole-sentence passes, stepping and
 * searching must agree on what a sentence's probability is. */
#include "tests/test.h"

#include "base/log.h"
#include "base/memory.h"
#include "corpora/pairs.h"
#include "decode/score.h"
#include "seq2seq/model.h"
#include "tests/decode/toy_tokenizer.h"

enum { PAIRS = 7 };
static const char *const sources[PAIRS] = {
    "the quick fox", "", "dogs jump over the lazy foxes and the lazy dogs", "brown 17", "a", "b c", "the"
};
static const char *const targets[PAIRS] = {
    "foxes jump", "dogs", "", "the 7 lazy dogs jump over 49 quick brown foxes", "a", "", "fox fox fox"
};

static struct model *models[2];

static int make_models(void **state)
{
    struct error err;
    log_quiet(true);
    for (int i = 0; i < 2; i++) {
        struct model_config config = { 0 };
        struct tokenizer *t = toy_tokenizer();
        options_default((struct option_group[]){ { NULL, model_options, &config }, { 0 } });
        config.dim = 16;
        config.ffn = 24;
        config.heads = 2;
        config.encoder_layers = config.decoder_layers = 1 + i;
        models[i] = t ? model_new(&config, t, t, i + 1, &err) : NULL;
        if (!models[i])
            return -1;
    }
    return 0;
}

static int drop_models(void **state)
{
    model_free(models[0]);
    model_free(models[1]);
    return 0;
}

static struct search_config defaults(int beam)
{
    struct search_config c = { 0 };
    options_default((struct option_group[]){ { NULL, search_options, &c }, { 0 } });
    c.beam = beam;
    return c;
}

static void score_with(const struct translator *t, struct translation *out, int threads)
{
    struct search_config config = defaults(1);
    struct error err;
    struct decoder *d = decoder_new(t, &config, threads, &err);
    assert_non_null(d);
    assert_int_equal(decoder_score(d, out, sources, targets, PAIRS, &err), 0);
    decoder_free(d);
}

static void assert_close(const struct translation *a, const struct translation *b)
{
    for (int i = 0; i < PAIRS; i++) {
        assert_int_equal(a[i].best[0].count, b[i].best[0].count);
        assert_memory_equal(a[i].best[0].ids, b[i].best[0].ids,
                            sizeof(int32_t) * (size_t)a[i].best[0].count);
        for (int t = 0; t <= a[i].best[0].count; t++)
            assert_float_equal(a[i].best[0].token_logp[t], b[i].best[0].token_logp[t], 1e-4);
        assert_float_equal(a[i].best[0].logp, b[i].best[0].logp, 1e-3);
    }
}

static void stepping_equals_the_pass_over_whole_sentences(void **state)
{
    struct translator single = translator_of_model(models[1]), stepped = single;
    struct translation pass[PAIRS], steps[PAIRS];
    stepped.single = NULL;
    for (int threads = 1; threads <= 3; threads += 2) {
        score_with(&single, pass, threads);
        score_with(&stepped, steps, threads);
        assert_close(pass, steps);
        translations_release(pass, PAIRS);
        translations_release(steps, PAIRS);
    }
}

static void sums_add_up_and_the_target_is_what_was_given(void **state)
{
    struct translator t = translator_of_model(models[0]);
    struct translation out[PAIRS];
    score_with(&t, out, 2);
    for (int i = 0; i < PAIRS; i++) {
        const struct hypothesis *h = &out[i].best[0];
        struct ids ids = { 0 };
        double sum = 0;
        tokenizer_encode(t.target, &ids, targets[i], strlen(targets[i]));
        assert_int_equal(h->count, ids.count);
        assert_true(!ids.count || !memcmp(h->ids, ids.items, ids.count * sizeof *ids.items));
        for (int j = 0; j <= h->count; j++)
            sum += h->token_logp[j];
        assert_float_equal(sum, h->logp, 1e-6);
        assert_float_equal(h->score, h->logp / (h->count + 1), 1e-6);
        assert_true(h->logp < 0 && isfinite(h->logp));
        ids_release(&ids);
    }
    translations_release(out, PAIRS);
}

static void an_ensemble_of_twins_scores_like_one(void **state)
{
    struct error err;
    struct translation one[PAIRS], both[PAIRS];
    struct translator t = translator_of_model(models[0]);
    score_with(&t, one, 1);
    for (int average = AVERAGE_PROBABILITY; average <= AVERAGE_LOG; average++) {
        const struct model *twins[] = { models[0], models[0] };
        struct ensemble *e = ensemble_new(twins, NULL, 2, (enum average)average, &err);
        struct translator pair = translator_of_ensemble(e);
        score_with(&pair, both, 2);
        assert_close(one, both);
        translations_release(both, PAIRS);
        ensemble_free(e);
    }
    translations_release(one, PAIRS);
}

static void models_of_different_shape_are_averaged(void **state)
{
    struct error err;
    struct translation a[PAIRS], b[PAIRS], mean[PAIRS];
    struct translator ta = translator_of_model(models[0]), tb = translator_of_model(models[1]);
    struct ensemble *e = ensemble_new((const struct model *const *)models, NULL, 2, AVERAGE_PROBABILITY, &err);
    struct translator both = translator_of_ensemble(e);
    score_with(&ta, a, 1);
    score_with(&tb, b, 1);
    score_with(&both, mean, 1);
    for (int i = 0; i < PAIRS; i++)
        for (int t = 0; t <= a[i].best[0].count; t++)
            assert_float_equal(exp(mean[i].best[0].token_logp[t]),
                               (exp(a[i].best[0].token_logp[t]) + exp(b[i].best[0].token_logp[t])) / 2, 1e-5);
    translations_release(a, PAIRS);
    translations_release(b, PAIRS);
    translations_release(mean, PAIRS);
    ensemble_free(e);
}

/* A search whose outputs are forced word for word says of them what scoring says. */
static void forced_outputs_have_the_scores_of_scoring(void **state)
{
    struct translator t = translator_of_model(models[1]);
    struct translation scored[PAIRS], found[PAIRS], again[PAIRS];
    struct error err;
    struct search_config config = defaults(3);
    const char *texts[PAIRS];
    struct decoder *d = decoder_new(&t, &config, 2, &err);
    assert_int_equal(decoder_text(d, found, sources, PAIRS, &err), 0);
    for (int i = 0; i < PAIRS; i++)
        texts[i] = found[i].text[0];
    assert_int_equal(decoder_score(d, scored, sources, texts, PAIRS, &err), 0);
    for (int i = 0; i < PAIRS; i++) {
        if (!found[i].source_tokens)
            continue;                           /* answered without the model */
        struct ids ids = { 0 };
        tokenizer_encode(t.target, &ids, texts[i], strlen(texts[i]));
        if ((int)ids.count == found[i].best[0].count        /* the text falls into the same pieces */
            && !memcmp(ids.items, found[i].best[0].ids, ids.count * sizeof *ids.items))
            assert_float_equal(scored[i].best[0].logp, found[i].best[0].logp, 1e-3);
        ids_release(&ids);
    }
    assert_int_equal(decoder_continue(d, again, sources, targets, PAIRS, &err), 0);
    for (int i = 0; i < PAIRS; i++) {
        struct ids ids = { 0 };
        tokenizer_encode(t.target, &ids, targets[i], strlen(targets[i]));
        assert_true(again[i].best[0].count >= (int)ids.count);
        assert_true(!ids.count || !memcmp(again[i].best[0].ids, ids.items, ids.count * sizeof *ids.items));
        assert_true(strlen(targets[i]) == 0 || !strncmp(again[i].text[0], targets[i], strlen(targets[i])));
        ids_release(&ids);
    }
    translations_release(scored, PAIRS);
    translations_release(found, PAIRS);
    translations_release(again, PAIRS);
    decoder_free(d);
}

/* Watched scoring steps; its attention is a distribution over each source and its </s>. */
static void watched_scores_come_with_attention(void **state)
{
    struct error err;
    struct ensemble *e = ensemble_new((const struct model *const *)models, NULL, 2, AVERAGE_LOG, &err);
    struct translator both[] = { translator_of_model(models[0]), translator_of_ensemble(e) };
    for (int m = 0; m < 2; m++) {
        struct translation plain[PAIRS], watched[PAIRS];
        struct search_config config = defaults(1);
        score_with(&both[m], plain, 1);
        config.watched = true;
        struct decoder *d = decoder_new(&both[m], &config, 2, &err);
        assert_int_equal(decoder_score(d, watched, sources, targets, PAIRS, &err), 0);
        assert_close(plain, watched);
        for (int i = 0; i < PAIRS; i++) {
            const struct hypothesis *h = &watched[i].best[0];
            struct ids ids = { 0 };
            tokenizer_encode(both[m].source, &ids, sources[i], strlen(sources[i]));
            assert_int_equal(h->source_count, ids.count + 1);
            assert_true(!ids.count || !memcmp(watched[i].source, ids.items, ids.count * sizeof *ids.items));
            for (int j = 0; j <= h->count; j++) {
                double sum = 0;
                for (int s = 0; s < h->source_count; s++)
                    sum += h->attention[j * h->source_count + s];
                assert_float_equal(sum, 1, 1e-5);
            }
            ids_release(&ids);
        }
        translations_release(plain, PAIRS);
        translations_release(watched, PAIRS);
        decoder_free(d);
    }
    ensemble_free(e);
}

static void long_sides_are_cut_or_refused(void **state)
{
    const char *source = "the quick brown fox", *target = "foxes jump over lazy dogs";
    struct search_config config = defaults(1);
    struct translator t = translator_of_model(models[0]);
    struct translation out;
    struct error err;
    config.max_source = 4;
    struct decoder *d = decoder_new(&t, &config, 1, &err);
    assert_int_equal(decoder_score(d, &out, &source, &target, 1, &err), 0);
    assert_int_equal(out.source_tokens, 4);
    assert_int_equal(out.best[0].count, 4);
    assert_true(out.cut_tokens > 2);
    translations_release(&out, 1);
    decoder_free(d);
    config.long_lines = LONG_REFUSE;
    d = decoder_new(&t, &config, 1, &err);
    assert_int_equal(decoder_score(d, &out, &source, &target, 1, &err), -1);
    assert_non_null(strstr(err.text, "sentence 1: "));
    decoder_free(d);
}

static int count_pair(void *arg, const struct translation *t, int64_t number, struct error *err)
{
    int *count = arg;
    assert_int_equal(number, ++*count);
    assert_true(t->best[0].logp < 0);
    return 0;
}

static int score_files(const char *source, const char *target, int window, int *count, struct error *err)
{
    struct search_config config = defaults(1);
    struct translator t = translator_of_model(models[0]);
    struct pairs in = { 0 };
    config.window = window;
    struct decoder *d = decoder_new(&t, &config, 2, err);
    int ret = pairs_open(&in, source, target, err);
    if (ret == 0)
        ret = decoder_score_stream(d, &in, count_pair, count, err);
    pairs_close(&in);
    decoder_free(d);
    return ret;
}

static void files_are_scored_pair_by_pair_and_must_be_equally_long(void **state)
{
    struct error err;
    const char *a = scratch_path("a.txt"), *b = scratch_path("b.txt"), *c = scratch_path("c.txt");
    write_text(a, "the fox\n\ndogs\nlazy dogs\nfox\n");
    write_text(b, "fox\nthe\n\ndogs\nlazy\n");
    write_text(c, "fox\nthe\n\n");
    for (int window = 1; window <= 7; window += 2) {
        int count = 0;
        assert_int_equal(score_files(a, b, window, &count, &err), 0);
        assert_int_equal(count, 5);
    }
    int count = 0;
    assert_int_equal(score_files(a, c, 4, &count, &err), -1);
    assert_non_null(strstr(err.text, "a.txt"));
    assert_non_null(strstr(err.text, "c.txt"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stepping_equals_the_pass_over_whole_sentences),
        cmocka_unit_test(sums_add_up_and_the_target_is_what_was_given),
        cmocka_unit_test(an_ensemble_of_twins_scores_like_one),
        cmocka_unit_test(models_of_different_shape_are_averaged),
        cmocka_unit_test(forced_outputs_have_the_scores_of_scoring),
        cmocka_unit_test(watched_scores_come_with_attention),
        cmocka_unit_test(long_sides_are_cut_or_refused),
        cmocka_unit_test(files_are_scored_pair_by_pair_and_must_be_equally_long),
    };
    return cmocka_run_group_tests(tests, make_models, drop_models);
}
