/* Words for people, and what two lists of them have in common. */
#include "tests/test.h"

#include "base/memory.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "eval/diff.h"
#include "eval/word_counts.h"

static char *shown(const char *text)
{
    struct diff_words words = { 0 };
    struct strbuf out = { 0 };
    diff_read(&words, text_of(text));
    for (size_t i = 0; i < words.count; i++) {
        const struct diff_word *w = &words.items[i];
        strbuf_puts(&out, i == 0 && !w->spaced ? "" : w->spaced ? " " : "|");
        strbuf_add(&out, w->text.bytes, w->text.length);
        strbuf_puts(&out, w->lettered ? "" : "!");
    }
    diff_release(&words);
    return strbuf_detach(&out);
}

static void check_words(const char *text, const char *want)
{
    char *got = shown(text);
    assert_string_equal(got, want);
    free(got);
}

static void words_are_runs_of_letters_and_the_rest_stands_alone(void **state)
{
    check_words("", "");
    check_words("Golf, 3.5 km!", "Golf|,! 3|.!|5 km|!!");
    check_words("  a\tb\u00a0c", " a b c");
    check_words("Stra\u00dfe na\u00efve 10-й", "Stra\u00dfe na\u00efve 10|-!|й");
}

static void marks_and_joiners_stay_with_what_they_are_on(void **state)
{
    check_words("Z\u0351\u036bo e\u0301a", "Z\u0351\u036bo e\u0301a");
    check_words("नमस्ते दुनिया", "नमस्ते दुनिया");
    check_words("👨\u200d👩 x", "👨\u200d!|👩! x");
}

static void scripts_without_spaces_are_cut_by_character(void **state)
{
    check_words("中文abc文", "中|文|abc|文");
    check_words("これは", "こ|れ|は");
    check_words("\u0e1b\u0e23\u0e30 x", "\u0e1b|\u0e23|\u0e30 x");
}

/* "x" where a word is common, "." where it is not; both sides. */
static void check_common(const char *left, const char *right, const char *want)
{
    struct diff_words a = { 0 }, b = { 0 };
    bool in_a[64], in_b[64];
    char got[130];
    diff_read(&a, text_of(left));
    diff_read(&b, text_of(right));
    diff_common(in_a, in_b, &a, &b);
    size_t at = 0;
    for (size_t i = 0; i < a.count; i++)
        got[at++] = in_a[i] ? 'x' : '.';
    got[at++] = ' ';
    for (size_t i = 0; i < b.count; i++)
        got[at++] = in_b[i] ? 'x' : '.';
    got[at] = '\0';
    assert_string_equal(got, want);
    diff_release(&a);
    diff_release(&b);
}

static void what_differs_is_told_on_both_sides(void **state)
{
    check_common("", "", " ");
    check_common("a b", "", ".. ");
    check_common("a b c", "a b c", "xxx xxx");
    check_common("a b c d", "a x c d", "x.xx x.xx");
    check_common("a b c d", "b c d a", ".xxx xxx.");
    check_common("the cat sat", "cat", ".x. x");
    check_common("a a a", "a a", "xx. xx");
    check_common("A", "a", ". .");
}

static size_t longest_common(const int *a, size_t n, const int *b, size_t m)
{
    if (n == 0 || m == 0)
        return 0;
    if (a[0] == b[0])
        return 1 + longest_common(a + 1, n - 1, b + 1, m - 1);
    size_t x = longest_common(a + 1, n - 1, b, m), y = longest_common(a, n, b + 1, m - 1);
    return x > y ? x : y;
}

static size_t random_words(struct strbuf *text, int *numbers, struct rng *rng)
{
    size_t n = rng_below(rng, 9);
    for (size_t i = 0; i < n; i++) {
        numbers[i] = (int)rng_below(rng, 3);
        strbuf_printf(text, "%c ", 'a' + numbers[i]);
    }
    strbuf_puts(text, "");
    return n;
}

