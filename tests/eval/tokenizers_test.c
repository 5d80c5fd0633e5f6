/* Tokens as sacreBLEU cuts them; '|' divides the expected ones. */
#include "tests/test.h"

#include "eval/tokenizers.h"

static const struct tokenizer_case {
    const char *tokenizer, *text, *tokens;
} cases[] = {
    { "13a", "", "" },
    { "13a", "  \t \r", "" },
    { "13a", "Hello, world!", "Hello|,|world|!" },
    { "13a", "It's 1,000.50 or 3.14.", "It's|1,000.50|or|3.14|." },
    { "13a", ".5 5. a.b a.1 1.a", ".|5|5|.|a|.|b|a|.|1|1|.|a" },
    { "13a", "x..y x.,y 1..2 ...", "x|.|.|y|x|.|,|y|1|.|.|2|.|.|." },
    { "13a", "a-b 1-2 1- -1", "a-b|1|-|2|1|-|-1" },
    { "13a", "AT&amp;T &lt;b&gt; &quot;q&quot;", "AT|&|T|<|b|>|\"|q|\"" },
    { "13a", "&amp;lt; &apos;", "<|&|apos|;" },
    { "13a", "<skipped>a <skip<skipped>ped>", "a|<|skipped|>" },
    { "13a", "re-\nduced a\nb", "reduced|a|b" },
    { "13a", "(„Straße“) €5,–", "(|„Straße“|)|€5|,|–" },
    { "13a", "a\u00a0b\u3000c\u200bd", "a|b|c\u200bd" },

    { "none", " Hello,  world!\t", "Hello,|world!" },
    { "none", "a\x1c" "b\xc2\x85" "c\u2028d", "a|b|c|d" },

    { "char", "a \u00e9\U0001F600", "a|\u00e9|\U0001F600" },
    { "char", "e\u0301", "e|\u0301" },

    { "intl", "Hello, world!", "Hello|,|world|!" },
    { "intl", "In 1999. 1,000.5", "In|1999|.|1,000.5" },
    { "intl", "1999. ", "1999." },
    { "intl", "1999. \u3000a", "1999|.|a" },
    { "intl", "«Ça» – 5€ +1", "«|Ça|»|–|5|€|+|1" },
    { "intl", "x..y \"1\" ..1", "x|.|.|y|\"|1|\"|.|.1" },
    { "intl", "&quot; a^b", "&|quot|;|a|^|b" },
    { "intl", "½.½ ٣٫١٤ ٣،١٤", "½.½|٣٫١٤|٣،١٤" },
    { "intl", "।नमस्ते।", "।|नमस्ते|।" },

    { "zh", "我有2.5个苹果, ok.", "我|有|2.5|个|苹|果|,|ok|." },
    { "zh", " .5 5.", ".5|5." },
    { "zh", "“引用”，ＡＢ", "“|引|用|”|，|Ａ|Ｂ" },
    { "zh", "\U00020000\U00020001 a", "\U00020000\U00020001|a" },
    { "zh", "&quot;中\u3000文&quot;", "&|quot|;|中|文|&|quot|;" },
};

static const struct cutter *find(const char *name)
{
    for (int i = 0; cutter_names[i]; i++)
        if (!strcmp(cutter_names[i], name))
            return &cutters[i];
    fail_msg("no tokenizer %s", name);
    return NULL;
}

static char *joined(const struct tokens *tokens)
{
    struct strbuf out = { 0 };
    for (size_t i = 0; i < tokens->count; i++) {
        if (i)
            strbuf_putc(&out, '|');
        strbuf_add(&out, tokens->items[i].bytes, tokens->items[i].length);
    }
    return strbuf_detach(&out);
}

static void tokens_are_cut_as_sacrebleu_cuts_them(void **state)
{
    struct tokens tokens = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tokens_cut(&tokens, find(cases[i].tokenizer), text_of(cases[i].text));
        char *got = joined(&tokens);
        if (strcmp(got, cases[i].tokens))
            fail_msg("%s of '%s': got %s, want %s", cases[i].tokenizer, cases[i].text, got,
                     cases[i].tokens);
        free(got);
    }
    tokens_release(&tokens);
}

static void names_and_rows_stand_in_the_same_order(void **state)
{
    for (int i = 0; cutter_names[i]; i++)
        assert_string_equal(cutters[i].name, cutter_names[i]);
}

static void bytes_that_are_not_utf8_end_no_tokenizer(void **state)
{
    struct tokens tokens = { 0 };
    const char bad[] = "a\xff.\xe2\x82 \xf0\x9f\x98\xc3";
    for (int i = 0; cutter_names[i]; i++) {
        if (cutters[i].open)
            continue;
        tokens_cut(&tokens, &cutters[i], (struct text){ bad, sizeof bad - 1 });
        assert_true(tokens.count >= 2);
    }
    tokens_release(&tokens);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_cut_as_sacrebleu_cuts_them),
        cmocka_unit_test(names_and_rows_stand_in_the_same_order),
        cmocka_unit_test(bytes_that_are_not_utf8_end_no_tokenizer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
