/* Examples of tasks in one file or in files line by line: the same, and what is refused. */
#include "tests/test.h"

#include "base/error.h"
#include "base/memory.h"
#include "corpora/examples.h"
#include "corpora/task.h"

static struct error err;

/* Writes what is not NULL to one.tsv or a.txt, b.txt and its.labels. */
static struct example_files files_of(const char *texts, const char *labels, const char *second)
{
    const struct example_files f = {
        scratch_path(labels ? "a.txt" : "one.tsv"), labels ? scratch_path("its.labels") : NULL,
        second ? scratch_path("b.txt") : NULL,
    };
    write_text(f.texts, texts);
    if (labels)
        write_text(f.labels, labels);
    if (second)
        write_text(f.second, second);
    return f;
}

static void check_lines(struct example_files f, const char *const *wanted, size_t count)
{
    struct strings lines = { 0 };
    if (examples_read(&lines, &f, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(lines.count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(lines.items[i], wanted[i]);
    strings_release(&lines);
}

static void files_line_by_line_are_the_same_as_one(void **state)
{
    static const char *const one[] = { "a\tfirst", "b\tanother one" };
    check_lines(files_of("a\tfirst\nb\tanother one\n", NULL, NULL), one, 2);
    check_lines(files_of("first\nanother one\n", "a\nb\n", NULL), one, 2);
    check_lines(files_of("first\r\nanother one", "a\r\nb", NULL), one, 2);

    static const char *const two[] = { "yes\tthis\tthat", "no\there\tthere" };
    check_lines(files_of("yes\tthis\tthat\nno\there\tthere\n", NULL, NULL), two, 2);
    check_lines(files_of("this\nhere\n", "yes\nno\n", "that\nthere\n"), two, 2);
    check_lines(files_of("this\tthat\nhere\tthere\n", "yes\nno\n", NULL), two, 2);
}

static void a_task_learns_the_same_of_both(void **state)
{
    struct task t = { .name = xstrdup("x"), .kind = TASK_TAG };
    struct example_files f = files_of("the red cat\na dog\n", "O B-C I-C\nO B-D\n", NULL);
    int64_t counts[4], examples;
    assert_int_equal(task_learn(&t, &f, &err), 0);
    assert_int_equal(task_learn_texts(&t, &f, &err), 0);
    assert_int_equal(t.texts, 1);
    assert_int_equal(t.labels.count, 4);
    assert_int_equal(task_count(&t, &f, counts, &examples, &err), 0);
    assert_int_equal(examples, 2);
    assert_int_equal(counts[3], 2);             /* O, behind B-C, B-D and I-C */
    task_release(&t);

    struct task u = { .name = xstrdup("x"), .kind = TASK_REGRESS };
    f = files_of("a\nb\n", "1\n3\n", "c\nd\n");
    assert_int_equal(task_learn(&u, &f, &err), 0);
    assert_true(u.mean == 2);
    assert_int_equal(task_learn_texts(&u, &f, &err), 0);
    assert_int_equal(u.texts, 2);
    task_release(&u);
}

static void texts_come_from_one_file_or_two(void **state)
{
    struct strings lines = { 0 };
    struct example_files f = files_of("one\ttwo\nthree\n", "", "");
    assert_int_equal(text_lines_read(&lines, f.texts, NULL, &err), 0);
    assert_int_equal(lines.count, 2);
    assert_string_equal(lines.items[0], "one\ttwo");
    f = files_of("one\nthree\n", "", "two\nfour\n");
    assert_int_equal(text_lines_read(&lines, f.texts, f.second, &err), 0);
    assert_int_equal(lines.count, 4);
    assert_string_equal(lines.items[3], "three\tfour");
    strings_release(&lines);
}

static const struct {
    const char *texts, *labels, *second, *said;
} mistakes[] = {
    { "x\ny\n", "a\n", NULL, "a.txt:2: nothing stands beside it: '" },
    { "x\n", "a\nb\nc\n", NULL, "its.labels:2: nothing stands beside it: '" },
    { "x\ny\n", "a\n \n", NULL, "its.labels:2: the label is empty" },
    { "x\n\n", "a\nb\n", NULL, "a.txt:2: text 1 is empty" },
    { "x\tz\ny\n", "a\nb\n", NULL, "a.txt:2: 1 text, but 2 in the examples before" },
    { "x\ty\tz\n", "a\n", NULL, "a.txt:1: more than two texts" },
    { "x\n", "a\tx\n", NULL, "its.labels:1: a tab; a file of labels has a label a line" },
    { "x\ny\n", "a\nb\n", "z\n", "has 2 lines but" },
    { "x\ny\n", "a\nb\n", "z\n \n", "b.txt:2: the text is empty" },
    { "x\ty\n", "a\n", "z\n", "a.txt:1: a tab in the text; with a second file of texts" },
    { "x\n", "a\n", "z\tq\n", "b.txt:1: a tab in the text; with a second file of texts" },
    { "x\ny\n", "a\n\377\n", NULL, "its.labels:2: " },
};

static void mistakes_are_told_by_file_and_line(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(mistakes); i++) {
        struct example_files f = files_of(mistakes[i].texts, mistakes[i].labels, mistakes[i].second);
        struct strings lines = { 0 };
        assert_int_equal(examples_read(&lines, &f, &err), -1);
        if (!strstr(err.text, mistakes[i].said))
            fail_msg("case %zu says: %s", i, err.text);
        strings_release(&lines);
    }
}

static void a_label_is_blamed_on_its_own_file(void **state)
{
    struct task t = { .name = xstrdup("x"), .kind = TASK_CLASSIFY };
    int64_t counts[2], examples;
    strings_add(&t.labels, "a");
    strings_add(&t.labels, "b");
    struct example_files f = files_of("x\ny\n", "a\nc\n", NULL);
    assert_int_equal(task_count(&t, &f, counts, &examples, &err), -1);
    assert_non_null(strstr(err.text, "its.labels:2: unknown label 'c' of task 'x', which knows a, b"));
    f = files_of("", "", NULL);
    assert_int_equal(task_count(&t, &f, counts, &examples, &err), -1);
    assert_non_null(strstr(err.text, "holds no examples of task 'x'"));
    task_release(&t);
}

static void standard_input_is_one_file(void **state)
{
    struct examples in = { 0 };
    assert_int_equal(examples_open(&in, &(struct example_files){ "-", "-", NULL }, 0, &err), -1);
    examples_close(&in);
    assert_non_null(strstr(err.text, "standard input"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_line_by_line_are_the_same_as_one),
        cmocka_unit_test(a_task_learns_the_same_of_both),
        cmocka_unit_test(texts_come_from_one_file_or_two),
        cmocka_unit_test(mistakes_are_told_by_file_and_line),
        cmocka_unit_test(a_label_is_blamed_on_its_own_file),
        cmocka_unit_test(standard_input_is_one_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
