/* Tests of decode/shortlist.h: what is written is found again, what is damaged is refused. */
#include "tests/test.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "decode/lexicon.h"
#include "decode/shortlist.h"
#include "tests/decode/toy_tokenizer.h"

/* Rows of pieces 300, 301 and 302; pieces 310, 305 and 311 are the most frequent. */
static void write_lexicon(const char *path, const struct shortlist_prune *prune)
{
    int V = tokenizer_vocab(tokenizer);
    struct lexicon x = { .source_vocab = V, .target_vocab = V };
    struct error err;
    static int32_t target[] = { 303, 304, 305, 306 };
    static float p[] = { .1f, .5f, .0001f, .3f };
    x.rows = xcalloc((size_t)V, sizeof *x.rows);
    x.target_count = xcalloc((size_t)V, sizeof *x.target_count);
    x.rows[300] = (struct lexicon_row){ 4, target, p };
    x.rows[301] = (struct lexicon_row){ 2, target, p };
    x.target_count[310] = 9;
    x.target_count[305] = 7;
    x.target_count[311] = 3;
    x.target_count[tokenizer_eos(tokenizer)] = 100;
    assert_int_equal(shortlist_write(path, &x, 77, tokenizer, tokenizer, prune, &err), 0);
    free(x.rows);
    free(x.target_count);
}

static struct shortlist *open_good(const char *path)
{
    struct error err = { "" };
    struct shortlist *l = shortlist_open(path, &err);
    if (!l)
        fail_msg("%s", err.text);
    assert_int_equal(shortlist_check(l, tokenizer, tokenizer, &err), 0);
    return l;
}

static void rows_come_back_likeliest_first_and_pruned(void **state)
{
    const char *path = scratch_path("a.sl");
    const float *p;
    int count;
    write_lexicon(path, &(struct shortlist_prune){ 10, 2, .001f });
    struct shortlist *l = open_good(path);
    const int32_t *row = shortlist_row(l, 300, &p, &count);
    assert_int_equal(count, 3);
    assert_int_equal(row[0], 304);
    assert_int_equal(row[1], 306);
    assert_int_equal(row[2], 303);
    assert_float_equal(p[1], .3, 1e-7);
    shortlist_row(l, 302, NULL, &count);
    assert_int_equal(count, 0);
    row = shortlist_frequent(l, &count);
    assert_int_equal(count, 2);
    assert_true(row[0] == 310 && row[1] == 305);        /* </s> stands in no text */
    shortlist_close(l);
    write_lexicon(path, &(struct shortlist_prune){ 1, 0, 0 });
    l = open_good(path);
    row = shortlist_row(l, 301, NULL, &count);
    assert_true(count == 1 && row[0] == 304);
    shortlist_frequent(l, &count);
    assert_int_equal(count, 0);
    shortlist_close(l);
}

static int members(const uint64_t *set, int32_t *out)
{
    int count = 0;
    for (int32_t v = 0; v < tokenizer_vocab(tokenizer); v++)
        if (set[v / 64] >> (v % 64) & 1)
            out[count++] = v;
    return count;
}

static void candidates_are_translations_copies_and_frequent_pieces(void **state)
{
    static const struct { struct shortlist_config c; int count; int32_t source[3], expected[8]; } cases[] = {
        { { 10, 0 }, 4, { 300 }, { 300, 303, 304, 306 } },
        { { 1, 0 }, 2, { 300 }, { 300, 304 } },
        { { 0, 0 }, 1, { 300 }, { 300 } },
        { { 10, 2 }, 6, { 300 }, { 300, 303, 304, 305, 306, 310 } },
        { { 2, 99 }, 8, { 301, 300, 302 }, { 300, 301, 302, 303, 304, 305, 306, 310 } },
        { { 10, 1 }, 2, { 7, 100000, -1 }, { 7, 310 } },
    };
    const char *path = scratch_path("b.sl");
    write_lexicon(path, &(struct shortlist_prune){ 3, 2, .001f });
    struct shortlist *l = open_good(path);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        uint64_t *set = xcalloc(set_words(tokenizer_vocab(tokenizer)), sizeof *set);
        int32_t found[512];
        int length = cases[i].source[1] ? 3 : 1;
        int count;
        shortlist_candidates(set, l, cases[i].source, length, &cases[i].c);
        count = members(set, found);
        assert_int_equal(count, cases[i].count);
        assert_memory_equal(found, cases[i].expected, sizeof(int32_t) * (size_t)count);
        free(set);
    }
    shortlist_close(l);
}

static void every_damaged_byte_is_noticed(void **state)
{
    const char *path = scratch_path("c.sl"), *bad = scratch_path("bad.sl");
    struct error err;
    char *bytes;
    size_t length;
    write_lexicon(path, &(struct shortlist_prune){ 3, 2, 0 });
    assert_int_equal(file_read(&bytes, &length, path, &err), 0);
    for (size_t at = 0; at < length; at += at < 128 ? 1 : 37) {
        bytes[at] ^= 0x20;
        assert_int_equal(file_write(bad, bytes, length, &err), 0);
        err.text[0] = '\0';
        assert_null(shortlist_open(bad, &err));
        assert_non_null(strstr(err.text, "bad.sl"));
        bytes[at] ^= 0x20;
    }
    for (size_t cut = 0; cut < length; cut += 41) {
        assert_int_equal(file_write(bad, bytes, cut, &err), 0);
        assert_null(shortlist_open(bad, &err));
    }
    assert_null(shortlist_open(scratch_path("absent.sl"), &err));
    free(bytes);
}

static void other_vocabularies_are_refused(void **state)
{
    const char *path = scratch_path("d.sl"), *spm = scratch_path("other.spm");
    const char *text = scratch_path("other.txt");
    struct vocab_config config = { 0 };
    const struct option_group groups[] = { { NULL, vocab_options, &config }, { 0 } };
    struct error err;
    write_lexicon(path, &(struct shortlist_prune){ 3, 2, 0 });
    write_text(text, "a b c d e f g\nb c d e f g h\n");
    options_default(groups);
    config.size = 20;
    config.soft_limit = true;
    assert_int_equal(vocab_train(spm, &text, 1, &config, &err), 0);
    struct tokenizer *other = tokenizer_load(spm, &err);
    struct shortlist *l = open_good(path);
    assert_int_equal(shortlist_check(l, other, tokenizer, &err), -1);
    assert_non_null(strstr(err.text, "source vocabulary"));
    assert_int_equal(shortlist_check(l, tokenizer, other, &err), -1);
    assert_non_null(strstr(err.text, "target vocabulary"));
    shortlist_close(l);
    tokenizer_free(other);
    options_release(groups);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back_likeliest_first_and_pruned),
        cmocka_unit_test(candidates_are_translations_copies_and_frequent_pieces),
        cmocka_unit_test(every_damaged_byte_is_noticed),
        cmocka_unit_test(other_vocabularies_are_refused),
    };
    return cmocka_run_group_tests(tests, train_tokenizer, drop_tokenizer);
}
