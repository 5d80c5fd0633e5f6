/* The stage `select`, on n-best lists written by hand. */
#include "tests/test.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/option.h"
#include "distill/corpus_files.h"
#include "distill/kinds.h"

static const char gold_source[] = "one\ntwo\nthree\nfour\n";
static const char gold_target[] = "the cat sat on the mat\na dog runs in the park\nhello world again\nnothing here at all\n";
static const char lists[] =
    "0\t-0.1\t-0.5\t-\ta cat sits on a mat\n"
    "0\t-0.2\t-0.9\t-\tthe cat sat on the mat\n"
    "0\t-0.3\t-1.1\t-\tthe cat\n"
    "1\t-0.1\t-0.5\t-\ta dog runs in the park\n"
    "1\t-0.1\t-0.5\t-\tA dog\n"
    "2\t-0.1\t-0.5\tc\thello world again\n"           /* cut: not considered */
    "2\t-0.2\t-0.7\t-\thello worlds again\n"
    "3\t-0.1\t-0.5\t-\t\n"                            /* nothing but an empty one */
    "3\t-0.2\t-0.6\tc\tnothing nothing nothing\n";

static char *write_in(const char *folder, const char *name, const char *text)
{
    char *path = path_join(folder, name);
    write_text(path, text);
    return path;
}

/* A run with the stages gold, labels and select; returns its folder. */
static char *run_folder(const char *source, const char *target, const char *nbest)
{
    static int number;
    char name[32];
    struct error err;
    snprintf(name, sizeof name, "select%d", number++);
    char *root = xstrdup(scratch_path(name));
    char *gold = path_join(root, "gold"), *labels = path_join(root, "labels"), *chosen = path_join(root, "chosen");
    char *paths[3];
    struct corpus_files g = { .source_lang = "s", .target_lang = "t", .train = { "train.s", "train.t", 0, 0, 0 },
                              .test = { "test.s", "test.t", 7, 0, 0 } };
    struct corpus_files l = { .source_lang = "s", .target_lang = "t", .train = { "train.s", "train.t", 0, 0, 0 },
                              .gold = "../gold", .nbest = "nbest.tsv" };
    assert_int_equal(dir_make(gold, &err) + dir_make(labels, &err) + dir_make(chosen, &err), 0);
    paths[0] = write_in(gold, "train.s", source);
    paths[1] = write_in(gold, "train.t", target);
    paths[2] = write_in(labels, "nbest.tsv", nbest);
    assert_int_equal(corpus_files_write(&g, gold, &err), 0);
    assert_int_equal(corpus_files_write(&l, labels, &err), 0);
    for (int i = 0; i < 3; i++)
        free(paths[i]);
    free(gold);
    free(labels);
    free(chosen);
    return root;
}

static int run_select(const char *root, const char *option, const char *value, json_t *figures,
                      struct error *err)
{
    struct stage_link link = { stage_select.inputs, (char *)"labels", 0 };
    struct stage stages[2] = {
        { .name = (char *)"labels", .kind = &stage_label },
        { .name = (char *)"chosen", .kind = &stage_select, .links = &link, .link_count = 1 },
    };
    struct stage *s = &stages[1];
    json_t *manifests[2] = { NULL };
    struct stage_run run = { .stage = s, .root = root, .threads = 2, .stages = stages,
                             .manifests = manifests, .figures = figures };
    int ret;
    s->config = xcalloc(1, stage_select.config_size);
    s->groups[0] = (struct option_group){ NULL, stage_select.options->options, s->config };
    options_default(s->groups);
    if (option)
        assert_int_equal(options_set(s->groups, option, value, err), 0);
    run.folder = path_join(root, "chosen");
    ret = stage_select.run(&run, err);
    strings_release(&run.outputs);
    free(run.folder);
    free(s->config);
    return ret;
}

