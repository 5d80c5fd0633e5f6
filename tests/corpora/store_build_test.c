/* Stores from text, through a tokenizer. */
#include "tests/test.h"

#include "base/error.h"
#include "base/file.h"
#include "corpora/pairs.h"
#include "corpora/store.h"
#include "tokenize/tokenizer.h"
#include "tokenize/train.h"

static struct tokenizer *tokenizer;
static char source[4096], target[4096], path[4096];

static void write_corpus(int lines, bool unequal)
{
    FILE *s = fopen(source, "w"), *t = fopen(target, "w");
    for (int i = 0; i < lines; i++) {
        fprintf(s, i % 7 ? "a dog runs over field %d\n" : "\n", i * 37);
        if (!unequal || i != lines / 2)
            fprintf(t, "ein Hund läuft über Feld %d\n", i * 37);
    }
    fclose(s);
    fclose(t);
}

static int open_tokenizer(void **state)
{
    struct error err = { 0 };
    struct vocab_config config = { 0 };
    struct option_group groups[] = { { NULL, vocab_options, &config }, { NULL, NULL, NULL } };
    char model[4096];
    snprintf(source, sizeof source, "%s", scratch_path("text.en"));
    snprintf(target, sizeof target, "%s", scratch_path("text.de"));
    snprintf(path, sizeof path, "%s", scratch_path("text.ids"));
    snprintf(model, sizeof model, "%s", scratch_path("spm.model"));
    write_corpus(500, false);
    options_default(groups);
    config.size = 60;
    const char *files[] = { source, target };
    if (vocab_train(model, files, 2, &config, &err) < 0 ||
        !(tokenizer = tokenizer_load(model, &err)))
        fail_msg("%s", err.text);
    options_release(groups);
    return 0;
}

static int close_tokenizer(void **state)
{
    tokenizer_free(tokenizer);
    return 0;
}

static void assert_encoded(const int32_t *ids, int count, const struct lines *line)
{
    struct ids wanted = { 0 };
    tokenizer_encode(tokenizer, &wanted, line->text, line->length);
    assert_int_equal(count, wanted.count);
    if (count)
        assert_memory_equal(ids, wanted.items, wanted.count * sizeof *ids);
    ids_release(&wanted);
}

static void pair_i_of_a_store_is_line_i_of_the_text(void **state)
{
    uint64_t fingerprint = 0;
    write_corpus(5000, false);
    for (int threads = 1; threads <= 3; threads++) {
        struct error err = { 0 };
        struct pairs in = { 0 };
        if (store_build(path, source, target, tokenizer, tokenizer, threads, &err) < 0)
            fail_msg("%s", err.text);
        struct store *s = store_open(path, true, &err);
        assert_int_equal(store_count(s), 5000);
        assert_true(store_source_vocab(s) == tokenizer_fingerprint(tokenizer));
        assert_int_equal(pairs_open(&in, source, target, NULL), 0);
        for (int64_t i = 0; pairs_next(&in, NULL) > 0; i++) {
            int count;
            const int32_t *ids = store_source(s, i, &count);
            assert_encoded(ids, count, &in.source);
            ids = store_target(s, i, &count);
            assert_encoded(ids, count, &in.target);
        }
        pairs_close(&in);
        assert_true(threads == 1 || store_fingerprint(s) == fingerprint);
        fingerprint = store_fingerprint(s);
        store_close(s);
    }
}

static void line_of_100000_tokens_is_stored(void **state)
{
    struct error err = { 0 };
    int count;
    FILE *f = fopen(source, "w");
    for (int i = 0; i < 100000; i++)
        fputs("dog ", f);
    fputs("\na dog\n", f);
    fclose(f);
    write_text(target, "Hund\nHund\n");
    assert_int_equal(store_build(path, source, target, tokenizer, tokenizer, 2, &err), 0);
    struct store *s = store_open(path, true, &err);
    store_source(s, 0, &count);
    assert_true(count >= 100000);
    assert_int_equal(store_count(s), 2);
    store_close(s);
}

static void assert_fails(const char *why)
{
    struct error err = { 0 };
    unlink(path);
    assert_int_equal(store_build(path, source, target, tokenizer, tokenizer, 2, &err), -1);
    if (!strstr(err.text, why))
        fail_msg("'%s' does not say '%s'", err.text, why);
    assert_false(file_exists(path));
}

static void bad_text_builds_no_store(void **state)
{
    write_corpus(3000, true);
    assert_fails("has 3000 lines but");
    write_text(source, "");
    write_text(target, "");
    assert_fails("empty corpus");
    write_text(source, "a dog\n\xff\n");
    write_text(target, "ein Hund\nHund\n");
    assert_fails("text.en");
    unlink(source);
    assert_fails("text.en");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pair_i_of_a_store_is_line_i_of_the_text),
        cmocka_unit_test(line_of_100000_tokens_is_stored),
        cmocka_unit_test(bad_text_builds_no_store),
    };
    return cmocka_run_group_tests(tests, open_tokenizer, close_tokenizer);
}
