/* tokenize/trie.c against a plain search through the keys. */
#include "tests/test.h"

#include "base/memory.h"
#include "base/rng.h"
#include "tokenize/trie.h"

enum { KEYS = 3000, KEY_ROOM = 12 };

static char texts[KEYS][KEY_ROOM];
static struct trie_key keys[KEYS];

/* Few letters, so that keys share beginnings; now and then any byte. */
static size_t random_text(char *text, struct rng *rng)
{
    size_t length = 1 + rng_below(rng, KEY_ROOM - 1);
    for (size_t i = 0; i < length; i++)
        text[i] = (char)(rng_below(rng, 12) ? 'a' + rng_below(rng, 5) : rng_below(rng, 256));
    return length;
}

static int32_t plain_find(size_t count, const char *text, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (keys[i].length == length && !memcmp(keys[i].text, text, length))
            return keys[i].value;
    return -1;
}

static size_t random_keys(struct rng *rng, size_t wanted)
{
    size_t count = 0;
    for (size_t i = 0; i < wanted; i++) {
        size_t length = random_text(texts[count], rng);
        if (plain_find(count, texts[count], length) < 0) {
            keys[count] = (struct trie_key){ texts[count], length, (int32_t)i };
            count++;
        }
    }
    return count;
}

static void strings_are_found_and_others_are_not(void **state)
{
    static const size_t sizes[] = { 1, 2, 50, KEYS };
    struct rng rng;
    rng_seed(&rng, 2, 0);
    for (size_t n = 0; n < ARRAY_COUNT(sizes); n++) {
        struct trie t;
        size_t count = random_keys(&rng, sizes[n]);
        trie_build(&t, keys, count);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(trie_find(&t, keys[i].text, keys[i].length), keys[i].value);
        for (int i = 0; i < 500; i++) {
            char text[KEY_ROOM];
            size_t length = random_text(text, &rng), longest = 0;
            assert_int_equal(trie_find(&t, text, length), plain_find(count, text, length));
            for (size_t j = 1; j <= length; j++)
                if (plain_find(count, text, j) >= 0)
                    longest = j;
            assert_int_equal(trie_longest(&t, text, length), longest);
        }
        trie_release(&t);
    }
}

static void an_empty_set_holds_nothing(void **state)
{
    struct trie t;
    trie_build(&t, NULL, 0);
    assert_int_equal(trie_find(&t, "", 0), -1);
    for (int c = 0; c < 256; c++) {
        char text = (char)c;
        assert_int_equal(trie_find(&t, &text, 1), -1);
        assert_int_equal(trie_longest(&t, &text, 1), 0);
    }
    trie_release(&t);
}

static void equal_and_very_long_keys_are_fine(void **state)
{
    struct trie t;
    char *text = xmalloc(100000);
    memset(text, 'x', 100000);
    struct trie_key some[] = { { text, 100000, 1 }, { text, 5, 2 }, { text, 5, 2 }, { text, 0, 3 } };
    trie_build(&t, some, ARRAY_COUNT(some));
    assert_int_equal(trie_find(&t, text, 100000), 1);
    assert_int_equal(trie_find(&t, text, 5), 2);
    assert_int_equal(trie_find(&t, text, 6), -1);
    assert_int_equal(trie_find(&t, text, 0), 3);
    trie_release(&t);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_found_and_others_are_not),
        cmocka_unit_test(an_empty_set_holds_nothing),
        cmocka_unit_test(equal_and_very_long_keys_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
