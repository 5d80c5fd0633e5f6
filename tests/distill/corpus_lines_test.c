/* Training sets read with what stands beside their pairs. */
#include "tests/test.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "distill/corpus_lines.h"

static struct corpus_files corpus;
static char *gold;

static char *text_file(const char *name, const char *text)
{
    char *path = xstrdup(scratch_path(name));
    write_text(path, text);
    return path;
}

static void open_files(const char *lines, const char *weights)
{
    corpus = (struct corpus_files){
        .train = { .source = text_file("c.s", "one\nthree\nthree again\n"), .target = text_file("c.t", "1\n3\n3!\n") },
        .lines = lines ? text_file("c.lines", lines) : NULL, .weights = weights ? text_file("c.weights", weights) : NULL,
    };
    gold = text_file("c.gold", "eins\nzwei\ndrei\n");
}

static void close_files(void)
{
    corpus_files_release(&corpus);
    free(gold);
}

static void pairs_come_with_their_line_weight_and_gold(void **state)
{
    static const char *const golds[] = { "eins", "drei", "drei" };
    static const int64_t lines[] = { 1, 3, 3 };
    static const double weights[] = { 1, 0.25, 0.75 };
    struct corpus_lines in = { 0 };
    struct error err = { 0 };
    int n = 0;
    open_files("1\n3\n3\n", "1\n0.25\n0.75\n");
    assert_int_equal(corpus_lines_open(&in, &corpus, gold, &err), 0);
    for (; corpus_lines_next(&in, &err) > 0; n++) {
        assert_int_equal(in.number, n + 1);
        assert_int_equal(in.line, lines[n]);
        assert_true(in.weight == weights[n]);
        assert_string_equal(in.gold.text, golds[n]);
    }
    assert_int_equal(n, 3);
    corpus_lines_close(&in);
    close_files();
}

static void without_more_files_pairs_are_their_own_lines(void **state)
{
    struct corpus_lines in = { 0 };
    struct error err = { 0 };
    open_files(NULL, NULL);
    assert_int_equal(corpus_lines_open(&in, &corpus, NULL, &err), 0);
    for (int n = 1; n <= 3; n++) {
        assert_int_equal(corpus_lines_next(&in, &err), 1);
        assert_int_equal(in.line, n);
        assert_true(in.weight == 1);
    }
    assert_int_equal(corpus_lines_next(&in, &err), 0);
    corpus_lines_close(&in);
    close_files();
}

static void assert_refused(const char *lines, const char *weights, const char *why)
{
    struct corpus_lines in = { 0 };
    struct error err = { 0 };
    int more = 1;
    open_files(lines, weights);
    assert_int_equal(corpus_lines_open(&in, &corpus, gold, &err), 0);
    while (more > 0)
        more = corpus_lines_next(&in, &err);
    assert_int_equal(more, -1);
    if (!strstr(err.text, why))
        fail_msg("'%s' does not say '%s'", err.text, why);
    corpus_lines_close(&in);
    close_files();
}

static void what_is_wrong_is_named_by_file_and_line(void **state)
{
    assert_refused("1\nx\n3\n", NULL, "c.lines:2: not a line's number");
    assert_refused("1\n3\n2\n", NULL, "c.lines:3: lines count from 1 and do not fall");
    assert_refused("0\n1\n2\n", NULL, "c.lines:1: lines count from 1 and do not fall");
    assert_refused("1\n2\n", NULL, "c.lines' ends after 2 lines");
    assert_refused("1\n2\n4\n", NULL, "c.gold' ends after 3 lines");
    assert_refused("1\n2\n3\n", "1\n-1\n1\n", "c.weights:2: not a weight");
    assert_refused("1\n2\n3\n", "1\nnan\n1\n", "c.weights:2: not a weight");
    assert_refused("1\n2\n3\n", "1\n", "c.weights' ends after 1 lines");
}

static void all_weights_are_read_at_once(void **state)
{
    struct error err = { 0 };
    float *weights;
    open_files(NULL, "1\n0.5\n2e-3\n");
    assert_int_equal(corpus_weights_read(&weights, &corpus, 3, &err), 0);
    assert_true(weights[0] == 1 && weights[1] == 0.5f && weights[2] == 2e-3f);
    free(weights);
    assert_int_equal(corpus_weights_read(&weights, &corpus, 4, &err), -1);
    assert_non_null(strstr(err.text, "ends after 3 lines"));
    close_files();
    open_files(NULL, NULL);
    assert_int_equal(corpus_weights_read(&weights, &corpus, 3, &err), 0);
    assert_null(weights);
    close_files();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_come_with_their_line_weight_and_gold),
        cmocka_unit_test(without_more_files_pairs_are_their_own_lines),
        cmocka_unit_test(what_is_wrong_is_named_by_file_and_line),
        cmocka_unit_test(all_weights_are_read_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
