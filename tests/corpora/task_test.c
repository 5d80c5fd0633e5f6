/* Examples of tasks: what is learnt from them, how they become ids, and what is refused. */
#include "tests/test.h"

#include <math.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "corpora/examples.h"
#include "corpora/store.h"
#include "corpora/task.h"
#include "tokenize/tokenizer.h"

static struct error err;

static const char *file_of(const char *text)
{
    const char *path = scratch_path("examples.tsv");
    write_text(path, text);
    return path;
}

/* The same for what takes all files of a set. */
static const struct example_files *files_of(const char *text)
{
    static struct example_files files;
    files = (struct example_files){ file_of(text) };
    return &files;
}

static void labels_are_learnt_whatever_their_order(void **state)
{
    struct task t = { .name = xstrdup("x"), .kind = TASK_CLASSIFY };
    assert_int_equal(task_learn(&t, files_of("10\tone text\n2\tanother\nb\tc\n10\td\na\te\n"), &err), 0);
    assert_int_equal(t.labels.count, 4);
    assert_string_equal(t.labels.items[0], "2");        /* numbers by value, before words */
    assert_string_equal(t.labels.items[1], "10");
    assert_string_equal(t.labels.items[2], "a");
    int64_t counts[4], examples;
    assert_int_equal(task_count(&t, files_of("10\tx\n10\ty\na\tz\n"), counts, &examples, &err), 0);
    assert_int_equal(examples, 3);
    assert_int_equal(counts[1], 2);
    assert_int_equal(counts[0], 0);
    task_release(&t);
}

static void numbers_are_learnt_as_mean_and_deviation(void **state)
{
    struct task t = { .name = xstrdup("x"), .kind = TASK_REGRESS };
    int32_t bits;
    float scaled;
    assert_int_equal(task_learn(&t, files_of("1\ta\tb\n2\tc\td\n3\te\tf\n"), &err), 0);
    assert_true(fabsf(t.mean - 2) < 1e-6f && fabsf(t.deviation - 1) < 1e-6f);
    assert_int_equal(task_label_id(&t, "4.5", &bits, &err), 0);
    memcpy(&scaled, &bits, sizeof scaled);
    assert_true(fabsf(scaled - 2.5f) < 1e-6f);
    task_release(&t);
}

static void a_task_survives_json(void **state)
{
    struct task t = { .name = xstrdup("x"), .kind = TASK_TAG }, again;
    strings_add(&t.labels, "O");
    strings_add(&t.labels, "B-PER");
    json_t *json = task_json(&t);
    assert_int_equal(task_from_json(&again, json, &err), 0);
    assert_string_equal(again.labels.items[1], "B-PER");
    assert_int_equal(again.kind, TASK_TAG);
    json_object_del(json, "labels");
    struct task bad;
    assert_int_equal(task_from_json(&bad, json, &err), -1);
    json_decref(json);
    task_release(&t);
    task_release(&again);
}

static struct tokenizer *tokenizer(void)
{
    struct tokenizer *t = tokenizer_load(TEST_DATA "/../tokenize/golden/bpe.model", &err);
    assert_non_null(t);
    return t;
}

static void a_store_holds_labels_and_their_places(void **state)
{
    struct task t = { .name = xstrdup("x"), .kind = TASK_TAG };
    struct tokenizer *spm = tokenizer();
    const char *path = scratch_path("tags.store");
    strings_add(&t.labels, "A");
    strings_add(&t.labels, "B");
    if (examples_build(path, file_of("A B A\tthe people sing\nB\tx\n"), &t, spm, &err) < 0)
        fail_msg("%s", err.text);
    struct store *s = store_open(path, true, &err);
    assert_non_null(s);
    assert_int_equal(store_count(s), 2);
    int pairs, ids;
    const int32_t *pair = store_target(s, 0, &pairs), *source = store_source(s, 0, &ids);
    assert_int_equal(pairs, 6);
    assert_int_equal(pair[0], 0);
    assert_int_equal(pair[2], 1);
    assert_int_equal(pair[1], 0);
    assert_true(pair[3] > 0 && pair[5] > pair[3] && pair[5] < ids);
    struct ids words = { 0 };                   /* each word begins where it is said to */
    tokenizer_encode(spm, &words, "people", 6);
    assert_memory_equal(source + pair[3], words.items, words.count * sizeof *source);
    ids_release(&words);
    store_close(s);
    tokenizer_free(spm);
    task_release(&t);
}