static void assert_file(const char *root, const char *name, const char *want)
{
    char *path = path_join(root, name), *text = NULL;
    struct error err = { 0 };
    if (file_read(&text, NULL, path, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(text, want);
    free(text);
    free(path);
}

static double number(const json_t *figures, const char *name)
{
    return json_number_value(json_object_get(figures, name));
}

static void the_hypothesis_nearest_to_gold_is_chosen(void **state)
{
    char *root = run_folder(gold_source, gold_target, lists);
    json_t *figures = json_object();
    struct error err = { 0 };
    if (run_select(root, NULL, NULL, figures, &err) < 0)
        fail_msg("%s", err.text);
    assert_file(root, "chosen/train.s", "one\ntwo\nthree\n");
    assert_file(root, "chosen/train.t", "the cat sat on the mat\na dog runs in the park\nhello worlds again\n");
    assert_int_equal(number(figures, "pairs"), 3);
    assert_int_equal(number(figures, "dropped"), 1);
    assert_true(fabs(number(figures, "share_not_first") - 1.0 / 3) < 1e-9);
    assert_true(number(figures, "score_of_chosen") > number(figures, "score_of_first"));
    json_decref(figures);
    free(root);
}

static void cut_hypotheses_count_where_asked(void **state)
{
    char *root = run_folder(gold_source, gold_target, lists);
    json_t *figures = json_object();
    struct error err = { 0 };
    assert_int_equal(run_select(root, "keep-cut", "true", figures, &err), 0);
    assert_file(root, "chosen/train.t", "the cat sat on the mat\na dog runs in the park\n"
                "hello world again\nnothing nothing nothing\n");
    json_decref(figures);
    free(root);
}

static void of_equals_the_likeliest_is_chosen(void **state)
{
    char *root = run_folder("x\n", "a b c d\n", "0\t-1\t-1\t-\tq r\n0\t-2\t-2\t-\ts t\n");
    json_t *figures = json_object();
    struct error err = { 0 };
    assert_int_equal(run_select(root, "metric", "chrf", figures, &err), 0);
    assert_file(root, "chosen/train.t", "q r\n");
    json_decref(figures);
    free(root);
}

static void the_other_sets_are_those_of_the_gold_corpus(void **state)
{
    char *root = run_folder(gold_source, gold_target, lists), *folder = path_join(root, "chosen");
    json_t *figures = json_object();
    struct corpus_files c;
    struct error err = { 0 };
    assert_int_equal(run_select(root, NULL, NULL, figures, &err), 0);
    assert_int_equal(corpus_files_read(&c, folder, &err), 0);
    assert_non_null(strstr(c.test.source, "/chosen/../gold/test.s"));
    assert_null(c.dev.source);
    assert_int_equal(c.test.pairs, 7);
    assert_int_equal(c.train.pairs, 3);
    assert_non_null(strstr(c.gold, "/chosen/../gold"));
    corpus_files_release(&c);
    json_decref(figures);
    free(folder);
    free(root);
}

/* source, target, lists, what the message must hold */
static const char *const refused[][4] = {
    { "one\ntwo\n", "a\nb\n", "0\t-1\t-1\t-\tx\n", "has no list for sentence 1" },
    { "one\n", "a\n", "0\t-1\t-1\t-\tx\n1\t-1\t-1\t-\tx\n", "has a list for sentence 1, but" },
    { "one\n", "a\n", "0\t-1\t-\tx\n", "nbest.tsv:1: not a line of an n-best list" },
    { "one\ntwo\n", "a\n", "0\t-1\t-1\t-\tx\n1\t-1\t-1\t-\tx\n", "differ in length: one ends at line 2" },
    { "one\n", "a\n", "0\t-1\t-1\tc\tx\n", "holds no hypothesis that could be chosen" },
};

static void lists_that_do_not_belong_are_refused(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        char *root = run_folder(refused[i][0], refused[i][1], refused[i][2]);
        json_t *figures = json_object();
        struct error err = { 0 };
        if (run_select(root, NULL, NULL, figures, &err) != -1)
            fail_msg("case %zu was accepted", i);
        if (!strstr(err.text, refused[i][3]))
            fail_msg("case %zu says: %s", i, err.text);
        char *left = path_join(root, "chosen/train.t");
        assert_false(file_exists(left));
        free(left);
        json_decref(figures);
        free(root);
    }
}

/* More than a block, so that several threads have work: order is kept. */
static void order_is_kept_over_many_blocks(void **state)
{
    struct strbuf source = { 0 }, target = { 0 }, nbest = { 0 };
    json_t *figures = json_object();
    struct error err = { 0 };
    for (int i = 0; i < 3500; i++) {
        strbuf_printf(&source, "s%d\n", i);
        strbuf_printf(&target, "word%d and more of it\n", i);
        strbuf_printf(&nbest, "%d\t-1\t-1\t-\tless\n%d\t-2\t-2\t-\tword%d and more of it\n", i, i, i);
    }
    char *root = run_folder(source.text, target.text, nbest.text);
    assert_int_equal(run_select(root, NULL, NULL, figures, &err), 0);
    assert_file(root, "chosen/train.s", source.text);
    assert_file(root, "chosen/train.t", target.text);
    strbuf_release(&source);
    strbuf_release(&target);
    strbuf_release(&nbest);
    json_decref(figures);
    free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hypothesis_nearest_to_gold_is_chosen),
        cmocka_unit_test(cut_hypotheses_count_where_asked),
        cmocka_unit_test(of_equals_the_likeliest_is_chosen),
        cmocka_unit_test(the_other_sets_are_those_of_the_gold_corpus),
        cmocka_unit_test(lists_that_do_not_belong_are_refused),
        cmocka_unit_test(order_is_kept_over_many_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
