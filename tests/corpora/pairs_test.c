/* Files read side by side, and where they fall out of step. */
#include "tests/test.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/rng.h"
#include "corpora/pairs.h"

static void pairs_come_line_by_line(void **state)
{
    char source[4096], target[4096];
    struct pairs in = { 0 };
    snprintf(source, sizeof source, "%s", scratch_path("a"));
    snprintf(target, sizeof target, "%s", scratch_path("b"));
    write_text(source, "one\ntwo\n\nfour");
    write_text(target, "eins\r\nzwei\r\ndrei\r\nvier\r\n");
    assert_int_equal(pairs_open(&in, source, target, NULL), 0);
    assert_int_equal(pairs_next(&in, NULL), 1);
    assert_string_equal(in.source.text, "one");
    assert_string_equal(in.target.text, "eins");
    assert_int_equal(pairs_next(&in, NULL), 1);
    assert_int_equal(pairs_next(&in, NULL), 1);
    assert_string_equal(in.source.text, "");
    assert_string_equal(in.target.text, "drei");
    assert_int_equal(pairs_next(&in, NULL), 1);
    assert_string_equal(in.source.text, "four");
    assert_int_equal(pairs_next(&in, NULL), 0);
    pairs_close(&in);
}

/* Line i of an invented corpus: both sides vary in length together, some have numbers. */
static void write_line(FILE *f, int i, bool target)
{
    struct rng rng;
    rng_seed(&rng, 77, (uint64_t)i);
    int words = 3 + (int)rng_below(&rng, 25);
    bool number = rng_below(&rng, 4) == 0;
    words += target ? (int)rng_below(&rng, 3) : 0;
    for (int k = 0; k < words; k++)
        fputs(target ? "wörter " : "words ", f);
    if (number)
        fprintf(f, "%d", i);
    fputs(".\n", f);
}

static void write_corpus(const char *path, int lines, bool target, int without, int added)
{
    FILE *f = fopen(path, "w");
    for (int i = 1; i <= lines; i++) {
        if (i != without)
            write_line(f, i, target);
        if (i == added)
            fputs("a line that has come in here by mistake and does not fit\n", f);
    }
    fclose(f);
}

static void read_all(const char *source, const char *target, struct error *err)
{
    struct pairs in = { 0 };
    int more;
    assert_int_equal(pairs_open(&in, source, target, err), 0);
    while ((more = pairs_next(&in, err)) > 0)
        ;
    assert_int_equal(more, -1);
    pairs_close(&in);
}

static void slip_is_named_with_both_files_counts_and_line(void **state)
{
    static const struct { int lost, added; } cases[] = {
        { 1, 0 }, { 2, 0 }, { 50, 0 }, { 1777, 0 }, { 0, 5 }, { 0, 900 }, { 0, 1900 },
    };
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++)
        for (int side = 0; side < 2; side++) {
            char path[2][4096], counts[2][64];
            struct error err = { 0 };
            int slip = cases[n].lost ? cases[n].lost : cases[n].added + 1;
            int lines = cases[n].lost ? 1999 : 2001;
            snprintf(path[0], sizeof path[0], "%s", scratch_path("good"));
            snprintf(path[1], sizeof path[1], "%s", scratch_path("bad"));
            write_corpus(path[0], 2000, side, 0, 0);
            write_corpus(path[1], 2000, !side, cases[n].lost, cases[n].added);
            read_all(path[side ? 1 : 0], path[side ? 0 : 1], &err);
            snprintf(counts[0], sizeof counts[0], "' has 2000");
            snprintf(counts[1], sizeof counts[1], "' has %d", lines);
            for (int i = 0; i < 2; i++) {
                assert_non_null(strstr(err.text, path[i]));
                assert_non_null(strstr(err.text, counts[i]));
            }
            const char *about = strstr(err.text, "about line ");
            if (!about)
                fail_msg("lost %d added %d side %d: %s", cases[n].lost, cases[n].added, side, err.text);
            assert_true(abs(atoi(about + strlen("about line ")) - slip) <= 4);
        }
}