static void two_texts_have_an_end_between_them(void **state)
{
    struct task t = { .name = xstrdup("x"), .kind = TASK_CLASSIFY };
    struct tokenizer *spm = tokenizer();
    struct example e = { "a", { "one", "two" }, 2 };
    struct ids ids = { 0 }, one = { 0 };
    example_encode(&t, &e, spm, &ids, NULL);
    tokenizer_encode(spm, &one, "one", 3);
    assert_memory_equal(ids.items, one.items, one.count * sizeof *one.items);
    assert_int_equal(ids.items[one.count], tokenizer_eos(spm));
    ids_release(&ids);
    ids_release(&one);
    tokenizer_free(spm);
    task_release(&t);
}

static const struct {
    int kind;
    const char *text, *said;
} mistakes[] = {
    { TASK_CLASSIFY, "a\tx\nc\ty\n", ":2: unknown label 'c' of task 'x', which knows a, b" },
    { TASK_CLASSIFY, "a\tx\nb\n", ":2: no tab" },
    { TASK_CLASSIFY, "a\tx\ty\nb\tz\n", ":2: 1 text, but 2 in the examples before" },
    { TASK_CLASSIFY, "a\tx\ty\tz\n", ":1: more than three columns" },
    { TASK_CLASSIFY, "\tx\n", ":1: the label is empty" },
    { TASK_CLASSIFY, "a\t \n", ":1: column 2, a text, is empty" },
    { TASK_CLASSIFY, "", "holds no examples of task 'x'" },
    { TASK_REGRESS, "1\tx\nnan\ty\n", ":2: 'nan' is no number" },
    { TASK_REGRESS, "1\tx\n2,5\ty\n", ":2: '2,5' is no number" },
    { TASK_TAG, "a b\tone two three\n", ":1: 2 labels for 3 words" },
    { TASK_TAG, "a b\tone two\tthree\n", ":1: a tagged example has one text" },
};

static void bad_examples_are_named_by_file_and_line(void **state)
{
    struct tokenizer *spm = tokenizer();
    for (size_t i = 0; i < ARRAY_COUNT(mistakes); i++) {
        struct task t = { .name = xstrdup("x"), .kind = mistakes[i].kind, .mean = 0, .deviation = 1 };
        strings_add(&t.labels, "a");
        strings_add(&t.labels, "b");
        const char *store = scratch_path("bad.store");
        assert_int_equal(examples_build(store, file_of(mistakes[i].text), &t, spm, &err), -1);
        if (!strstr(err.text, mistakes[i].said) || !strstr(err.text, "examples.tsv"))
            fail_msg("case %zu says: %s", i, err.text);
        assert_false(file_exists(store));
        task_release(&t);
    }
    tokenizer_free(spm);
}

static void examples_that_are_all_alike_teach_nothing(void **state)
{
    struct task t = { .name = xstrdup("x"), .kind = TASK_CLASSIFY }, u = { .name = xstrdup("y"), .kind = TASK_REGRESS };
    assert_int_equal(task_learn(&t, files_of("a\tx\na\ty\n"), &err), -1);
    assert_non_null(strstr(err.text, "have the label 'a'"));
    assert_int_equal(task_learn(&u, files_of("2\tx\n2\ty\n"), &err), -1);
    assert_non_null(strstr(err.text, "are the same"));
    task_release(&t);
    task_release(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_learnt_whatever_their_order),
        cmocka_unit_test(numbers_are_learnt_as_mean_and_deviation),
        cmocka_unit_test(a_task_survives_json),
        cmocka_unit_test(a_store_holds_labels_and_their_places),
        cmocka_unit_test(two_texts_have_an_end_between_them),
        cmocka_unit_test(bad_examples_are_named_by_file_and_line),
        cmocka_unit_test(examples_that_are_all_alike_teach_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
