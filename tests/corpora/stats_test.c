/* Counts of a corpus. */
#include "tests/test.h"

#include "base/error.h"
#include "base/strbuf.h"
#include "corpora/import.h"
#include "corpora/stats.h"
#include "tokenize/tokenizer.h"

static char source[4096], target[4096];

static void write_corpus(void)
{
    snprintf(source, sizeof source, "%s", scratch_path("s"));
    snprintf(target, sizeof target, "%s", scratch_path("t"));
    write_text(source, "one two three\n\none two three\nsame\n");
    write_text(target, "eins zwei\n \neins zwei\nsame\n");
}

static void sides_and_pairs_are_counted(void **state)
{
    struct corpus_stats s;
    write_corpus();
    assert_int_equal(corpus_stats(&s, source, target, NULL, NULL), 0);
    assert_int_equal(s.source.lines, 4);
    assert_int_equal(s.source.empty, 1);
    assert_int_equal(s.source.words, 7);
    assert_int_equal(s.source.characters, 30);
    assert_int_equal(s.source.longest, 3);
    assert_int_equal(s.source.longest_line, 1);
    assert_int_equal(s.source.duplicates, 1);
    assert_int_equal(s.target.words, 5);
    assert_int_equal(s.target.empty, 1);
    assert_int_equal(s.identical, 2);           /* the empty pair and "same" */
    assert_int_equal(s.duplicates, 1);
    json_t *json = corpus_stats_json(&s);
    assert_int_equal(json_integer_value(json_object_get(json, "pairs")), 4);
    assert_true(fabs(json_real_value(json_object_get(json, "word_ratio")) - 5 / 7.) < 1e-12);
    json_decref(json);
}

static void one_file_is_counted_alone(void **state)
{
    struct corpus_stats s;
    write_corpus();
    assert_int_equal(corpus_stats(&s, source, NULL, NULL, NULL), 0);
    assert_int_equal(s.source.lines, 4);
    assert_int_equal(s.source.duplicates, 1);
    json_t *json = corpus_stats_json(&s);
    assert_null(json_object_get(json, "target"));
    json_decref(json);
}

static void other_formats_are_counted_as_they_are_imported(void **state)
{
    struct corpus_stats text, table;
    struct import_config import = { .side = SIDE_TARGET };
    write_corpus();
    assert_int_equal(corpus_stats(&text, source, target, NULL, NULL), 0);
    snprintf(source, sizeof source, "%s", scratch_path("s.tsv"));
    write_text(source, "one two three\teins zwei\n\t \none two three\teins zwei\nsame\tsame\n");
    assert_int_equal(corpus_stats(&table, source, NULL, NULL, NULL), 0);
    json_t *of_text = corpus_stats_json(&text), *of_table = corpus_stats_json(&table);
    assert_true(json_equal(of_text, of_table));
    json_decref(of_text);
    json_decref(of_table);
    assert_int_equal(corpus_stats(&table, source, NULL, &(struct stats_config){ .import = &import }, NULL), 0);
    assert_false(table.paired);
    assert_int_equal(table.source.words, text.target.words);
}

static void empty_files_count_nothing(void **state)
{
    struct corpus_stats s;
    write_corpus();
    write_text(source, "");
    write_text(target, "");
    assert_int_equal(corpus_stats(&s, source, target, NULL, NULL), 0);
    json_t *json = corpus_stats_json(&s);
    assert_int_equal(json_integer_value(json_object_get(json, "pairs")), 0);
    assert_non_null(json_object_get(json, "target"));
    json_decref(json);
}

static void unequal_files_are_an_error(void **state)
{
    struct corpus_stats s = { .identical = 5 };
    struct error err = { 0 };
    write_corpus();
    write_text(target, "eins\n");
    assert_int_equal(corpus_stats(&s, source, target, NULL, &err), -1);
    assert_non_null(strstr(err.text, "4 lines"));
    assert_int_equal(s.identical, 5);
}

static void words_and_pieces_are_counted(void **state)
{
    struct corpus_stats s;
    struct error err = { 0 };
    struct tokenizer *model = tokenizer_load(TEST_DATA "/../tokenize/golden/char.model", &err);
    assert_non_null(model);
    write_corpus();
    write_text(source, "a b a\nb c 中\n");
    write_text(target, "x\ny\n");
    assert_int_equal(corpus_stats(&s, source, target, &(struct stats_config){ .source_model = model }, &err), 0);
    assert_int_equal(s.source.types, 4);
    assert_int_equal(s.source.hapaxes, 2);
    assert_int_equal(s.source.length[3], 2);
    assert_int_equal(stats_percentile(&s.source, 0.5), 3);
    assert_int_equal(s.source.vocabulary, tokenizer_vocab(model));
    assert_true(s.source.pieces >= 6 && s.source.used > 0 && s.source.used <= s.source.vocabulary);
    assert_int_equal(s.source.unknown, 1);
    assert_int_equal(s.target.vocabulary, 0);
    json_t *json = corpus_stats_json(&s);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(json_object_get(json, "source"),
                                                                       "lengths"), 3)), 2);
    json_decref(json);
    tokenizer_free(model);
}

static void held_out_texts_are_compared(void **state)
{
    struct corpus_stats s;
    struct strings against = { 0 };
    char held[4096];
    write_corpus();
    snprintf(held, sizeof held, "%s", scratch_path("held"));
    write_text(held, "One TWO three!\nthe first two words are new\na b c d e\n");
    write_text(source, "one two three\na b c d\n");
    strings_add(&against, held);
    assert_int_equal(corpus_stats(&s, source, NULL, &(struct stats_config){ .against = &against }, NULL), 0);
    assert_int_equal(s.overlap.lines, 3);
    assert_int_equal(s.overlap.found, 1);
    assert_int_equal(s.overlap.words, 14);
    assert_int_equal(s.overlap.unseen, 3 + 5 + 1);
    assert_int_equal(s.overlap.grams, 0 + 3 + 2);
    assert_int_equal(s.overlap.grams_found, 1);
    strings_release(&against);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sides_and_pairs_are_counted),
        cmocka_unit_test(one_file_is_counted_alone),
        cmocka_unit_test(other_formats_are_counted_as_they_are_imported),
        cmocka_unit_test(empty_files_count_nothing),
        cmocka_unit_test(unequal_files_are_an_error),
        cmocka_unit_test(words_and_pieces_are_counted),
        cmocka_unit_test(held_out_texts_are_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
