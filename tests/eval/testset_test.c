#include "tests/test.h"

#include "base/error.h"
#include "eval/testset.h"

static struct testset set;
static struct error err;
static char path[4][4096];

/* Writes the texts to files and returns the path of the i-th. */
static const char *file(int i, const char *text)
{
    char name[16];
    snprintf(name, sizeof name, "file%d", i);
    snprintf(path[i], sizeof path[i], "%s", scratch_path(name));
    write_text(path[i], text);
    return path[i];
}

static int load(const char *ref, int num_refs, const char *hyp)
{
    const char *refs[] = { file(0, ref) };
    char *hyps[] = { (char *)(uintptr_t)file(1, hyp) };
    testset_release(&set);
    return testset_load(&set, refs, 1, num_refs, hyps, 1, (struct encoding){ 0 }, 0, &err);
}

static void assert_text(struct text got, const char *want)
{
    assert_int_equal(got.length, strlen(want));
    assert_memory_equal(got.bytes, want, got.length);
}

static void lines_lose_the_white_space_at_their_end(void **state)
{
    assert_int_equal(load("a\n\n", 1, "b \t\r\n c\u3000"), 0);
    assert_int_equal(set.n, 2);
    assert_text(set.refs[0], "a");
    assert_text(set.refs[1], "");
    assert_text(set.systems[0].hyps[0], "b");
    assert_text(set.systems[0].hyps[1], " c");
    assert_string_equal(set.systems[0].name, path[1]);
}

static void references_may_be_columns_of_one_file(void **state)
{
    assert_int_equal(load("a\tb\tc\n\tx\n", 2, "h\nh\n"), 0);
    assert_int_equal(set.nrefs, 2);
    assert_text(set.refs[0], "a");
    assert_text(set.refs[1], "");
    assert_text(set.refs[2], "b\tc");
    assert_text(set.refs[3], "x");
}

static void tabs_in_a_file_of_one_column_are_text(void **state)
{
    assert_int_equal(load("a\tb\n", 1, "c\td\n"), 0);
    assert_text(set.refs[0], "a\tb");
    assert_text(set.systems[0].hyps[0], "c\td");
}

static void a_byte_order_mark_counts_as_in_sacrebleu(void **state)
{
    assert_int_equal(load("a\n", 1, "\xEF\xBB\xBF" "a\n"), 0);
    assert_text(set.systems[0].hyps[0], "\xEF\xBB\xBF" "a");
}

static void a_long_file_keeps_all_its_lines(void **state)
{
    struct strbuf text = { 0 };
    for (int i = 0; i < 100000; i++)
        strbuf_printf(&text, "line %d\n", i);
    assert_int_equal(load(text.text, 1, text.text), 0);
    assert_int_equal(set.n, 100000);
    assert_text(set.refs[99999], "line 99999");
    strbuf_release(&text);
}

static void bad_files_are_told_by_name(void **state)
{
    static const struct { const char *ref, *hyp; int num_refs; const char *told[3]; } cases[] = {
        { "a\nb\n", "a\n", 1, { "file0 has 2 lines", "file1 has 1 line " } },
        { "", "a\n", 1, { "file0 is empty" } },
        { "a\n", "", 1, { "file1 is empty" } },
        { "a\tb\nc\n", "h\nh\n", 2, { "file0:2", "expected 2 columns", "found 1" } },
        { "a\n\xff\n", "h\nh\n", 1, { "file0", "2", "UTF-8" } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(load(cases[i].ref, cases[i].num_refs, cases[i].hyp), -1);
        for (int k = 0; k < 3 && cases[i].told[k]; k++)
            if (!strstr(err.text, cases[i].told[k]))
                fail_msg("'%s' is not told in: %s", cases[i].told[k], err.text);
    }
    const char *absent[] = { "/nowhere/ref" };
    assert_int_equal(testset_load(&set, absent, 1, 1, NULL, 0, (struct encoding){ 0 }, 0, &err), -1);
    assert_non_null(strstr(err.text, "/nowhere/ref"));
}

static int release(void **state)
{
    testset_release(&set);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_lose_the_white_space_at_their_end),
        cmocka_unit_test(references_may_be_columns_of_one_file),
        cmocka_unit_test(tabs_in_a_file_of_one_column_are_text),
        cmocka_unit_test(a_byte_order_mark_counts_as_in_sacrebleu),
        cmocka_unit_test(a_long_file_keeps_all_its_lines),
        cmocka_unit_test(bad_files_are_told_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
