/* Filters, duplicates, split: from raw pairs to sets. */
#include "tests/test.h"

#include <dirent.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "corpora/hash_set.h"
#include "corpora/pairs.h"
#include "corpora/prepare.h"

static struct prepare_config config;
static struct option_group groups[] = {
    { NULL, import_options, &config.clean.import }, { NULL, filter_options, &config.clean.filter },
    { NULL, dedup_options, &config.clean },         { NULL, split_options, &config.split },
    { NULL, NULL, NULL },
};

static int defaults(void **state)
{
    options_default(groups);
    return 0;
}

static int release(void **state)
{
    options_release(groups);
    return 0;
}

static void set(const char *name, const char *value)
{
    struct error err = { 0 };
    if (options_set(groups, name, value, &err) < 0)
        fail_msg("%s", err.text);
}

/* ---- filters ---- */

static void each_filter_drops_what_it_is_for(void **state)
{
    static const struct { const char *source, *target, *filter; } cases[] = {
        { "a b c", "x y z", NULL },
        { "", "x", "empty" }, { "a", " \t", "empty" }, { "", "", "empty" },
        { "same here", " same here ", "identical" },
        { "one", "eins zwei", "too_short" },
        { "a b c d e f", "x y z u v", "too_long" },
        { "a b", "u v w x y", "uneven" }, { "u v w x y", "a b", "uneven" },
        { "a b", "u v w x", NULL },
        { "aaaaaaaaaaa bb", "x y", "long_word" },
        { "aaaaaaaaaa bb", "x y", NULL },
    };
    set("min-words", "2");
    set("max-words", "5");
    set("max-ratio", "2");
    set("max-word-length", "10");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int row = filter_find(&config.clean.filter, NULL, (struct text_pair){
            text_of(cases[i].source), text_of(cases[i].target) });
        assert_string_equal(row < 0 ? "kept" : filters[row].name,
                            cases[i].filter ? cases[i].filter : "kept");
    }
}

static void filters_of_zero_keep_everything(void **state)
{
    static const char *const texts[] = { "", " ", "a", "a b c d e f g h i j k l m n o p q r s t" };
    const struct filter_config none = { 0 };
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++)
            assert_int_equal(filter_find(&none, NULL, (struct text_pair){ text_of(texts[i]),
                                                                    text_of(texts[k]) }), -1);
}

static void hash_set_knows_what_was_added(void **state)
{
    struct hash_set s = { 0 };
    for (uint64_t i = 2; i < 50000; i++)
        assert_true(hash_set_add(&s, i * 64));
    for (uint64_t i = 2; i < 50000; i++)
        assert_false(hash_set_add(&s, i * 64));
    assert_true(hash_set_add(&s, 0));
    assert_false(hash_set_add(&s, 0));
    assert_int_equal(s.count, 49999);
    hash_set_release(&s);
}

/* ---- clean ---- */

static char source[4096], target[4096], folder[4096];

static void write_corpus(const char *sources, const char *targets)
{
    snprintf(source, sizeof source, "%s", scratch_path("in.src"));
    snprintf(target, sizeof target, "%s", scratch_path("in.trg"));
    write_text(source, sources);
    write_text(target, targets);
}

static void assert_content(const char *path, const char *wanted)
{
    char *text;
    size_t length;
    assert_int_equal(file_read(&text, &length, path, NULL), 0);
    assert_string_equal(text, wanted);
    free(text);
}

static void duplicates_are_dropped_by_pair_or_side(void **state)
{
    static const struct { const char *by, *wanted; int duplicates; } cases[] = {
        { "none", "a\na\na\nb\na\n", 0 },
        { "pair", "a\na\nb\n", 2 },
        { "source", "a\nb\n", 3 },
        { "target", "a\na\n", 3 },
    };
    char out[2][4096];
    snprintf(out[0], sizeof out[0], "%s", scratch_path("out.src"));
    snprintf(out[1], sizeof out[1], "%s", scratch_path("out.trg"));
    write_corpus("a\na\na\nb\na\n", "x\ny\nx\nx\nx\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct clean_report report;
        set("dedup", cases[i].by);
        assert_int_equal(corpus_clean(&report, out[0], out[1], source, target, &config.clean,
                                      NULL), 0);
        assert_content(out[0], cases[i].wanted);
        assert_int_equal(report.read, 5);
        assert_int_equal(report.dropped[filter_row("duplicates")], cases[i].duplicates);
        assert_int_equal(report.kept, 5 - cases[i].duplicates);
    }
}

