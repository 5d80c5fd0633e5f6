#include "tests/test.h"

#include "base/table.h"

static void assert_printed(const struct table *t, const char *expected)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    table_print(t, out);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
}

static void numbers_stand_to_the_right(void **state)
{
    struct table t = { 0 };
    table_row(&t, "model", "BLEU", "words/s", "note", NULL);
    table_row(&t, "teacher", "35.1", "1,234", "ä longer one", NULL);
    table_row(&t, "größe", "9.87", "12", "x", NULL);
    assert_printed(&t,
        "model    BLEU  words/s  note\n"
        "-------  ----  -------  ------------\n"
        "teacher  35.1    1,234  ä longer one\n"
        "größe    9.87       12  x\n");
    table_release(&t);
    assert_int_equal(t.count, 0);
}

static void short_rows_and_empty_cells_are_fine(void **state)
{
    struct table t = { 0 };
    table_row(&t, "a", "b", "c", NULL);
    table_row(&t, "x", NULL);
    table_row(&t, "y", "", "-1.5", NULL);
    assert_printed(&t,
        "a  b     c\n"
        "-  -  ----\n"
        "x\n"
        "y     -1.5\n");
    table_release(&t);
}

static void empty_table_prints_nothing(void **state)
{
    struct table t = { 0 };
    assert_printed(&t, "");
    table_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_stand_to_the_right),
        cmocka_unit_test(short_rows_and_empty_cells_are_fine),
        cmocka_unit_test(empty_table_prints_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
