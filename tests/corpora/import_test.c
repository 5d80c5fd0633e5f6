/* Formats to pairs of sentences. */
#include "tests/test.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/file.h"
#include "corpora/import.h"

/* Configurations own texts; they are given back when all tests are done. */
static struct import_config made[64];
static int made_count;

static struct import_config config(const char *format)
{
    struct import_config *c = &made[made_count++];
    struct option_group groups[] = { { NULL, import_options, c }, { NULL, NULL, NULL } };
    assert_true(made_count < (int)ARRAY_COUNT(made));
    options_default(groups);
    assert_int_equal(options_set(groups, "format", format, NULL), 0);
    return *c;
}

static int release_configs(void **state)
{
    while (made_count)
        options_release((struct option_group[]){ { NULL, import_options, &made[--made_count] }, { 0 } });
    return 0;
}

/* All pairs as "source\ttarget\n"; NULL after an error. */
static char *import_all(const struct import_config *config, const char *source,
                        const char *target, struct error *err)
{
    struct import *in = import_open(config, source, target, err);
    struct text_pair pair;
    char *all = xstrdup("");
    int more = -1;
    while (in && (more = import_next(in, &pair, err)) > 0) {
        char *longer = xasprintf("%s%.*s\t%.*s\n", all,
                                 (int)pair.source.length, pair.source.bytes,
                                 (int)pair.target.length, pair.target.bytes);
        free(all);
        all = longer;
    }
    import_close(in);
    if (more < 0) {
        free(all);
        return NULL;
    }
    return all;
}

static void every_format_has_its_name_as_choice(void **state)
{
    for (int i = 0; corpus_formats[i]; i++)
        assert_int_equal(config(corpus_formats[i]->name).format, i);
    for (const struct option *o = import_options; o->name; o++)
        if (!strcmp(o->name, "format"))
            for (int i = 0; o->choices[i]; i++)
                assert_string_equal(o->choices[i], corpus_formats[i]->name);
}

static void pairs_are_taken_as_they_are(void **state)
{
    char source[4096], target[4096];
    struct import_config c = config("pairs");
    snprintf(source, sizeof source, "%s", scratch_path("a"));
    snprintf(target, sizeof target, "%s", scratch_path("b"));
    write_text(source, " one \n\nthree\n");
    write_text(target, "eins\nzwei\ndrei\n");
    char *all = import_all(&c, source, target, NULL);
    assert_string_equal(all, " one \teins\n\tzwei\nthree\tdrei\n");
    free(all);
}

static void bad_utf8_is_refused_or_replaced(void **state)
{
    char source[4096], target[4096];
    struct error err = { 0 };
    struct import_config c = config("pairs");
    struct text_pair pair;
    snprintf(source, sizeof source, "%s", scratch_path("a"));
    snprintf(target, sizeof target, "%s", scratch_path("b"));
    write_text(source, "one\ntwo\n");
    write_text(target, "eins\nzw\xffi\n");
    assert_null(import_all(&c, source, target, &err));
    assert_non_null(strstr(err.text, target));
    assert_non_null(strstr(err.text, "2"));
    c.bad_utf8 = 1;
    struct import *in = import_open(&c, source, target, NULL);
    while (import_next(in, &pair, NULL) > 0)
        ;
    assert_int_equal(import_repaired(in), 1);
    import_close(in);
    char *all = import_all(&c, source, target, NULL);
    assert_string_equal(all, "one\teins\ntwo\tzw\uFFFDi\n");
    free(all);
}

/* The pages are written by hand in the style of the packages. */
#define HELP TEST_DATA "/help"

static void help_pages_are_aligned_by_path_and_id(void **state)
{
    struct import_config c = config("libreoffice-help");
    char *all = import_all(&c, HELP "/en-US", HELP "/de", NULL);
    assert_string_equal(all,
        "Borders of pages\tUmrandungen von Seiten\n"
        "Choose Format > Page.\tWählen Sie Format – Seite.\n"
        "Then choose Borders & Lines.\tWählen Sie dann Umrandungen & Linien.\n"
        "One. Two. Three.\tEins. Zwei und drei.\n"
        "SUM(1; 2)\tSUM(1; 2)\n"
        "A heading that has moved\tEine verschobene Überschrift\n"
        "The last page.\tDie letzte Seite.\n");
    free(all);
}

static void uneven_paragraphs_are_dropped_on_request(void **state)
{
    struct import_config c = config("libreoffice-help");
    c.uneven = UNEVEN_DROP;
    char *all = import_all(&c, HELP "/en-US", HELP "/de", NULL);
    assert_null(strstr(all, "One. Two."));
    assert_non_null(strstr(all, "Borders of pages"));
    free(all);
}

static void absent_help_is_an_error_that_says_what_is_wanted(void **state)
{
    struct error err = { 0 };
    struct import_config c = config("libreoffice-help");
    assert_null(import_all(&c, HELP, HELP "/de", &err));
    assert_non_null(strstr(err.text, HELP));
    assert_non_null(strstr(err.text, "/usr/share/libreoffice/help/en-US"));
    assert_null(import_all(&c, HELP "/en-US", HELP "/fr", &err));
    assert_non_null(strstr(err.text, HELP "/fr"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_has_its_name_as_choice),
        cmocka_unit_test(pairs_are_taken_as_they_are),
        cmocka_unit_test(bad_utf8_is_refused_or_replaced),
        cmocka_unit_test(help_pages_are_aligned_by_path_and_id),
        cmocka_unit_test(uneven_paragraphs_are_dropped_on_request),
        cmocka_unit_test(absent_help_is_an_error_that_says_what_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, release_configs);
}