static void report_counts_every_pair_once(void **state)
{
    struct clean_report report;
    write_corpus("a\n\nb\nsame\na\n", "x\ny\n\nsame\nx\n");
    assert_int_equal(corpus_clean(&report, scratch_path("o.src"), scratch_path("o.trg"),
                                  source, target, &config.clean, NULL), 0);
    json_t *json = clean_report_json(&report), *dropped = json_object_get(json, "dropped"), *count;
    const char *name;
    json_int_t sum = 0;
    json_object_foreach(dropped, name, count)
        sum += json_integer_value(count);
    assert_int_equal(json_integer_value(json_object_get(dropped, "empty")), 2);
    assert_int_equal(json_integer_value(json_object_get(dropped, "identical")), 1);
    assert_int_equal(json_integer_value(json_object_get(dropped, "duplicates")), 1);
    assert_int_equal(sum, 4);
    assert_int_equal(json_integer_value(json_object_get(json, "read")), 5);
    assert_int_equal(json_integer_value(json_object_get(json, "kept")), 1);
    json_decref(json);
}

/* ---- split ---- */

enum { PAIRS = 5000, SOURCES = 3000 };

/* Several pairs share a source, some with other capitals or marks. */
static void write_large_corpus(void)
{
    snprintf(source, sizeof source, "%s", scratch_path("large.src"));
    snprintf(target, sizeof target, "%s", scratch_path("large.trg"));
    FILE *s = fopen(source, "w"), *t = fopen(target, "w");
    struct rng rng;
    rng_seed(&rng, 9, 0);
    for (int i = 0; i < PAIRS; i++) {
        fprintf(s, "%s number %d%s\n", rng_below(&rng, 2) ? "sentence" : "Sentence",
                (int)rng_below(&rng, SOURCES), rng_below(&rng, 2) ? "." : "");
        fprintf(t, "Satz der Nummer %d\n", i);
    }
    fclose(s);
    fclose(t);
}

static struct prepare_report prepare(const char *name)
{
    struct prepare_report report;
    struct error err = { 0 };
    snprintf(folder, sizeof folder, "%s", scratch_path(name));
    if (corpus_prepare(&report, folder, source, target, &config, &err) < 0)
        fail_msg("%s", err.text);
    return report;
}

/* Reads a set; says for each source number which set it was seen in, and for each target. */
static int64_t read_set(int set, int set_of_source[SOURCES], int set_of_target[PAIRS])
{
    char *src = xasprintf("%s/%s.src", folder, split_names[set]);
    char *trg = xasprintf("%s/%s.trg", folder, split_names[set]);
    struct pairs in = { 0 };
    int64_t count = 0;
    int number, last = -1;
    assert_int_equal(pairs_open(&in, src, trg, NULL), 0);
    for (; pairs_next(&in, NULL) > 0; count++) {
        assert_int_equal(sscanf(in.source.text + 1, "entence number %d", &number), 1);
        assert_true(set_of_source[number] == -1 || set_of_source[number] == set);
        set_of_source[number] = set;
        assert_int_equal(sscanf(in.target.text, "Satz der Nummer %d", &number), 1);
        assert_int_equal(set_of_target[number], -1);
        set_of_target[number] = set;
        assert_true(number > last);
        last = number;
    }
    pairs_close(&in);
    free(src);
    free(trg);
    return count;
}

static void split_is_a_partition_by_source(void **state)
{
    static int set_of_source[SOURCES], set_of_target[PAIRS];
    memset(set_of_source, -1, sizeof set_of_source);
    memset(set_of_target, -1, sizeof set_of_target);
    write_large_corpus();
    set("test", "200");
    set("dev", "300");
    struct prepare_report report = prepare("split");
    int64_t pairs = 0;
    for (int i = 0; i < SPLIT_SETS; i++) {
        int64_t count = read_set(i, set_of_source, set_of_target);
        assert_int_equal(count, report.sets[i]);
        pairs += count;
    }
    assert_int_equal(pairs, PAIRS);
    assert_in_range(report.sets[SPLIT_TEST], 200, 210);
    assert_in_range(report.sets[SPLIT_DEV], 300, 310);
    assert_int_equal(report.left_out, 0);
}

static void copy_set(char **text, const char *set_name)
{
    char *path = xasprintf("%s/%s.trg", folder, set_name);
    size_t length;
    assert_int_equal(file_read(text, &length, path, NULL), 0);
    free(path);
}

