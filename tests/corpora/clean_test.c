/* Edits, filters beyond the first ones, duplicates in bounded memory, several sources, models. */
#include "tests/test.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "corpora/clean.h"
#include "corpora/language_id.h"
#include "corpora/moses.h"
#include "corpora/near.h"
#include "corpora/prepare.h"

static struct prepare_config config;
#define CLEAN config.clean
static struct option_group groups[] = {
    { NULL, import_options, &CLEAN.import }, { NULL, edit_options, &CLEAN.edit },
    { NULL, filter_options, &CLEAN.filter }, { NULL, dedup_options, &CLEAN },
    { NULL, source_list_options, &CLEAN },   { NULL, clean_run_options, &CLEAN },
    { NULL, split_options, &config.split },  { NULL, NULL, NULL },
};
static char source[4096], target[4096], out[2][4096];

static int defaults(void **state)
{
    options_default(groups);
    CLEAN.scorer = NULL;
    snprintf(source, sizeof source, "%s", scratch_path("s"));
    snprintf(target, sizeof target, "%s", scratch_path("t"));
    snprintf(out[0], sizeof out[0], "%s", scratch_path("out.s"));
    snprintf(out[1], sizeof out[1], "%s", scratch_path("out.t"));
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

static struct clean_report clean(const char *a, const char *b)
{
    struct clean_report report;
    struct error err = { 0 };
    if (corpus_clean(&report, out[0], out[1], a, b, &CLEAN, &err) < 0)
        fail_msg("%s", err.text);
    return report;
}

static void expect_file(const char *path, const char *wanted)
{
    char *text;
    size_t length;
    assert_int_equal(file_read(&text, &length, path, NULL), 0);
    assert_string_equal(text, wanted);
    free(text);
}

static void expect_row(const char *a, const char *b, const char *row)
{
    struct filter_tools tools = { .scripts = { language_scripts("en"), language_scripts("ru") } };
    int found = filter_find(&CLEAN.filter, &tools, (struct text_pair){ text_of(a), text_of(b) });
    const char *name = found < 0 ? "kept" : filters[found].name;
    if (strcmp(name, row))
        fail_msg("'%s' | '%s': %s instead of %s", a, b, name, row);
}

static void filters_drop_what_they_are_for(void **state)
{
    expect_row("a <b>c</b> \x01 1 , x", "д", "uneven");
    set("max-ratio", "0");
    expect_row("a <b>c</b> \x01 1 , x", "д", "kept");
    set("drop-broken", "true");
    expect_row("a \x01", "x", "broken");
    expect_row("a \uFFFD", "x", "broken");
    set("min-script", "0.6");
    expect_row("good text", "gut да", "script");
    expect_row("good text", "да нет b", "kept");
    expect_row("12 34", "да", "kept");
    set("min-script", "0");
    set("max-character-ratio", "2");
    expect_row("abcdefghij", "xyz", "uneven_characters");
    set("max-character-ratio", "0");
    set("min-letters", "0.5");
    expect_row("a 123 456", "x", "letters");
    set("min-letters", "0");
    set("max-punctuation", "0.4");
    expect_row("a !!! ???", "x", "punctuation");
    set("max-punctuation", "1");
    set("min-numbers", "1");
    expect_row("it was 1,000.5 in 1999", "es war 1999 bei 1.000,5", "kept");
    expect_row("in 1999", "im Jahr", "numbers");
    expect_row("in 1999 on 5", "im 1999", "numbers");
    expect_row("at ٣", "um 3", "kept");
    set("min-numbers", "0.5");
    expect_row("in 1999 on 5", "im 1999", "kept");
    set("min-numbers", "0");
    set("drop-links", "true");
    expect_row("see www.a.org.", "siehe www.a.org!", "kept");
    expect_row("see http://a.org/x", "siehe http://a.org/y", "links");
    expect_row("to me@a.org", "an mich", "links");
    expect_row("5 @ 3 / 2", "fünf", "kept");
    set("drop-markup", "true");
    expect_row("a < b and c > d", "x", "kept");
    expect_row("a <br/> b", "x", "markup");
    expect_row("R&D; or &nbsp;", "x", "markup");
    set("drop-tokenized", "true");
    expect_row("Well , yes .", "x", "tokenized");
    expect_row("it &apos;s", "x", "markup");
    expect_row("Well, yes.", "x y", "kept");
    expect_row("« Oui » : non ; peut-être !", "x", "kept");
}

/* 1.3 and 0.7 as floats lie below themselves, 1.1 and 0.6 above. */
static void what_is_exactly_at_a_limit_is_kept(void **state)
{
    set("max-ratio", "1.3");
    expect_row("1 2 3 4 5 6 7 8 9 10 11 12 13", "1 2 3 4 5 6 7 8 9 10", "kept");
    expect_row("1 2 3 4 5 6 7 8 9 10", "1 2 3 4 5 6 7 8 9 10 11 12 13 14", "uneven");
    set("max-ratio", "1.1");
    expect_row("1 2 3 4 5 6 7 8 9 10 11", "1 2 3 4 5 6 7 8 9 10", "kept");
    set("max-ratio", "0");
    set("min-script", "0.6");
    expect_row("abc да", "да", "kept");
    set("min-script", "0.7");
    expect_row("abcdefg две", "да", "kept");
    expect_row("abcdef двеа", "да", "script");
    set("min-script", "0");
    set("min-letters", "0.8");
    expect_row("abcd5", "x", "kept");
    set("min-letters", "0");
    set("max-punctuation", "0.3");
    expect_row("abcdefg!!!", "x", "kept");
    set("max-punctuation", "1");
    set("min-numbers", "0.6");
    expect_row("1 2 3 4 5", "1 2 3", "kept");
    expect_row("1 2 3 4 5", "1 2", "numbers");
}

static void monolingual_text_passes_filters_that_compare(void **state)
{
    struct text_pair alone = { text_of("In 1999, see www.a.org."), { NULL, 0 } };
    set("min-numbers", "1");
    set("drop-links", "true");
    assert_int_equal(filter_find(&CLEAN.filter, NULL, alone), -1);
    write_text(source, "one two\n\nthree four\none two\n");
    struct clean_report report = clean(source, NULL);
    assert_int_equal(report.kept, 2);
    expect_file(out[0], "one two\nthree four\n");
    assert_false(file_exists(out[1]));
}

static void edits_mend_text(void **state)
{
    static const struct { const char *option, *before, *after; } cases[] = {
        { "fix-unicode", "a\u00A0b\u200Bc\u00ADd \tx\x01", "a bcd  x" },
        { "fix-unicode", "fu\u0308r", "für" },
        { "fix-unicode", "f\u00C3\u00BCr \u00E2\u20AC\u0153x\u00E2\u20AC\u2122", "für “x’" },
        { "fix-unicode", "plain ASCII", "plain ASCII" },
        { "fix-unicode", "Ã bientôt, São João: «Âme»", "Ã bientôt, São João: «Âme»" },
        { "fix-unicode", "می‌خواهم 👨‍👩‍👧", "می‌خواهم 👨‍👩‍👧" },
        { "fix-quotes", "„So“ it’s «fine»", "\"So\" it's \"fine\"" },
        { "detokenize", "it &apos;s a well @-@ known \" fact \" , yes ( no ) .",
          "it's a well-known \"fact\", yes (no)." },
        { "detokenize", "Is this left alone? Yes: it is.", "Is this left alone? Yes: it is." },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct strbuf scratch[2] = { { 0 } };
        struct text after;
        release(NULL);
        defaults(NULL);
        set(cases[i].option, "true");
        unsigned changed = edits_apply(&after, scratch, text_of(cases[i].before), &CLEAN.edit);
        assert_int_equal(changed != 0, strcmp(cases[i].before, cases[i].after) != 0);
        char *text = xstrndup(after.bytes, after.length);
        assert_string_equal(text, cases[i].after);
        free(text);
        strbuf_release(&scratch[0]);
        strbuf_release(&scratch[1]);
    }
}

static void reasons_are_written_on_request(void **state)
{
    char dropped[4096];
    snprintf(dropped, sizeof dropped, "%s", scratch_path("dropped"));
    write_text(source, "a b\n\tc\n\na b\n");
    write_text(target, "x y\n\tc\nz\nx y\n");
    set("dropped", dropped);
    clean(source, target);
    expect_file(dropped, "2\tidentical\t c\t c\n3\tempty\t\tz\n4\tduplicates\ta b\tx y\n");
}

static void write_many(int count)
{
    FILE *f[2] = { fopen(source, "w"), fopen(target, "w") };
    for (int i = 0; i < count; i++) {
        int n = i % 3 == 2 ? i / 2 : i;
        fprintf(f[0], "sentence number %d of many\n", n);
        fprintf(f[1], "Satz Nummer %d von vielen%s\n", n, i % 3 == 2 ? "!" : "");
    }
    fclose(f[0]);
    fclose(f[1]);
}

static void duplicates_are_the_same_in_any_memory(void **state)
{
    static const char *const kinds[] = { "keep", "form", "similar" };
    write_many(6000);
    set("dedup", "source");
    for (size_t k = 0; k < ARRAY_COUNT(kinds); k++) {
        struct clean_report first = { 0 };
        char *text[2];
        size_t length;
        set("near-duplicates", kinds[k]);
        for (int small = 0; small < 2; small++) {
            CLEAN.dedup_memory = small ? 20000 : 0;
            struct clean_report report = clean(source, target);
            /* A pair that is like one in the table and equal to one in the files may count as
             * either; that it is dropped is the same. */
            if (small) {
                assert_int_equal(report.kept, first.kept);
                assert_true(report.dropped[filter_row("duplicates")] > 0);
            }
            first = report;
            assert_int_equal(file_read(&text[small], &length, out[1], NULL), 0);
        }
        assert_string_equal(text[0], text[1]);
        free(text[0]);
        free(text[1]);
    }
}

static void near_duplicates_share_a_key(void **state)
{
    static const char *const texts[] = {
        "The committee met on Tuesday morning to discuss the new budget for the coming year.",
        "The committee met on Tuesday morning to discuss the new budget for the coming year!!",
        "The committee met on Tuesday morning to discuss a new budget for the coming year.",
        "Nobody knows how many birds fly over the mountains in autumn, or why some stay.",
    };
    uint64_t keys[4][NEAR_KEYS];
    for (int i = 0; i < 4; i++)
        near_keys(keys[i], (struct text_pair){ text_of(texts[i]), text_of("Ja, das ist so gewesen.") });
    for (int k = 0; k < NEAR_KEYS; k++) {
        assert_true(keys[0][k] == keys[1][k]);
        assert_true(keys[0][k] != keys[3][k]);
    }
    bool shared = false;
    for (int k = 0; k < NEAR_KEYS; k++)
        shared = shared || keys[0][k] == keys[2][k];
    assert_true(shared);
}

enum { LETTERS = 300, RUN = 5, RUNS = LETTERS - RUN + 1 };

static int compare_runs(const void *a, const void *b)
{
    return memcmp(a, b, RUN);
}

/* The Jaccard similarity of the runs of two texts. */
static double similarity(const char *a, const char *b)
{
    char runs[2][RUNS][RUN];
    int i = 0, k = 0, both = 0, all = 0;
    for (int r = 0; r < RUNS; r++) {
        memcpy(runs[0][r], a + r, RUN);
        memcpy(runs[1][r], b + r, RUN);
    }
    qsort(runs[0], RUNS, RUN, compare_runs);
    qsort(runs[1], RUNS, RUN, compare_runs);
    while (i < RUNS || k < RUNS) {
        int order = i == RUNS ? 1 : k == RUNS ? -1 : compare_runs(runs[0][i], runs[1][k]);
        i += order <= 0;
        k += order >= 0;
        both += order == 0;
        all++;
    }
    return (double)both / all;
}

/* corpora/near.h: 1 - (1 - J^4)^4 for a similarity of J. */
static void likely_near_duplicates_are_as_likely_as_promised(void **state)
{
    struct rng rng;
    int count[11] = { 0 }, shared[11] = { 0 };
    rng_seed(&rng, 5, 0);
    for (int trial = 0; trial < 20000; trial++) {
        char a[LETTERS + 1] = "", b[LETTERS + 1] = "";
        uint64_t keys[2][NEAR_KEYS];
        for (int i = 0; i < LETTERS; i++)
            a[i] = (char)('a' + rng_below(&rng, 26));
        memcpy(b, a, sizeof b);
        for (uint64_t changes = rng_below(&rng, 30); changes; changes--)
            b[rng_below(&rng, LETTERS)] = (char)('a' + rng_below(&rng, 26));
        near_keys(keys[0], (struct text_pair){ text_of(a), text_of("") });
        near_keys(keys[1], (struct text_pair){ text_of(b), text_of("") });
        double J = similarity(a, b) * 10;
        int tenth = (int)(J + 0.5), same = 0;
        if (fabs(J - tenth) > 0.1)
            continue;
        for (int k = 0; k < NEAR_KEYS; k++)
            same |= keys[0][k] == keys[1][k];
        count[tenth]++;
        shared[tenth] += same;
    }
    for (int tenth = 5; tenth <= 10; tenth++) {
        double wanted = 1 - pow(1 - pow(tenth / 10.0, 4), 4), found = (double)shared[tenth] / count[tenth];
        if (count[tenth] < 100 || fabs(found - wanted) > 0.06)
            fail_msg("similarity %.1f: %d of %d share a key, a share of %.3f in place of %.3f", tenth / 10.0,
                     shared[tenth], count[tenth], found, wanted);
    }
}

static void threads_change_nothing(void **state)
{
    char *text[2];
    size_t length;
    write_many(9000);
    for (int i = 0; i < 2; i++) {
        set("threads", i ? "4" : "1");
        clean(source, target);
        assert_int_equal(file_read(&text[i], &length, out[1], NULL), 0);
    }
    assert_string_equal(text[0], text[1]);
    free(text[0]);
    free(text[1]);
}

static void noise_stands_out(void **state)
{
    FILE *f[2] = { fopen(source, "w"), fopen(target, "w") };
    for (int i = 0; i < 3000; i++) {
        fprintf(f[0], "the %s sees the %s in the %s\n", i % 2 ? "dog" : "cat", i % 3 ? "house" : "tree",
                i % 5 ? "morning" : "evening");
        fprintf(f[1], i == 1000 ? "xq zvj kqw jxx vbq wwz qjk zxv qpw\n" : "die Sonne scheint auf Haus %d\n", i);
    }
    fclose(f[0]);
    fclose(f[1]);
    set("max-noise", "5");
    set("dedup", "none");
    struct clean_report report = clean(source, target);
    assert_int_equal(report.dropped[filter_row("noise")], 1);
}

/* Lines of made-up words of syllables, so that most trigrams are well known and some rare. */
static void print_words(FILE *f, struct rng *rng)
{
    static const char consonants[] = "bdfghklmnprst", vowels[] = "aeiou";
    for (int w = 0; w < 6; w++) {
        for (int s = 0; s < 2; s++)
            fprintf(f, "%c%c", consonants[rng_below(rng, 13)], vowels[rng_below(rng, 5)]);
        fputs(w < 5 ? " " : "\n", f);
    }
}

static void noise_that_was_learnt_stands_out_as_well(void **state)
{
    FILE *f[2] = { fopen(source, "w"), fopen(target, "w") };
    struct rng rng;
    rng_seed(&rng, 1, 0);
    for (int i = 0; i < 1000; i++) {
        print_words(f[0], &rng);
        if (i == 10)
            fprintf(f[1], "qxzj wvkq zzxq jjqk xqzv\n");
        else
            print_words(f[1], &rng);
    }
    fclose(f[0]);
    fclose(f[1]);
    set("max-noise", "5");
    struct clean_report report = clean(source, target);
    assert_int_equal(report.dropped[filter_row("noise")], 1);
}

static void other_languages_are_told(void **state)
{
    const char *const wanted[2] = { "en", "de" };
    struct error err = { 0 };
    struct language_id *id = language_id_new(wanted, &err);
    if (!id)
        fail_msg("%s", err.text);
    struct text english = text_of("The committee met on Tuesday morning to discuss the new budget."),
                german = text_of("Der Ausschuss traf sich am Dienstag, um den neuen Haushalt zu besprechen.");
    assert_true(language_id_fits(id, 0, english));
    assert_false(language_id_fits(id, 0, german));
    assert_true(language_id_fits(id, 1, german));
    assert_false(language_id_fits(id, 1, english));
    assert_true(language_id_fits(id, 1, text_of("Yes.")));
    language_id_free(id);
    const char *const unknown[2] = { "tlh", NULL };
    assert_null(language_id_new(unknown, &err));
    assert_non_null(strstr(err.text, "no fingerprint of language 'tlh'"));
}

/* ---- models ---- */

static int score(void *state, struct pair_score *out_scores, const struct text_pair *pairs, size_t count,
                 struct error *err)
{
    for (size_t i = 0; i < count; i++)
        out_scores[i] = (struct pair_score){ (float)pairs[i].target.length, (float)pairs[i].source.length };
    ++*(int *)state;
    return 0;
}

static void models_have_the_last_word(void **state)
{
    int calls = 0;
    struct pair_scorer scorer = { &calls, true, true, score };
    struct error err = { 0 };
    struct clean_report report;
    write_text(source, "aaaa\nbbbb\ncc\ndddd\naaaa\n");
    write_text(target, "uuuu\nvvvvvvvvv\nw\nx\nuuuu\n");
    set("max-cross-entropy", "5");
    assert_int_equal(corpus_clean(&report, out[0], out[1], source, target, &CLEAN, &err), -1);
    assert_non_null(strstr(err.text, "--score-model"));
    CLEAN.scorer = &scorer;
    report = clean(source, target);
    assert_int_equal(report.dropped[filter_row("cross_entropy")], 1);
    assert_int_equal(report.kept, 3);
    assert_int_equal(calls, 1);
    set("max-dual-cross-entropy", "4");
    report = clean(source, target);
    assert_int_equal(report.dropped[filter_row("dual_cross_entropy")], 1);      /* dddd x: 3 + 2.5 */
    expect_file(out[0], "aaaa\ncc\n");
    assert_true(pair_score_dual((struct pair_score){ 4, 1 }) == 5.5f);
}

/* ---- several sources ---- */

static void sources_become_one(void **state)
{
    char list[4096], text[16384];
    snprintf(list, sizeof list, "%s", scratch_path("list.yml"));
    write_text(source, "a\nb\n");
    write_text(target, "x\ny\n");
    write_text(scratch_path("more.tsv"), "c\tz\nb\ty\n");
    snprintf(text, sizeof text, "- { source: %s, target: %s, weight: 2 }\n- source: %s\n  tag: <bt>\n", source,
             target, scratch_path("more.tsv"));
    write_text(list, text);
    set("sources", list);
    set("min-words", "0");
    struct clean_report report = clean(NULL, NULL);
    assert_int_equal(report.read, 4);
    assert_int_equal(report.dropped[filter_row("duplicates")], 1);
    expect_file(out[0], "a\na\nb\nb\n<bt> c\n");
    expect_file(out[1], "x\nx\ny\ny\nz\n");
}

static void bad_lists_are_refused_with_their_line(void **state)
{
    static const struct { const char *text, *error; } cases[] = {
        { "- { target: a }\n", ":1: it has no source" },
        { "- { source: a }\n- { source: b, wieght: 2 }\n", ":2: unknown key 'wieght'" },
        { "x: y\n", ":1: a list of corpora is wanted" },
        { "- a\n", ":1: a mapping is wanted" },
        { "- { source: a, weight: -1 }\n", "weight" },
    };
    char list[4096];
    snprintf(list, sizeof list, "%s", scratch_path("list.yml"));
    set("sources", list);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct error err = { 0 };
        struct clean_report report;
        write_text(list, cases[i].text);
        assert_int_equal(corpus_clean(&report, out[0], out[1], NULL, NULL, &CLEAN, &err), -1);
        if (!strstr(err.text, cases[i].error) || !strstr(err.text, list))
            fail_msg("%s", err.text);
    }
}

