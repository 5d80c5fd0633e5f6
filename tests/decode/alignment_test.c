/* Tests of decode/alignment.h by hand. */
#include "tests/test.h"

#include "base/memory.h"
#include "decode/alignment.h"
#include "decode/search.h"
#include "tests/decode/toy_tokenizer.h"

static void check(enum align kind, const struct hypothesis *h, const int32_t *source, const char *expected)
{
    struct strbuf out = { 0 };
    strbuf_puts(&out, ":");
    alignment_append(&out, kind, h, source, tokenizer, tokenizer);
    assert_string_equal(out.text + 1, expected);
    strbuf_release(&out);
}

static void every_piece_links_to_what_it_looked_at_most_but_for_the_end(void **state)
{
    static const float attention[] = {          /* source pieces 0 1 2, then </s> */
        .1f, .2f, .3f, .4f,
        .5f, .2f, .3f, 0,
        .3f, .3f, .2f, .2f,                     /* a tie goes to the first */
        .9f, .1f, 0, 0,                         /* of </s>: no link */
    };
    static const int32_t ids[] = { 9, 8, 7 }, source[] = { 5, 6, 7 };
    struct hypothesis h = { .ids = ids, .count = 3, .attention = attention, .source_count = 4 };
    check(ALIGN_PIECES, &h, source, "2-0 0-1 0-2");
    check(ALIGN_NONE, &h, source, "");
    h.source_count = 1;
    check(ALIGN_PIECES, &h, source, "");        /* nothing to link to */
    h.source_count = 4;
    h.count = 0;
    check(ALIGN_PIECES, &h, source, "");
    h.count = 3;
    h.attention = NULL;
    check(ALIGN_PIECES, &h, source, "");        /* nobody watched */
}

static void words_are_linked_by_all_of_their_pieces(void **state)
{
    struct ids source = { 0 }, target = { 0 }, first = { 0 };
    tokenizer_encode(tokenizer, &first, "xyz", 3);
    tokenizer_encode(tokenizer, &source, "xyz the", 7);
    tokenizer_encode(tokenizer, &target, "the qqq", 7);
    size_t S = source.count, T = target.count;
    assert_true(S >= 3 && T >= 3);              /* unknown words fall into letters */
    float *attention = xcalloc((S + 1) * (T + 1), sizeof *attention);
    attention[S - 1] = 1;                       /* "the" looks at "the" */
    for (size_t t = 1; t < T; t++) {            /* the letters at the letters, each a bit, and at "the" */
        attention[t * (S + 1) + S - 1] = .4f;
        for (size_t s = 0; s < first.count; s++)
            attention[t * (S + 1) + s] = .6f / (float)first.count;
    }
    struct hypothesis h = { .ids = target.items, .count = (int)T, .attention = attention,
                            .source_count = (int)S + 1 };
    check(ALIGN_WORDS, &h, source.items, "1-0 0-1");
    free(attention);
    ids_release(&first);
    ids_release(&source);
    ids_release(&target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_links_to_what_it_looked_at_most_but_for_the_end),
        cmocka_unit_test(words_are_linked_by_all_of_their_pieces),
    };
    return cmocka_run_group_tests(tests, train_tokenizer, drop_tokenizer);
}
