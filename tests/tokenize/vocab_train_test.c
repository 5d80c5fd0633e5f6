/* tokenize/train.c: the pieces are those of spm_train, and failures say what to do. */
#include "tests/test.h"

#include <zlib.h>
#include <zstd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "tokenize/tokenizer.h"
#include "tokenize/train.h"

static const char text_path[] = TEST_DATA "/golden/text.txt";

static const struct option_group *groups_of(struct vocab_config *config)
{
    static struct option_group groups[2];
    groups[0] = (struct option_group){ NULL, vocab_options, config };
    groups[1] = (struct option_group){ 0 };
    return groups;
}

/* "name=value name=value …" over the defaults; symbols and controls add up. */
static struct vocab_config config_of(const char *settings)
{
    struct vocab_config config;
    struct error err = { 0 };
    char *copy = xstrdup(settings), *rest = copy, *word;
    options_default(groups_of(&config));
    while ((word = strsep(&rest, " "))) {
        char *value = strchr(word, '=');
        if (!value)
            continue;
        *value++ = 0;
        if (!strcmp(word, "symbols"))
            strings_add(&config.symbols, value);
        else if (!strcmp(word, "controls"))
            strings_add(&config.controls, value);
        else if (options_set(groups_of(&config), word, value, &err) < 0)
            fail_msg("%s", err.text);
    }
    free(copy);
    return config;
}

static int train(const char *model, const char *settings, const char *const *files, size_t count,
                 struct error *err)
{
    struct vocab_config config = config_of(settings);
    int ret = vocab_train(model, files, count, &config, err);
    options_release(groups_of(&config));
    return ret;
}

static struct tokenizer *trained(const char *settings, const char *const *files, size_t count)
{
    struct error err = { 0 };
    const char *path = scratch_path("trained.model");
    if (train(path, settings, files, count, &err) < 0)
        fail_msg("%s: %s", settings, err.text);
    struct tokenizer *t = tokenizer_load(path, &err);
    if (!t)
        fail_msg("%s", err.text);
    return t;
}

static char *pieces_text(const struct tokenizer *t)
{
    struct strbuf text = { 0 };
    for (int32_t id = 0; id < tokenizer_vocab(t); id++)
        strbuf_printf(&text, "%s\t%g\n", tokenizer_piece(t, id), tokenizer_score(t, id));
    return strbuf_detach(&text);
}

static char *trained_pieces(const char *settings, const char *const *files, size_t count)
{
    struct tokenizer *t = trained(settings, files, count);
    char *text = pieces_text(t);
    tokenizer_free(t);
    return text;
}

/* The settings of golden/make.sh. */
static const struct golden { const char *name, *settings; } goldens[] = {
    { "unigram", "size=220 symbols=<sep> symbols=<2de>" },
    { "bpe", "size=260 type=bpe normalization=identity character-coverage=0.999 symbols=<sep> "
             "symbols=--" },
    { "bytes", "size=420 byte-fallback=true normalization=identity character-coverage=0.99 "
               "pad-id=3" },
    { "word", "size=60 type=word normalization=identity" },
    { "char", "size=50 type=char normalization=identity soft-limit=true" },
};

static void pieces_and_scores_are_those_of_spm_train(void **state)
{
    const char *const files[] = { text_path };
    for (size_t i = 0; i < ARRAY_COUNT(goldens); i++) {
        struct error err = { 0 };
        char *path = xasprintf("%s/golden/%s.vocab", TEST_DATA, goldens[i].name), *want;
        size_t length;
        assert_int_equal(file_read(&want, &length, path, &err), 0);
        char *got = trained_pieces(goldens[i].settings, files, 1);
        assert_string_equal(got, want);
        free(path);
        free(want);
        free(got);
    }
}

static void the_same_settings_give_the_same_bytes(void **state)
{
    const char *const files[] = { text_path };
    struct tokenizer *a = trained("size=200 sample-lines=100 seed=5", files, 1);
    struct tokenizer *b = trained("size=200 sample-lines=100 seed=5", files, 1);
    size_t a_length, b_length;
    const void *a_bytes = tokenizer_bytes(a, &a_length), *b_bytes = tokenizer_bytes(b, &b_length);
    assert_int_equal(a_length, b_length);
    assert_memory_equal(a_bytes, b_bytes, a_length);
    tokenizer_free(a);
    tokenizer_free(b);
}

