/* Labelling with toys behind a real tokenizer: what becomes of lines with which something is wrong. */
#include "tests/test.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "decode/label.h"
#include "decode/label_plan.h"
#include "decode/label_size.h"
#include "decode/nbest.h"
#include "seq2seq/teacher.h"
#include "tests/seq2seq/small_model.h"
#include "tests/decode/toy_tokenizer.h"
#include "tests/decode/toys.h"

/* Copies; but the source `broken` gets no usable scores, and the output of `mute` ends at once. */
static struct ids broken, mute;

static bool is_source(const struct toy_row *row, const struct ids *ids)
{
    return row->source_count == (int)ids->count + 1 && !memcmp(row->source, ids->items, ids->count * sizeof *ids->items);
}

static void moody(const struct toy *t, const struct toy_row *row, float *logp)
{
    toy_copies(t, row, logp);
    for (int v = 0; v < t->vocab; v++) {
        if (is_source(row, &broken))
            logp[v] = NAN;
        if (is_source(row, &mute))
            logp[v] = v == TOY_EOS ? 0 : -INFINITY;
    }
}

static int moody_new(struct stepper *out, const void *arg, struct error *err)
{
    (void)arg;
    (void)err;
    *out = toy_stepper(tokenizer_vocab(tokenizer), 0, moody);
    return 0;
}

static struct label_config label_config;
static struct search_config search;

static void defaults(void)
{
    const struct option_group groups[] = { { NULL, label_options, &label_config }, { NULL, search_options, &search },
                                           { NULL } };
    options_default(groups);
    ids_release(&broken);
    ids_release(&mute);
    tokenizer_encode(tokenizer, &broken, "the dogs", strlen("the dogs"));
    tokenizer_encode(tokenizer, &mute, "quick foxes", strlen("quick foxes"));
}

static void run_job(const char *folder, const struct strings *inputs, int threads, struct label_report *report)
{
    const struct translator translator = { tokenizer, tokenizer, 0, NULL, NULL, moody_new };
    json_t *models = json_object();
    struct error err = { 0 };
    const struct label_job job = {
        .inputs = inputs, .folder = folder, .translator = &translator, .models = models, .config = &label_config,
        .search = &search, .threads = threads, .shares = 1,
    };
    if (label_run(&job, report, &err) != 0)
        fail_msg("%s", err.text);
    json_decref(models);
}

static char *read_in(const char *folder, const char *name)
{
    char *path = path_join(folder, name), *text = NULL;
    struct error err = { 0 };
    if (file_read(&text, NULL, path, &err) < 0)
        fail_msg("%s", err.text);
    free(path);
    return text;
}

/* Each line of the input, what shall become of it, and by which mark. */
static const struct {
    const char *line, *best;
    unsigned marks;
} cases[] = {
    { "brown foxes", "brown foxes", 0 },
    { "", "", NBEST_EMPTY },
    { "the dogs", NULL, NBEST_FAILED },
    { "quick foxes", "", NBEST_BLANK },
    { "  ", "", NBEST_EMPTY },
    { "bad \377 bytes", "", NBEST_BAD_TEXT },
    { "jump over lazy foxes jump over lazy foxes jump over lazy foxes", "", NBEST_TOO_LONG },
    { "the dogs", NULL, NBEST_FAILED },
    { "foxes", "foxes", 0 },
};

static void write_cases(struct strings *inputs, const char *name)
{
    struct strbuf text = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        strbuf_printf(&text, "%s\n", cases[i].line);
    write_text(scratch_path(name), text.text);
    strings_add(inputs, scratch_path(name));
    strbuf_release(&text);
}

static void assert_best(char *text)
{
    char *line = text;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        *end = '\0';
        if (cases[i].best)
            assert_string_equal(line, cases[i].best);
        line = end + 1;
    }
    assert_string_equal(line, "");
    free(text);
}

static void assert_lists(const char *folder)
{
    char *path = path_join(folder, LABEL_NBEST);
    struct nbest lists;
    struct error err = { 0 };
    assert_int_equal(nbest_open(&lists, path, &err), 0);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_int_equal(nbest_next(&lists, &err), 1);
        assert_int_equal(lists.line.sentence, i);
        unsigned told = lists.line.marks;
        if (cases[i].marks == NBEST_FAILED)             /* it was cut as well, and has no text */
            told &= NBEST_FAILED;
        assert_int_equal(told, cases[i].marks);
        assert_true(!(cases[i].marks & NBEST_FAILED) || lists.line.logp == -INFINITY);
    }
    assert_int_equal(nbest_next(&lists, &err), 0);
    nbest_close(&lists);
    free(path);
}