static void missing_end_is_told_from_a_slip(void **state)
{
    char path[2][4096];
    struct error err = { 0 };
    snprintf(path[0], sizeof path[0], "%s", scratch_path("whole"));
    snprintf(path[1], sizeof path[1], "%s", scratch_path("cut"));
    write_corpus(path[0], 2000, false, 0, 0);
    write_corpus(path[1], 1900, true, 0, 0);
    read_all(path[0], path[1], &err);
    assert_non_null(strstr(err.text, "2000 lines"));
    assert_non_null(strstr(err.text, "seems to lack what should follow its line 1900"));
    assert_int_equal(pairs_misaligned(path[0], path[1]), 0);
}

static void pipes_are_not_read_again_to_find_a_slip(void **state)
{
    char path[2][4096];
    struct error err = { 0 };
    snprintf(path[0], sizeof path[0], "%s", scratch_path("pipe"));
    snprintf(path[1], sizeof path[1], "%s", scratch_path("file"));
    assert_int_equal(mkfifo(path[0], 0600), 0);
    write_corpus(path[1], 5, true, 0, 0);
    int writer = open(path[0], O_RDWR);
    assert_int_equal(write(writer, "line one\n", 9), 9);
    struct pairs in = { 0 };
    alarm(20);                          /* opened again, it would wait for ever */
    assert_int_equal(pairs_open(&in, path[0], path[1], &err), 0);
    close(writer);
    assert_int_equal(pairs_next(&in, &err), 1);
    assert_int_equal(pairs_next(&in, &err), -1);
    alarm(0);
    assert_non_null(strstr(err.text, "has 1 lines but"));
    pairs_close(&in);
}

static void aligned_files_show_no_slip(void **state)
{
    char path[2][4096];
    snprintf(path[0], sizeof path[0], "%s", scratch_path("one"));
    snprintf(path[1], sizeof path[1], "%s", scratch_path("two"));
    write_corpus(path[0], 20000, false, 0, 0);
    write_corpus(path[1], 20000, true, 0, 0);
    assert_int_equal(pairs_misaligned(path[0], path[1]), 0);
}

static void slip_is_found_in_real_text(void **state)
{
    static const char *const source = SHARED_DATA "/multi30k/train.en";
    struct pairs in = { 0 };
    NEED_FILE(source);
    char cut[4096];
    snprintf(cut, sizeof cut, "%s", scratch_path("cut.de"));
    FILE *f = fopen(cut, "w");
    assert_int_equal(pairs_open(&in, source, SHARED_DATA "/multi30k/train.de", NULL), 0);
    while (pairs_next(&in, NULL) > 0)
        if (in.target.number != 12345)
            fprintf(f, "%s\n", in.target.text);
    fclose(f);
    pairs_close(&in);
    int64_t line = pairs_misaligned(source, cut);
    assert_in_range(line, 12340, 12352);
}

static void bad_files_are_errors(void **state)
{
    char good[4096], bad[4096];
    struct error err = { 0 };
    struct pairs in = { 0 };
    snprintf(good, sizeof good, "%s", scratch_path("good.txt"));
    snprintf(bad, sizeof bad, "%s", scratch_path("bad.txt"));
    write_text(good, "a\nb\n");
    write_text(bad, "a\n\xff\n");
    assert_int_equal(pairs_open(&in, good, scratch_path("none.txt"), &err), -1);
    assert_non_null(strstr(err.text, "none.txt"));
    assert_int_equal(pairs_open(&in, "-", "-", &err), -1);
    read_all(good, bad, &err);
    assert_non_null(strstr(err.text, "bad.txt"));
    assert_non_null(strstr(err.text, "2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_come_line_by_line),
        cmocka_unit_test(slip_is_named_with_both_files_counts_and_line),
        cmocka_unit_test(missing_end_is_told_from_a_slip),
        cmocka_unit_test(pipes_are_not_read_again_to_find_a_slip),
        cmocka_unit_test(aligned_files_show_no_slip),
        cmocka_unit_test(slip_is_found_in_real_text),
        cmocka_unit_test(bad_files_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
