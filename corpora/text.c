/* Counting and hashing text. */
#include "corpora/text.h"

#include <string.h>
#include <utf8proc.h>

#include "base/hash.h"

static bool is_space(int32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct text text_trim(struct text t)
{
    while (t.length && is_space(*t.bytes))
        t.bytes++, t.length--;
    while (t.length && is_space(t.bytes[t.length - 1]))
        t.length--;
    return t;
}

bool text_equal(struct text a, struct text b)
{
    return a.length == b.length && (!a.length || !memcmp(a.bytes, b.bytes, a.length));
}

/* The character at `at`, which moves behind it. */
static int32_t character(struct text t, size_t *at)
{
    int32_t c = (unsigned char)t.bytes[*at];
    utf8proc_ssize_t size = 1;
    if (c >= 0x80)
        size = utf8proc_iterate((const uint8_t *)t.bytes + *at,
                                (utf8proc_ssize_t)(t.length - *at), &c);
    *at += size > 0 ? (size_t)size : 1;
    return size > 0 ? c : 0xFFFD;
}

/* How writing without spaces is counted: by so many characters a word; 0: by spaces. */
static int characters_a_word(int32_t c)
{
    static const struct { int32_t first, last; int characters; } scripts[] = {
        { 0x0E00, 0x0EFF, 4 },          /* Thai, Lao */
        { 0x1000, 0x109F, 4 },          /* Burmese */
        { 0x1780, 0x17FF, 4 },          /* Khmer */
        { 0x3040, 0x30FF, 3 },          /* kana */
        { 0x3400, 0x4DBF, 1 },          /* ideographs … */
        { 0x4E00, 0x9FFF, 1 },
        { 0xF900, 0xFAFF, 1 },
        { 0x20000, 0x3FFFF, 1 },
    };
    if (c < 0x0E00)
        return 0;
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        if (c >= scripts[i].first && c <= scripts[i].last)
            return scripts[i].characters;
    return 0;
}

static bool divides_words(int32_t c)
{
    return is_space(c) || c == 0x85 || c == 0xA0 || c == 0x0F0B || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200B) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

/* Keeps in mind the word that is being counted. */
struct counting {
    struct text_counts counts;
    int64_t word;                       /* characters of the current spaced word so far */
    int64_t twelfths;                   /* of words in text without spaces */
};

static void end_word(struct counting *c)
{
    if (c->word > c->counts.longest_word)
        c->counts.longest_word = c->word;
    c->counts.words += c->word > 0;
    c->word = 0;
}

static void count_character(struct counting *c, int32_t character)
{
    int unspaced = characters_a_word(character);
    c->counts.characters++;
    if (unspaced || divides_words(character))
        end_word(c);
    else
        c->word++;
    if (unspaced)
        c->twelfths += 12 / unspaced;
}

struct text_counts text_count(struct text t)
{
    struct counting c = { 0 };
    for (size_t at = 0; at < t.length;)
        count_character(&c, character(t, &at));
    end_word(&c);
    c.counts.words += (c.twelfths + 11) / 12;
    return c.counts;
}

static bool is_said(int32_t c)
{
    if (c < 0x80)
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    utf8proc_category_t category = utf8proc_category(c);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}

static int32_t lower(int32_t c)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c;
    return utf8proc_tolower(c);
}

uint64_t text_key(struct text t, uint64_t seed)
{
    int32_t said[256];
    size_t count = 0, all = 0;
    uint64_t hash = seed;
    for (size_t at = 0; at < t.length;) {
        int32_t c = character(t, &at);
        if (!is_said(c))
            continue;
        said[count++] = lower(c);
        all++;
        if (count == sizeof said / sizeof *said) {
            hash = hash_bytes(said, sizeof said, hash);
            count = 0;
        }
    }
    return all ? hash_bytes(said, count * sizeof *said, hash) : hash_bytes(t.bytes, t.length, seed);
}
