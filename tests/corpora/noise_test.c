/* Corpora that are made worse on purpose, and lines that are made up. */
#include "tests/test.h"

#include "base/error.h"
#include "base/file.h"
#include "base/lines.h"
#include "base/option.h"
#include "base/strbuf.h"
#include "corpora/corrupt.h"
#include "corpora/munge.h"

static struct error err;

static struct strings read_file(const char *path)
{
    struct strings lines = { 0 };
    if (lines_read(&lines, path, 0, &err) < 0)
        fail_msg("%s", err.text);
    return lines;
}

static void write_numbers(const char *path, int lines)
{
    FILE *f = fopen(path, "w");
    for (int i = 0; i < lines; i++)
        fprintf(f, "line %d\n", i);
    fclose(f);
}

static struct corrupt_report corrupt(const char *name, float share, int64_t seed)
{
    struct corrupt_report r;
    const struct corrupt_config c = { share, seed };
    if (corpus_corrupt(&r, scratch_path(name), scratch_path("numbers"), &c, &err) < 0)
        fail_msg("%s", err.text);
    return r;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void so_many_lines_change_places_and_none_is_lost(void **state)
{
    write_numbers(scratch_path("numbers"), 500);
    struct corrupt_report r = corrupt("moved", 0.4f, 1);
    struct strings before = read_file(scratch_path("numbers")), after = read_file(scratch_path("moved"));
    int moved = 0;
    assert_int_equal(r.lines, 500);
    assert_int_equal(r.moved, 200);
    assert_int_equal(r.same, 0);
    assert_int_equal(after.count, 500);
    for (size_t i = 0; i < 500; i++)
        moved += strcmp(before.items[i], after.items[i]) != 0;
    assert_int_equal(moved, 200);
    qsort(before.items, 500, sizeof *before.items, compare_texts);
    qsort(after.items, 500, sizeof *after.items, compare_texts);
    for (size_t i = 0; i < 500; i++)
        assert_string_equal(before.items[i], after.items[i]);
    strings_release(&before);
    strings_release(&after);
}

static void the_seed_says_which_lines_move(void **state)
{
    write_numbers(scratch_path("numbers"), 100);
    corrupt("a", 0.3f, 1);
    corrupt("b", 0.3f, 1);
    corrupt("c", 0.3f, 2);
    struct strings a = read_file(scratch_path("a")), b = read_file(scratch_path("b")), c = read_file(scratch_path("c"));
    int differ = 0;
    for (size_t i = 0; i < 100; i++) {
        assert_string_equal(a.items[i], b.items[i]);
        differ += strcmp(a.items[i], c.items[i]) != 0;
    }
    assert_true(differ > 20);
    strings_release(&a);
    strings_release(&b);
    strings_release(&c);
}

static void none_all_and_one_line_are_shares_too(void **state)
{
    write_numbers(scratch_path("numbers"), 10);
    assert_int_equal(corrupt("none", 0, 1).moved, 0);
    assert_int_equal(corrupt("all", 1, 1).moved, 10);
    assert_int_equal(corrupt("one", 0.1f, 1).moved, 0);         /* it has no other to change with */
}

/* ---- made-up lines ---- */

static struct munge_report munge(const char *text, struct munge_config c)
{
    struct munge_report r = { 0 };
    write_text(scratch_path("text"), text);
    if (corpus_munge(&r, scratch_path("munged"), scratch_path("text"), &c, &err) < 0)
        fail_msg("%s", err.text);
    return r;
}

static const char sentences[] = "the cat sees the dog\na dog hears the cat\nthe bird sees a fish\n";

/* Whether `second` stands behind `first` somewhere in the text; first "": at the start of a line. */
static bool follows(const char *first, const char *second)
{
    struct strings lines = { 0 };
    bool found = false;
    write_text(scratch_path("again"), sentences);
    lines = read_file(scratch_path("again"));
    for (size_t i = 0; i < lines.count; i++) {
        char *save = NULL, before[32] = "";
        for (char *w = strtok_r(lines.items[i], " ", &save); w; w = strtok_r(NULL, " ", &save)) {
            found = found || (!strcmp(before, first) && !strcmp(w, second));
            snprintf(before, sizeof before, "%s", w);
        }
    }
    strings_release(&lines);
    return found;
}

static void every_word_has_stood_behind_the_one_before_it(void **state)
{
    struct munge_report r = munge(sentences, (struct munge_config){ .copies = 40, .replace = 1, .seed = 3 });
    struct strings lines = read_file(scratch_path("munged"));
    int odd = 0, words = 0;
    assert_int_equal(r.made, 120);
    assert_int_equal(lines.count, 120);
    for (size_t i = 0; i < lines.count; i++) {
        char *save = NULL, before[32] = "";
        for (char *w = strtok_r(lines.items[i], " ", &save); w; w = strtok_r(NULL, " ", &save)) {
            /* behind a word that only ends lines, any may stand */
            odd += !follows(before, w) && strcmp(before, "fish");
            words++;
            snprintf(before, sizeof before, "%s", w);
        }
    }
    assert_int_equal(odd, 0);
    assert_int_equal(words, r.words);
    assert_true(r.replaced > words / 4);
    strings_release(&lines);
}

static void without_replacing_copies_are_the_lines_themselves(void **state)
{
    munge("a b\n\nc\n", (struct munge_config){ .copies = 1, .replace = 0, .originals = true });
    struct strings lines = read_file(scratch_path("munged"));
    static const char *const wanted[] = { "a b", "a b", "", "", "c", "c" };
    assert_int_equal(lines.count, 6);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(lines.items[i], wanted[i]);
    strings_release(&lines);
}

static void about_the_share_of_words_gives_way_and_the_same_seed_says_which(void **state)
{
    struct munge_config c = { .copies = 200, .replace = 0.3f, .seed = 5 };
    munge(sentences, c);
    struct strings first = read_file(scratch_path("munged"));
    struct munge_report r = munge(sentences, c);
    struct strings second = read_file(scratch_path("munged"));
    assert_true(r.replaced < r.words * 0.3 && r.replaced > r.words * 0.08);     /* some draw the same word */
    for (size_t i = 0; i < first.count; i++)
        assert_string_equal(first.items[i], second.items[i]);
    strings_release(&first);
    strings_release(&second);
}

static void a_text_without_words_is_refused(void **state)
{
    struct munge_report r;
    const struct munge_config c = { .copies = 1 };
    write_text(scratch_path("text"), "\n\n");
    assert_int_equal(corpus_munge(&r, scratch_path("munged"), scratch_path("text"), &c, &err), -1);
    assert_non_null(strstr(err.text, "holds no words"));
    assert_false(file_exists(scratch_path("munged.partial")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_lines_change_places_and_none_is_lost),
        cmocka_unit_test(the_seed_says_which_lines_move),
        cmocka_unit_test(none_all_and_one_line_are_shares_too),
        cmocka_unit_test(every_word_has_stood_behind_the_one_before_it),
        cmocka_unit_test(without_replacing_copies_are_the_lines_themselves),
        cmocka_unit_test(about_the_share_of_words_gives_way_and_the_same_seed_says_which),
        cmocka_unit_test(a_text_without_words_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