static void any_flipped_bit_is_refused_by_name(void **state)
{
    const char *const files[] = { text_path };
    struct tokenizer *t = trained("size=200", files, 1);
    size_t length;
    const void *trained_bytes = tokenizer_bytes(t, &length);
    char *bytes = memcpy(xmalloc(length), trained_bytes, length);
    assert_true(length > 2000);
    for (size_t i = 0; i < length; i += i < 2000 || i + 300 > length ? 1 : 97) {
        struct error err = { 0 };
        bytes[i] ^= (char)(1 << i % 8);
        if (tokenizer_from_bytes(bytes, length, "flipped.spm", &err))
            fail_msg("byte %zu of %zu: it is taken", i, length);
        assert_non_null(strstr(err.text, "'flipped.spm' is damaged"));
        bytes[i] ^= (char)(1 << i % 8);
    }
    struct tokenizer *whole = tokenizer_from_bytes(bytes, length, "whole.spm", NULL);
    assert_non_null(whole);
    tokenizer_free(whole);
    tokenizer_free(t);
    free(bytes);
}

static void another_seed_draws_another_sample(void **state)
{
    const char *const files[] = { text_path };
    char *a = trained_pieces("size=150 sample-lines=40 seed=5", files, 1);
    char *b = trained_pieces("size=150 sample-lines=40 seed=6", files, 1);
    assert_string_not_equal(a, b);
    free(a);
    free(b);
}

static void write_gzip(const char *path, const char *text, size_t length)
{
    gzFile f = gzopen(path, "wb");
    assert_int_equal(gzwrite(f, text, (unsigned)length), length);
    gzclose(f);
}

static void write_zstd(const char *path, const char *text, size_t length)
{
    size_t room = ZSTD_compressBound(length);
    char *packed = xmalloc(room);
    size_t size = ZSTD_compress(packed, room, text, length, 3);
    assert_int_equal(file_write(path, packed, size, NULL), 0);
    free(packed);
}

static void compressed_files_in_parts_give_the_same_joint_vocabulary(void **state)
{
    const char *const whole[] = { text_path };
    char *text;
    size_t length, half;
    assert_int_equal(file_read(&text, &length, text_path, NULL), 0);
    half = (size_t)(strchr(text + length / 2, '\n') + 1 - text);
    const char *const parts[] = { scratch_path("a.gz"), scratch_path("b.zst") };
    write_gzip(parts[0], text, half);
    write_zstd(parts[1], text + half, length - half);
    char *want = trained_pieces("size=200", whole, 1), *got = trained_pieces("size=200", parts, 2);
    assert_string_equal(got, want);
    free(text);
    free(want);
    free(got);
}

static void symbols_with_commas_and_quotes_are_kept_whole(void **state)
{
    const char *const files[] = { text_path };
    struct tokenizer *t = trained("size=200 symbols=a,b symbols=\"q\" controls=<2fr>", files, 1);
    assert_int_equal(tokenizer_kind(t, tokenizer_id(t, "a,b")), PIECE_USER_DEFINED);
    assert_int_equal(tokenizer_kind(t, tokenizer_id(t, "\"q\"")), PIECE_USER_DEFINED);
    assert_int_equal(tokenizer_kind(t, tokenizer_id(t, "<2fr>")), PIECE_CONTROL);
    tokenizer_free(t);
}

static void reserved_ids_can_be_moved_and_dropped(void **state)
{
    const char *const files[] = { text_path };
    struct tokenizer *t = trained("size=200 eos-id=0 unk-id=1 bos-id=-1", files, 1);
    assert_int_equal(tokenizer_eos(t), 0);
    assert_int_equal(tokenizer_unk(t), 1);
    assert_int_equal(tokenizer_bos(t), -1);
    tokenizer_free(t);
}

static void long_and_empty_lines_are_left_out(void **state)
{
    char *text;
    size_t length;
    struct strbuf more = { 0 };
    const char *path = scratch_path("long.txt");
    assert_int_equal(file_read(&text, &length, text_path, NULL), 0);
    strbuf_puts(&more, "\n\n");
    for (int i = 0; i < 3000; i++)
        strbuf_puts(&more, "zz");
    strbuf_puts(&more, "\n");
    strbuf_add(&more, text, length);
    assert_int_equal(file_write(path, more.text, more.length, NULL), 0);
    const char *const whole[] = { text_path }, *const longer[] = { path };
    char *want = trained_pieces("size=200", whole, 1), *got = trained_pieces("size=200", longer, 1);
    assert_string_equal(got, want);
    strbuf_release(&more);
    free(text);
    free(want);
    free(got);
}