/* The marked words are the same on both sides, and as many as any common subsequence has. */
static void what_is_common_is_longest(void **state)
{
    struct rng rng;
    rng_seed(&rng, 7, 0);
    for (int trial = 0; trial < 500; trial++) {
        struct strbuf left = { 0 }, right = { 0 };
        struct diff_words a = { 0 }, b = { 0 };
        int x[9], y[9];
        bool in_a[9], in_b[9];
        size_t n = random_words(&left, x, &rng), m = random_words(&right, y, &rng), common = 0, at = 0;
        diff_read(&a, (struct text){ left.text, left.length });
        diff_read(&b, (struct text){ right.text, right.length });
        diff_common(in_a, in_b, &a, &b);
        for (size_t i = 0; i < n; i++) {
            if (!in_a[i])
                continue;
            while (at < m && !in_b[at])
                at++;
            assert_true(at < m);
            assert_int_equal(x[i], y[at++]);
            common++;
        }
        assert_int_equal(common, longest_common(x, n, y, m));
        diff_release(&a);
        diff_release(&b);
        strbuf_release(&left);
        strbuf_release(&right);
    }
}

static void of_endless_lines_only_the_ends_are_compared(void **state)
{
    enum { MANY = 9000 };
    struct strbuf left = { 0 }, right = { 0 };
    struct diff_words a = { 0 }, b = { 0 };
    bool *in_a = xcalloc(MANY + 2, sizeof *in_a), *in_b = xcalloc(MANY + 2, sizeof *in_b);
    size_t common = 0;
    strbuf_puts(&left, "first ");
    strbuf_puts(&right, "first ");
    for (int i = 0; i < MANY; i++) {
        strbuf_printf(&left, "l%d ", i % 7);
        strbuf_printf(&right, "%s%d ", i % 2 ? "l" : "r", i % 7);
    }
    strbuf_puts(&left, "last");
    strbuf_puts(&right, "last");
    diff_read(&a, (struct text){ left.text, left.length });
    diff_read(&b, (struct text){ right.text, right.length });
    diff_common(in_a, in_b, &a, &b);
    for (size_t i = 0; i < a.count; i++)
        common += in_a[i];
    assert_true(in_a[0] && in_b[0] && in_a[MANY + 1] && in_b[MANY + 1]);
    assert_true(common < 10);
    diff_release(&a);
    diff_release(&b);
    strbuf_release(&left);
    strbuf_release(&right);
    free(in_a);
    free(in_b);
}

static void words_are_counted_whatever_their_number(void **state)
{
    struct word_counts counts = { 0 };
    struct diff_words words = { 0 };
    assert_int_equal(word_counts_find(&counts, 1), 0);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 5000; i++) {
            char text[32];
            snprintf(text, sizeof text, "w%d, same", i);
            diff_read(&words, text_of(text));
            word_counts_add(&counts, &words);
        }
    diff_read(&words, text_of("w4999 same , absent"));
    assert_int_equal(word_counts_find(&counts, words.items[0].hash), 2);
    assert_int_equal(word_counts_find(&counts, words.items[1].hash), 10000);
    assert_int_equal(word_counts_find(&counts, words.items[2].hash), 0);       /* no word */
    assert_int_equal(word_counts_find(&counts, words.items[3].hash), 0);
    diff_release(&words);
    word_counts_release(&counts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_runs_of_letters_and_the_rest_stands_alone),
        cmocka_unit_test(marks_and_joiners_stay_with_what_they_are_on),
        cmocka_unit_test(scripts_without_spaces_are_cut_by_character),
        cmocka_unit_test(what_differs_is_told_on_both_sides),
        cmocka_unit_test(what_is_common_is_longest),
        cmocka_unit_test(of_endless_lines_only_the_ends_are_compared),
        cmocka_unit_test(words_are_counted_whatever_their_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
