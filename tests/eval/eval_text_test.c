#include "tests/test.h"

#include "eval/text.h"

static void lower_case_follows_python(void **state)
{
    static const char *const cases[][2] = {
        { "", "" },
        { "Hello WORLD 1", "hello world 1" },
        { "ÄÖÜ ẞ ß", "äöü ß ß" },
        { "İI", "i\u0307i" },
        { "ΟΔΟΣ", "οδος" },
        { "ΟΔΟΣ.", "οδος." },
        { "ΣΑΣ Σ", "σας σ" },
        { "ΑΣ'Α ΑΣ' Α", "ασ'α ας' α" },
        { "Α\u0301Σ\u0301", "α\u0301ς\u0301" },
        { "1Σ \u2160Σ", "1σ \u2170ς" },
        { "\u01C4 \U00010400", "\u01C6 \U00010428" },
        { "\xff\xc3", "\xff\xc3" },
    };
    struct strbuf out = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        text_lower(&out, text_of(cases[i][0]));
        assert_string_equal(out.text, cases[i][1]);
    }
    strbuf_release(&out);
}

static void white_space_is_stripped_as_by_python(void **state)
{
    static const struct { const char *text, *rstrip, *strip; } cases[] = {
        { "", "", "" },
        { " \t\r\n\x0b\x0c\x1c\x1f", "", "" },
        { " a ", " a", "a" },
        { "\u3000a\u00a0\u2028", "\u3000a", "a" },
        { "\u200ba\u200b ", "\u200ba\u200b", "\u200ba\u200b" },
        { "\xc2\x85" "a\xe1\x9a\x80", "\xc2\x85" "a", "a" },
        { "a\x80", "a\x80", "a\x80" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text r = text_rstrip(text_of(cases[i].text)), s = text_strip(text_of(cases[i].text));
        assert_int_equal(r.length, strlen(cases[i].rstrip));
        assert_memory_equal(r.bytes, cases[i].rstrip, r.length);
        assert_int_equal(s.length, strlen(cases[i].strip));
        assert_memory_equal(s.bytes, cases[i].strip, s.length);
    }
}

static void categories_are_told_by_their_first_letter(void **state)
{
    static const struct { uint32_t code; char class; } cases[] = {
        { 'a', 'L' }, { 0x4E2D, 'L' }, { 0x301, 'M' }, { '5', 'N' }, { 0xBD, 'N' }, { 0x2162, 'N' },
        { '.', 'P' }, { '_', 'P' }, { 0x2014, 'P' }, { '+', 'S' }, { 0x20AC, 'S' }, { 0x1F600, 'S' },
        { ' ', 'Z' }, { 0x3000, 'Z' }, { '\t', 'C' }, { 0x200D, 'C' }, { 0xE000, 'C' },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(code_class(cases[i].code), cases[i].class);
}

static void code_points_are_read_and_bad_bytes_replaced(void **state)
{
    const char text[] = "a\u00e9\u20ac\U0001F600\xff\xe2\x82";
    uint32_t codes[sizeof text], want[] = { 'a', 0xE9, 0x20AC, 0x1F600, 0xFFFD, 0xFFFD, 0xFFFD };
    size_t count = text_codes(codes, (struct text){ text, sizeof text - 1 });
    assert_int_equal(count, 7);
    assert_memory_equal(codes, want, sizeof want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lower_case_follows_python),
        cmocka_unit_test(white_space_is_stripped_as_by_python),
        cmocka_unit_test(categories_are_told_by_their_first_letter),
        cmocka_unit_test(code_points_are_read_and_bad_bytes_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