/* ---- failures ---- */

static const struct failure { const char *text, *settings, *says; } failures[] = {
    { "one line of text\n", "size=5000",              "set --size to " },
    { NULL,                 "size=20",                "too small" },
    { "",                   "size=100",               "no lines to train on" },
    { "\n\n\n",             "size=100",               "no lines to train on" },
    { "aaaaaaaaaaaaaaaa\n", "max-line-length=10",     "longer than --max-line-length" },
    { " \n   \n\t\n",       "size=100",               "too few characters" },
    { "\xe2\x80\x8b\n",     "size=100",               "too few characters" },
    { "good\nbad \xff\n",   "size=100",               ":2" },
    { NULL,                 "size=100 symbols=a symbols=a", "twice" },
    { NULL,                 "size=100 symbols=a controls=a", "twice" },
    { NULL,                 "size=100 symbols=<unk>", "cannot be a symbol" },
    { NULL,                 "size=100 pad-id=2",      "same id 2" },
    { NULL,                 "size=100 pad-id=100",    "beyond the vocabulary" },
};

static void failures_say_what_to_do_and_leave_no_file(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(failures); i++) {
        const struct failure *f = &failures[i];
        struct error err = { 0 };
        const char *path = f->text ? scratch_path("input.txt") : text_path;
        const char *model = scratch_path("failed.model");
        if (f->text)
            write_text(path, f->text);
        if (train(model, f->settings, &path, 1, &err) == 0)
            fail_msg("trained on case %zu: %s", i, f->settings);
        if (!strstr(err.text, f->says) || strchr(err.text, '\n'))
            fail_msg("case %zu: '%s' should say '%s'", i, err.text, f->says);
        assert_false(file_exists(model));
    }
}

static void tiny_texts_train_or_say_why_not(void **state)
{
    static const char *const texts[] = { "a\n", "a b\n", "aaaaaaaaaaaaaaaaaaaaaaaaa\naaaaaaaaa\n", ".\n" };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        for (size_t type = 0; type < 4; type++) {
            struct error err = { 0 };
            const char *path = scratch_path("tiny.txt"), *model = scratch_path("tiny.model");
            char *settings = xasprintf("size=40 soft-limit=true type=%s", vocab_types[type]);
            write_text(path, texts[i]);
            if (train(model, settings, &path, 1, &err) < 0)
                assert_true(*err.text && !strchr(err.text, '\n'));
            free(settings);
        }
}

static void a_missing_file_and_an_unwritable_model_are_named(void **state)
{
    struct error err = { 0 };
    const char *const absent[] = { "/nonexistent/text" }, *const files[] = { text_path };
    assert_int_equal(train(scratch_path("x.model"), "size=100", absent, 1, &err), -1);
    assert_non_null(strstr(err.text, "/nonexistent/text"));
    assert_int_equal(train("/nonexistent/x.model", "size=100", files, 1, &err), -1);
    assert_non_null(strstr(err.text, "/nonexistent/x.model"));
}

static void bad_bytes_can_be_replaced(void **state)
{
    char *text;
    size_t length;
    const char *path = scratch_path("bad.txt");
    assert_int_equal(file_read(&text, &length, text_path, NULL), 0);
    text[10] = (char)0xff;
    assert_int_equal(file_write(path, text, length, NULL), 0);
    tokenizer_free(trained("size=200 bad-utf8=replace", &path, 1));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_and_scores_are_those_of_spm_train),
        cmocka_unit_test(the_same_settings_give_the_same_bytes),
        cmocka_unit_test(any_flipped_bit_is_refused_by_name),
        cmocka_unit_test(another_seed_draws_another_sample),
        cmocka_unit_test(compressed_files_in_parts_give_the_same_joint_vocabulary),
        cmocka_unit_test(symbols_with_commas_and_quotes_are_kept_whole),
        cmocka_unit_test(reserved_ids_can_be_moved_and_dropped),
        cmocka_unit_test(long_and_empty_lines_are_left_out),
        cmocka_unit_test(failures_say_what_to_do_and_leave_no_file),
        cmocka_unit_test(tiny_texts_train_or_say_why_not),
        cmocka_unit_test(a_missing_file_and_an_unwritable_model_are_named),
        cmocka_unit_test(bad_bytes_can_be_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
