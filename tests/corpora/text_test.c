/* Counting words, keys of sources, sentences, HTML. */
#include "tests/test.h"

#include <stdbool.h>

#include "base/strbuf.h"
#include "corpora/html.h"
#include "corpora/sentences.h"
#include "corpora/text.h"

static void words_are_counted_in_any_script(void **state)
{
    static const struct { const char *text; int words, characters, longest; } cases[] = {
        { "", 0, 0, 0 },
        { " \t ", 0, 3, 0 },
        { "two words", 2, 9, 5 },
        { "  trimmed\tor not ", 3, 17, 7 },
        { "größer", 1, 6, 6 },
        { "no\u00a0break", 2, 8, 5 },
        { "私は本", 3, 3, 0 },
        { "CD 本", 2, 4, 2 },
        { "ダイアログ", 2, 5, 0 },
        { "ภาษาไทย", 2, 7, 0 },
        { "བོད་སྐད", 2, 7, 3 },
        { "\xff\xfe", 1, 2, 2 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text_counts counts = text_count(text_of(cases[i].text));
        assert_int_equal(counts.words, cases[i].words);
        assert_int_equal(counts.characters, cases[i].characters);
        assert_int_equal(counts.longest_word, cases[i].longest);
    }
}

static bool same_key(const char *a, const char *b)
{
    return text_key(text_of(a), 1) == text_key(text_of(b), 1);
}

static void key_ignores_case_punctuation_and_space(void **state)
{
    assert_true(same_key("Hello, World!", "hello world"));
    assert_true(same_key("ÄRGER", "ärger"));
    assert_true(same_key(" a  b", "ab"));
    assert_false(same_key("hello world 1", "hello world 2"));
    assert_false(same_key("...", "!!!"));
    assert_true(same_key("...", "..."));
    assert_false(text_key(text_of("a"), 1) == text_key(text_of("a"), 2));
}

static void key_sees_all_of_a_long_text(void **state)
{
    char a[3000], b[3000];
    for (size_t at = 0; at < 2999; at += 251) {
        memset(a, 'x', sizeof a);
        a[2999] = 0;
        memcpy(b, a, sizeof a);
        b[at] = 'y';
        assert_false(same_key(a, b));
    }
}

/* '|' where a sentence shall end. */
static void sentences_end_where_readers_end_them(void **state)
{
    static const char *const cases[] = {
        "One sentence.",
        "Choose File.|Then choose Open.",
        "Is it?|Yes!|Good…|Fine.",
        "See e.g. Chapter 3 of the manual.",
        "Siehe z. B. Kapitel.|Dann weiter.",
        "Am 3. Januar beginnt es.|Am 4. Februar endet es.",
        "Dr. No lives here.",
        "He said \"Go.\"|Then he went.",
        "(In brackets.)|Outside.",
        "version 3.5 is out.|So what?",
        "Use the file.ini of the folder.",
        "it ends. but not here",
        "Да.|Нет.",
        "これは本です。|それも本です。",
        "यह एक है।|यह दो है।",
        "Er ging.|„Wirklich?“|Ja.",
        "Il part.|« Vraiment ? »|Oui.",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char joined[256], *to = joined;
        struct strbuf cut = { 0 };
        for (const char *from = cases[i]; *from; from++)
            *to++ = *from == '|' ? ' ' : *from;
        *to = 0;
        struct text rest = text_of(joined);
        while (rest.length) {
            struct text one = sentence_next(&rest);
            strbuf_add(&cut, one.bytes, one.length);
            strbuf_puts(&cut, rest.length ? "|" : "");
        }
        assert_string_equal(cut.text, cases[i]);
        strbuf_release(&cut);
    }
    assert_int_equal(sentence_count(text_of("")), 0);
    assert_int_equal(sentence_count(text_of("  ")), 0);
    assert_int_equal(sentence_count(text_of("A sentence.  Another one. ")), 2);
}

/* Tokens as text: <name attr> and </name>, texts in brackets. */
static void html_is_scanned_however_it_is_written(void **state)
{
    static const char *const cases[][2] = {
        { "<p>a</p>", "<p>[a]</p>" },
        { "<!DOCTYPE html><P ID=x>a<br>b", "<P>[a]<br>[b]" },
        { "a < b > c", "[a < b > c]" },
        { "<!-- <p>no</p> --><b/>", "<b>" },
        { "<script defer>if (a<b) x('</p>')</script><i>t</i>", "<script></script><i>[t]</i>" },
        { "<style>p>a{}</STYLE>x", "<style></STYLE>[x]" },
        { "<a href=\"a>b\">t</a>", "<a>[t]</a>" },
        { "<a title='it\"s'>t", "<a>[t]" },
        { "<?xml version=\"1.0\"?><p", "<p>" },
        { "<", "[<]" },
        { "</", "[</]" },
        { "<!-- never closed <p>", "" },
        { "<script>never closed", "<script>" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct html page = { .input = text_of(cases[i][0]) };
        struct html_token token;
        struct strbuf seen = { 0 };
        strbuf_puts(&seen, "");
        while (html_next(&page, &token)) {
            struct text t = token.kind == HTML_TEXT ? token.text : token.name;
            strbuf_puts(&seen, token.kind == HTML_TEXT ? "[" : token.kind == HTML_OPEN ? "<" : "</");
            strbuf_add(&seen, t.bytes, t.length);
            strbuf_putc(&seen, token.kind == HTML_TEXT ? ']' : '>');
        }
        assert_string_equal(seen.text ? seen.text : "", cases[i][1]);
        strbuf_release(&seen);
    }
}

static void html_attributes_are_found(void **state)
{
    static const char *const cases[][2] = {          /* NULL: absent */
        { "<p id=\"x\">", "x" }, { "<p id='x'>", "x" }, { "<p id=x>", "x" }, { "<p ID=x />", "x" },
        { "<p class=\"id\">", NULL }, { "<p data-id=\"y\" id=\"x\">", "x" }, { "<p id>", "" },
        { "<p>", NULL }, { "<p a b=c id=\"x y\">", "x y" }, { "<p title=\"id=z\">", NULL },
        { "<p id=\"open", "open" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct html page = { .input = text_of(cases[i][0]) };
        struct html_token token;
        struct text value;
        assert_true(html_next(&page, &token));
        bool found = html_attribute(&token, "id", &value);
        assert_int_equal(found, cases[i][1] != NULL);
        if (found)
            assert_true(text_equal(value, text_of(cases[i][1])));
    }
}

static void html_entities_are_resolved(void **state)
{
    static const char *const cases[][2] = {
        { "a &lt; b &amp;&gt;", "a < b &>" }, { "&#65;&#x42;&#X43;", "ABC" }, { "&euro;", "&euro;" },
        { "&", "&" }, { "a&b;", "a&b;" }, { "&#xD800;", "&#xD800;" }, { "&#0;", "&#0;" },
        { "&nbsp;", "\u00a0" }, { "&#128512;", "😀" }, { "&#;", "&#;" }, { "&#x;", "&#x;" },
        { "&#99999999999;", "&#99999999999;" }, { "&amp;lt;", "&lt;" }, { "", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct strbuf out = { 0 };
        strbuf_puts(&out, "");
        html_decode(&out, text_of(cases[i][0]));
        assert_string_equal(out.text ? out.text : "", cases[i][1]);
        strbuf_release(&out);
    }
}

/* Any bytes are taken to the end without a crash (the sanitised build looks on). */
static void html_takes_any_bytes(void **state)
{
    static const char alphabet[] = "<>/!-?=\"' pbr&#x;ascript1\n";
    unsigned seed = 1;
    for (int run = 0; run < 20000; run++) {
        char bytes[40];
        struct html_token token;
        struct text value;
        size_t length = (size_t)(run % (int)sizeof bytes);
        for (size_t i = 0; i < length; i++)
            bytes[i] = alphabet[((seed = seed * 1103515245 + 12345) >> 16) % (sizeof alphabet - 1)];
        struct html page = { .input = { bytes, length } };
        size_t tokens = 0;
        struct strbuf out = { 0 };
        for (; html_next(&page, &token); tokens++) {
            html_attribute(&token, "id", &value);
            html_decode(&out, token.text);
        }
        assert_true(tokens <= length);
        assert_int_equal(page.at, length);
        strbuf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_counted_in_any_script),
        cmocka_unit_test(key_ignores_case_punctuation_and_space),
        cmocka_unit_test(key_sees_all_of_a_long_text),
        cmocka_unit_test(sentences_end_where_readers_end_them),
        cmocka_unit_test(html_is_scanned_however_it_is_written),
        cmocka_unit_test(html_attributes_are_found),
        cmocka_unit_test(html_entities_are_resolved),
        cmocka_unit_test(html_takes_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