static void split_follows_its_seed(void **state)
{
    char *first, *again, *other;
    write_large_corpus();
    prepare("one");
    copy_set(&first, "test");
    prepare("two");
    copy_set(&again, "test");
    set("split-seed", "2");
    prepare("three");
    copy_set(&other, "test");
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
    free(first);
    free(again);
    free(other);
}

static void shares_are_about_right_and_stay_when_the_corpus_grows(void **state)
{
    static int sets[2][SOURCES], target_sets[PAIRS];
    struct prepare_report report;
    set("test", "5%");
    set("dev", "50‰");
    write_large_corpus();
    for (int run = 0; run < 2; run++) {
        memset(sets[run], -1, sizeof sets[run]);
        memset(target_sets, -1, sizeof target_sets);
        report = prepare("share");
        for (int i = 0; i < SPLIT_SETS; i++)
            read_set(i, sets[run], target_sets);
        if (run == 0) {                 /* the second run sees a tenth of the corpus */
            FILE *f = fopen(source, "r+"), *g = fopen(target, "r+");
            char line[100];
            for (int i = 0; i < PAIRS / 10; i++)
                assert_true(fgets(line, sizeof line, f) && fgets(line, sizeof line, g));
            assert_int_equal(ftruncate(fileno(f), ftell(f)) + ftruncate(fileno(g), ftell(g)), 0);
            fclose(f);
            fclose(g);
            assert_in_range(report.sets[SPLIT_TEST], 200, 300);
            assert_in_range(report.sets[SPLIT_DEV], 200, 300);
        }
    }
    for (int i = 0; i < SOURCES; i++)
        assert_true(sets[1][i] == -1 || sets[1][i] == sets[0][i]);
}

static void training_set_can_be_limited(void **state)
{
    write_large_corpus();
    set("train", "1000");
    set("dev", "0");
    set("test", "0");
    struct prepare_report report = prepare("limited");
    assert_in_range(report.sets[SPLIT_TRAIN], 1000, 1010);
    assert_int_equal(report.left_out, PAIRS - report.sets[SPLIT_TRAIN]);
    char *dev = path_join(folder, "dev.src");
    assert_false(file_exists(dev));
    free(dev);
}

/* ---- what goes wrong ---- */

static bool is_empty_folder(const char *path)
{
    DIR *dir = opendir(path);
    int entries = 0;
    while (readdir(dir))
        entries++;
    closedir(dir);
    return entries == 2;
}

static void assert_fails(const char *why)
{
    struct prepare_report report = { .left_out = 77 };
    struct error err = { 0 };
    snprintf(folder, sizeof folder, "%s", scratch_path("failed"));
    assert_int_equal(corpus_prepare(&report, folder, source, target, &config, &err), -1);
    if (!strstr(err.text, why))
        fail_msg("'%s' does not say '%s'", err.text, why);
    assert_int_equal(report.left_out, 77);
    assert_true(is_empty_folder(folder));
}

static void failures_leave_nothing_and_say_why(void **state)
{
    write_corpus("", "");
    assert_fails("empty corpus");
    write_corpus("a\nb\n", "x\n");
    assert_fails("2 lines");
    write_corpus("a\nb\n", "a\nb\n");
    assert_fails("no pair is left of the 2");
    write_corpus("a\nb\n", "x\ny\n");
    assert_fails("cannot take 2000 pairs for the test set: only 2 of 2");
    set("test", "1");
    set("dev", "1");
    assert_fails("nothing is left for the training set");
    static const char *const sizes[] = { "many", "-1", "2.5", "101%", "", "5 %", "3‱" };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        set("dev", sizes[i]);
        assert_fails("of the dev set is neither");
    }
    write_corpus("a\nb\xff\n", "x\ny\n");
    assert_fails("in.src");
    snprintf(source, sizeof source, "%s", scratch_path("absent"));
    assert_fails("absent");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, defaults, release)
        TEST(each_filter_drops_what_it_is_for),
        TEST(filters_of_zero_keep_everything),
        TEST(hash_set_knows_what_was_added),
        TEST(duplicates_are_dropped_by_pair_or_side),
        TEST(report_counts_every_pair_once),
        TEST(split_is_a_partition_by_source),
        TEST(split_follows_its_seed),
        TEST(shares_are_about_right_and_stay_when_the_corpus_grows),
        TEST(training_set_can_be_limited),
        TEST(failures_leave_nothing_and_say_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