static void every_line_has_one_record_whatever_becomes_of_it(void **state)
{
    struct strings inputs = { 0 };
    struct label_report report;
    defaults();
    search.beam = 3;
    search.max_source = 12;
    search.long_lines = LONG_REFUSE;
    label_config.shard_lines = 4;
    write_cases(&inputs, "cases");
    for (int threads = 1; threads <= 3; threads++) {
        char name[16];
        snprintf(name, sizeof name, "labels%d", threads);
        char *folder = xstrdup(scratch_path(name));
        run_job(folder, &inputs, threads, &report);
        assert_true(report.joined);
        assert_int_equal(report.lines, ARRAY_COUNT(cases));
        assert_int_equal(report.shards, 3);
        for (int m = 0; m < NBEST_MARKS; m++) {
            int64_t wanted = 0;
            for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
                wanted += cases[i].marks == 1u << m;
            if (1u << m != NBEST_CUT && 1u << m != NBEST_BLANK)        /* failed ones are these, too */
                assert_int_equal(report.marks[m], wanted);
        }
        assert_best(read_in(folder, LABEL_BEST));
        assert_lists(folder);
        free(folder);
    }
    strings_release(&inputs);
}

static void shards_of_any_size_give_the_same_lists(void **state)
{
    struct strings inputs = { 0 };
    struct label_report report;
    char *first = NULL;
    defaults();
    search.beam = 2;
    search.n_best = 2;
    write_cases(&inputs, "cases");
    for (int lines = 1; lines <= 16; lines *= 4) {
        char name[16];
        snprintf(name, sizeof name, "sized%d", lines);
        char *folder = xstrdup(scratch_path(name));
        label_config.shard_lines = lines;
        run_job(folder, &inputs, 2, &report);
        char *lists = read_in(folder, LABEL_NBEST);
        if (first)
            assert_string_equal(lists, first);
        else
            first = xstrdup(lists);
        free(lists);
        free(folder);
    }
    free(first);
    strings_release(&inputs);
}

/* ---- soft targets ---- */

static void more_soft_targets_than_the_disk_has_room_for_are_refused(void **state)
{
    struct error err = { 0 };
    struct model_config c = small_config("transformer", 8);
    const struct model *m = small_model(&c, "bpe", 1);
    struct teacher *teacher = teacher_new(&m, 1, &(struct teacher_config){ .temperature = 1 }, &err);
    struct label_config config = { .soft = SOFT_TOP_K, .soft_k = 65535 };
    char *folder = xstrdup(scratch_path("."));
    const struct label_job job = { .folder = folder, .teacher = teacher, .config = &config };
    const struct label_plan plan = { .target_tokens = 20 };
    assert_int_equal(label_size_check(&job, &plan, 1, "do so", &err), 0);
    assert_int_equal(label_size_check(&job, &plan, INT64_C(1) << 50, "do so", &err), -1);
    assert_non_null(strstr(err.text, "left; do so"));
    config.soft = SOFT_TOP_P;           /* which may turn out to be less */
    assert_int_equal(label_size_check(&job, &plan, INT64_C(1) << 50, "do so", &err), 0);
    free(folder);
    teacher_free(teacher);
    model_free((struct model *)(uintptr_t)m);
}

/* Lists as lines. */

static void marks_survive_writing_and_reading(void **state)
{
    char *path = xstrdup(scratch_path("marks"));
    struct nbest lists;
    struct error err = { 0 };
    FILE *out = fopen(path, "w");
    for (unsigned marks = 0; marks < 1u << NBEST_MARKS; marks++)
        nbest_put(out, marks, -0.5, marks % 2 ? -INFINITY : -1.25, marks, "a text\twith a tab");
    fclose(out);
    assert_int_equal(nbest_open(&lists, path, &err), 0);
    for (unsigned marks = 0; marks < 1u << NBEST_MARKS; marks++) {
        assert_int_equal(nbest_next(&lists, &err), 1);
        assert_int_equal(lists.line.sentence, marks);
        assert_int_equal(lists.line.marks, marks);
        assert_true(lists.line.logp == (marks % 2 ? -INFINITY : -1.25));
    }
    assert_int_equal(nbest_next(&lists, &err), 0);
    nbest_close(&lists);
    free(path);
}

static void a_line_that_is_no_hypothesis_is_named(void **state)
{
    static const char *const wrong[] = { "", "0", "0\t1\t2", "x\t1\t2\t-\ttext", "0\t1\t2\tz\ttext", "0\tx\t2\t-\ttext", "0\t1\t2\t-" };
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        char *path = xstrdup(scratch_path("wrong")), text[64];
        struct nbest lists;
        struct error err = { 0 };
        snprintf(text, sizeof text, "0\t-1\t-2\t-\tgood\n%s\n", wrong[i]);
        write_text(path, text);
        assert_int_equal(nbest_open(&lists, path, &err), 0);
        assert_int_equal(nbest_next(&lists, &err), 1);
        assert_int_equal(nbest_next(&lists, &err), -1);
        assert_non_null(strstr(err.text, "wrong:2: not a line of an n-best list"));
        nbest_close(&lists);
        free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_has_one_record_whatever_becomes_of_it),
        cmocka_unit_test(shards_of_any_size_give_the_same_lists),
        cmocka_unit_test(more_soft_targets_than_the_disk_has_room_for_are_refused),
        cmocka_unit_test(marks_survive_writing_and_reading),
        cmocka_unit_test(a_line_that_is_no_hypothesis_is_named),
    };
    int failed = cmocka_run_group_tests(tests, train_tokenizer, drop_tokenizer);
    ids_release(&broken);
    ids_release(&mute);
    return failed;
}