static void fractions_of_a_weight_choose_by_hash(void **state)
{
    char list[4096], text[16384];
    snprintf(list, sizeof list, "%s", scratch_path("list.yml"));
    write_many(3000);
    snprintf(text, sizeof text, "- { source: %s, target: %s, weight: 0.25 }\n", source, target);
    write_text(list, text);
    set("sources", list);
    clean(NULL, NULL);
    char *all;
    size_t length, lines = 0;
    assert_int_equal(file_read(&all, &length, out[0], NULL), 0);
    for (size_t i = 0; i < length; i++)
        lines += all[i] == '\n';
    assert_in_range(lines, 650, 850);
    free(all);
}

static void what_is_for_training_only_is_not_held_out(void **state)
{
    char list[4096], text[16384], folder[4096], more[4096];
    struct prepare_report report;
    struct error err = { 0 };
    snprintf(list, sizeof list, "%s", scratch_path("list.yml"));
    snprintf(folder, sizeof folder, "%s", scratch_path("sets"));
    snprintf(more, sizeof more, "%s", scratch_path("more.tsv"));
    write_many(900);
    FILE *f = fopen(more, "w");
    for (int i = 0; i < 900; i++)
        fprintf(f, "sentence number %d of many\tanders %d\n", i, i);
    fclose(f);
    snprintf(text, sizeof text, "- { source: %s, target: %s }\n- { source: %s, train-only: true, tag: <x> }\n",
             source, target, more);
    write_text(list, text);
    set("sources", list);
    set("test", "100");
    set("dev", "0");
    if (corpus_prepare(&report, folder, NULL, NULL, &config, &err) < 0)
        fail_msg("%s", err.text);
    char *held, *path = path_join(folder, "test.src");
    size_t length;
    assert_int_equal(file_read(&held, &length, path, NULL), 0);
    assert_null(strstr(held, "<x>"));
    assert_in_range(report.sets[SPLIT_TEST], 100, 102);
    free(held);
    free(path);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, defaults, release)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(filters_drop_what_they_are_for),
        TEST(what_is_exactly_at_a_limit_is_kept),
        TEST(monolingual_text_passes_filters_that_compare),
        TEST(edits_mend_text),
        TEST(reasons_are_written_on_request),
        TEST(duplicates_are_the_same_in_any_memory),
        TEST(near_duplicates_share_a_key),
        TEST(likely_near_duplicates_are_as_likely_as_promised),
        TEST(threads_change_nothing),
        TEST(noise_stands_out),
        TEST(noise_that_was_learnt_stands_out_as_well),
        TEST(other_languages_are_told),
        TEST(models_have_the_last_word),
        TEST(sources_become_one),
        TEST(bad_lists_are_refused_with_their_line),
        TEST(fractions_of_a_weight_choose_by_hash),
        TEST(what_is_for_training_only_is_not_held_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
