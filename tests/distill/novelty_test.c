/* How new lines are beside known ones. */
#include "tests/test.h"

#include <math.h>

#include "base/error.h"
#include "base/rng.h"
#include "distill/novel_lines.h"
#include "distill/novelty.h"
#include "tokenize/tokenizer.h"

static struct error err;
static struct tokenizer *tokenizer;

static int open_tokenizer(void **state)
{
    tokenizer = tokenizer_load(TEST_DATA "/../tokenize/golden/bpe.model", &err);
    return tokenizer ? 0 : -1;
}

static int close_tokenizer(void **state)
{
    tokenizer_free(tokenizer);
    return 0;
}

static struct novelty_config config_of(int epochs)
{
    return (struct novelty_config){ .width = 64, .epochs = epochs, .learning_rate = 0.003f, .seed = 1 };
}

/* "the young dog sees a house", from a small grammar. */
static struct strings sentences(int count, uint64_t seed)
{
    static const char *const slots[][6] = {
        { "the", "a", "my", "this", "her", "no" }, { "young", "old", "red", "quiet", "happy", "new" },
        { "dog", "cat", "house", "friend", "teacher", "child" }, { "sees", "hears", "likes", "finds", "wants", "has" },
        { "the", "a", "my", "this", "her", "no" }, { "bread", "water", "book", "street", "garden", "song" },
    };
    struct strings out = { 0 };
    struct rng rng;
    rng_seed(&rng, seed, 0);
    for (int i = 0; i < count; i++) {
        char line[128] = "";
        for (int k = 0; k < 6; k++) {
            strcat(line, k ? " " : "");
            strcat(line, slots[k][rng_below(&rng, 6)]);
        }
        strings_add(&out, line);
    }
    return out;
}

static void what_was_learnt_is_less_new_than_its_words_in_another_order(void **state)
{
    struct novelty_config c = config_of(8);
    struct novelty *n = novelty_new(tokenizer, &c);
    struct strings known = sentences(1500, 1), others = sentences(200, 2), turned = { 0 };
    double loss;
    float below[200], above[200];
    for (int i = 0; i < 200; i++) {             /* from back to front, word by word */
        char line[128] = "", *copy = strdup(others.items[i]), *space;
        while ((space = strrchr(copy, ' '))) {
            strcat(strcat(line, space + 1), " ");
            *space = '\0';
        }
        strings_add(&turned, strcat(line, copy));
        free(copy);
    }
    novelty_scores(n, below, &others);
    novelty_scores(n, above, &turned);
    assert_true(novelty_auc(below, 200, above, 200) < 0.8);     /* nothing is known yet */
    assert_int_equal(novelty_learn(n, &known, &loss, &err), 0);
    novelty_scores(n, below, &others);
    novelty_scores(n, above, &turned);
    assert_true(novelty_auc(below, 200, above, 200) > 0.95);
    strings_release(&known);
    strings_release(&others);
    strings_release(&turned);
    novelty_free(n);
}

static void learning_lowers_the_loss_and_repeats_bit_for_bit(void **state)
{
    double losses[3];
    float scores[2][50];
    struct strings known = sentences(400, 1), others = sentences(50, 2);
    for (int i = 0; i < 3; i++) {
        struct novelty_config c = config_of(i == 2 ? 1 : 4);
        struct novelty *n = novelty_new(tokenizer, &c);
        assert_int_equal(novelty_learn(n, &known, &losses[i], &err), 0);
        if (i < 2)
            novelty_scores(n, scores[i], &others);
        novelty_free(n);
    }
    assert_true(losses[0] < losses[2] && losses[0] == losses[1]);
    assert_memory_equal(scores[0], scores[1], sizeof scores[0]);
    strings_release(&known);
    strings_release(&others);
}

/* Lines are scored some hundred places at a time. */
static void a_line_scores_the_same_among_others_and_alone(void **state)
{
    struct novelty_config c = config_of(1);
    struct novelty *n = novelty_new(tokenizer, &c);
    struct strings many = sentences(120, 3), one = { 0 };
    float scores[121], alone[2];
    strings_add(&many, "");
    strings_add(&one, many.items[100]);
    strings_add(&one, "");
    novelty_scores(n, scores, &many);
    novelty_scores(n, alone, &one);
    assert_true(fabsf(scores[100] - alone[0]) < 1e-5f * alone[0]);
    assert_true(scores[120] == 0 && alone[1] == 0);
    strings_release(&many);
    strings_release(&one);
    novelty_free(n);
}

static void nothing_known_is_refused(void **state)
{
    struct novelty_config c = config_of(1);
    struct novelty *n = novelty_new(tokenizer, &c);
    struct strings none = { 0 };
    double loss;
    strings_add(&none, "");
    assert_int_equal(novelty_learn(n, &none, &loss, &err), -1);
    assert_non_null(strstr(err.text, "nothing to learn from"));
    strings_release(&none);
    novelty_free(n);
}

static void the_area_under_the_curve_counts_ties_half(void **state)
{
    const float low[] = { 1, 2, 3 }, high[] = { 4, 5 }, mixed[] = { 2, 4 }, same[] = { 7, 7 };
    assert_true(novelty_auc(low, 3, high, 2) == 1);
    assert_true(novelty_auc(high, 2, low, 3) == 0);
    assert_true(fabs(novelty_auc(low, 3, mixed, 2) - (1.5 + 3) / 6) < 1e-12);
    assert_true(novelty_auc(same, 2, same, 2) == 0.5);
    assert_true(isnan(novelty_auc(low, 0, high, 2)));
}

static void lines_between_the_quantiles_are_chosen(void **state)
{
    const float scores[] = { 5, 1, 4, 2, 3, 9, 8, 7, 6, 2 };
    bool take[10];
    assert_int_equal(novel_choose(take, scores, 10, 0.5f, 0.9f), 4);
    for (int i = 0; i < 10; i++)
        assert_int_equal(take[i], scores[i] >= 5 && scores[i] <= 8);
    assert_int_equal(novel_choose(take, scores, 10, 0, 1), 10);
    assert_int_equal(novel_choose(take, scores, 10, 0.1f, 0.2f), 1);    /* of two equal ones the first */
    assert_true(take[3] && !take[9]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_learnt_is_less_new_than_its_words_in_another_order),
        cmocka_unit_test(learning_lowers_the_loss_and_repeats_bit_for_bit),
        cmocka_unit_test(a_line_scores_the_same_among_others_and_alone),
        cmocka_unit_test(nothing_known_is_refused),
        cmocka_unit_test(the_area_under_the_curve_counts_ties_half),
        cmocka_unit_test(lines_between_the_quantiles_are_chosen),
    };
    return cmocka_run_group_tests(tests, open_tokenizer, close_tokenizer);
}
