/* tokenize/normalize.c, a table of switches, inputs and outputs. */
#include "tests/test.h"

#include "base/memory.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "tokenize/normalize.h"

enum { NFC = 1, NFKC = 2, CONTROL = 4, COLLAPSE = 8, TRIM = 16 };

static struct normalize_config switches(int on)
{
    return (struct normalize_config){ on & NFC, on & NFKC, on & CONTROL, on & COLLAPSE, on & TRIM };
}

static char *normalized(size_t *length, int on, const char *text, size_t text_length)
{
    struct normalize_config config = switches(on);
    struct strbuf out = { 0 };
    normalize_text(&out, &config, text, text_length);
    *length = out.length;
    return strbuf_detach(&out);
}

static const struct example { int on; const char *in, *out; } examples[] = {
    { 0,                 " a\t b\x01 ",           " a\t b\x01 " },
    { NFC,               "e\u0301 o\u0308 \ufb01", "\u00e9 \u00f6 \ufb01" },
    { NFC,               "\u1112\u1161\u11ab",    "\ud55c" },
    { NFC,               "plain  ascii",          "plain  ascii" },
    { NFKC,              "\ufb01 \uff21\u00bd\u2122", "fi A1\u20442TM" },
    { NFC | NFKC,        "e\u0301\ufb01",         "\u00e9fi" },
    { CONTROL,           "a\x01\x7f\xc2\x90" "b\ufeff" "c", "abc" },
    { CONTROL,           "a\tb\xc2\x85" "c\rd",     "a b c d" },
    { CONTROL,           "a\u00a0b\u2028c",       "a\u00a0b\u2028c" },
    { COLLAPSE,          "a  b\t\tc\u00a0\u3000d", "a b c d" },
    { COLLAPSE,          "  a  ",                 " a " },
    { COLLAPSE | TRIM,   " \t a  b \u2003",       "a b" },
    { TRIM,              "\u3000 a  b\t",         "a  b" },
    { TRIM,              " \t ",                  "" },
    { CONTROL | COLLAPSE, "a \x01 b",             "a b" },
    { NFC | TRIM,        "",                      "" },
    /* bytes that are not UTF-8 stay, and what stands between them is normalised */
    { NFC,               "e\u0301\xff" "e\u0301\xc3", "\u00e9\xff\u00e9\xc3" },
    { CONTROL | TRIM,    " \xff\x01\xe2\x82 ",    "\xff\xe2\x82" },
    /* composition may bring forth what the next switch sees */
    { NFKC | COLLAPSE,   "a\u00a0\u2003b",        "a b" },
};

static void each_switch_does_its_part(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(examples); i++) {
        size_t length;
        char *got = normalized(&length, examples[i].on, examples[i].in, strlen(examples[i].in));
        if (strcmp(got, examples[i].out))
            fail_msg("example %zu: '%s' should be '%s'", i, got, examples[i].out);
        assert_int_equal(length, strlen(examples[i].out));
        free(got);
    }
}

static void zero_bytes_stay_or_go_as_control_characters(void **state)
{
    size_t length;
    char *kept = normalized(&length, NFC, "a\0\xc3\xa9", 4);
    assert_int_equal(length, 4);
    assert_memory_equal(kept, "a\0\xc3\xa9", 4);
    free(kept);
    char *gone = normalized(&length, CONTROL, "a\0b", 3);
    assert_string_equal(gone, "ab");
    free(gone);
}

static void text_is_appended_to_what_is_there(void **state)
{
    struct normalize_config config = switches(COLLAPSE | TRIM);
    struct strbuf out = { 0 };
    strbuf_puts(&out, "x ");
    normalize_text(&out, &config, "  ", 2);
    assert_string_equal(out.text, "x ");
    normalize_text(&out, &config, " y ", 3);
    assert_string_equal(out.text, "x y");
    strbuf_release(&out);
}

static void normalising_twice_changes_nothing_more(void **state)
{
    static const char letters[] = " \tae\x01\xcc\x81\xef\xbc\xa1\xc3\xa9";
    struct rng rng;
    rng_seed(&rng, 1, 0);
    for (int round = 0; round < 2000; round++) {
        char text[24];
        size_t once_length, twice_length, size = rng_below(&rng, sizeof text);
        int on = (int)rng_below(&rng, 32);
        for (size_t i = 0; i < size; i++)
            text[i] = rng_below(&rng, 3) ? letters[rng_below(&rng, sizeof letters - 1)]
                                         : (char)rng_below(&rng, 256);
        char *once = normalized(&once_length, on, text, size);
        char *twice = normalized(&twice_length, on, once, once_length);
        /* taking a control character out can join bytes into a character */
        if (!(on & CONTROL)) {
            assert_int_equal(once_length, twice_length);
            assert_memory_equal(once, twice, once_length);
        }
        free(once);
        free(twice);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_switch_does_its_part),
        cmocka_unit_test(zero_bytes_stay_or_go_as_control_characters),
        cmocka_unit_test(text_is_appended_to_what_is_there),
        cmocka_unit_test(normalising_twice_changes_nothing_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
