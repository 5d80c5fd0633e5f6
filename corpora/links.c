/* Numbers and addresses. */
#include "corpora/links.h"

#include <string.h>

#include "base/hash.h"
#include "corpora/facts.h"

static void bag_add(struct hash_bag *bag, uint64_t hash)
{
    if (bag->count < BAG_MOST)
        bag->items[bag->count++] = hash;
}

/* ---- numbers ---- */

/* 0 … 9 for a decimal digit of the scripts in use, or -1. */
static int digit_value(int32_t c)
{
    static const int32_t zeros[] = { 0x660, 0x6F0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66,
                                     0xCE6, 0xD66, 0xE50, 0xED0, 0xF20, 0x1040, 0x17E0, 0xFF10 };
    if (c < 0x80)
        return c >= '0' && c <= '9' ? (int)(c - '0') : -1;
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++)
        if (c >= zeros[i] && c < zeros[i] + 10)
            return (int)(c - zeros[i]);
    return -1;
}

/* Signs that stand within a number, in one language or another. */
static bool is_inner(int32_t c)
{
    return c == '.' || c == ',' || c == '\'' || c == 0xA0 || c == 0x202F || c == 0x66B || c == 0x66C;
}

/* Behind the bytes from `at` on that are ASCII and no digit, or some of them. */
static size_t skip_plain(struct text t, size_t at)
{
    const uint64_t high = UINT64_C(0x8080808080808080);
    uint64_t word;
    for (; at + 8 <= t.length; at += 8) {
        memcpy(&word, t.bytes + at, 8);
        uint64_t off = (word & ~high) ^ UINT64_C(0x3030303030303030);      /* below 10: a digit */
        if ((word & high) || (~(off + UINT64_C(0x7676767676767676)) & high))
            break;
    }
    while (at < t.length && (unsigned char)t.bytes[at] < 0x80 && (t.bytes[at] < '0' || t.bytes[at] > '9'))
        at++;
    return at;
}

void numbers_of(struct hash_bag *out, struct text t)
{
    uint64_t hash = 0;
    bool inside = false, inner = false;
    out->count = 0;
    for (size_t at = 0; at < t.length;) {
        int32_t c = (unsigned char)t.bytes[at];
        if (!inside && c < 0x80 && (c < '0' || c > '9')) {
            at = skip_plain(t, at);
            continue;
        }
        character_next(t, &at, &c);
        int digit = digit_value(c);
        if (digit >= 0) {
            hash = (inside ? hash : 7) * 31 + (unsigned)digit + 1;
            inside = true;
            inner = false;
        } else if (inside && !inner && is_inner(c)) {
            inner = true;
        } else if (inside) {
            bag_add(out, hash);
            inside = inner = false;
        }
    }
    if (inside)
        bag_add(out, hash);
}

/* ---- links ---- */

static bool ends_link(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == '"' || c == '<' || c == '>' || c == '(' ||
           c == ')' || c == '[' || c == ']' || c == '|' || (unsigned char)c >= 0x80;
}

static bool is_address(struct text word)
{
    const char *at = memchr(word.bytes, '@', word.length);
    size_t before = at ? (size_t)(at - word.bytes) : 0;
    return before && memchr(at, '.', word.length - before) && at[1] != '.';
}

static bool is_page(struct text word)
{
    return memmem(word.bytes, word.length, "://", 3) ||
           (word.length > 4 && !memcmp(word.bytes, "www.", 4));
}

void links_of(struct hash_bag *out, struct text t)
{
    out->count = 0;
    for (size_t at = 0; at < t.length; at++) {
        size_t from = at;
        while (at < t.length && !ends_link(t.bytes[at]))
            at++;
        struct text word = { t.bytes + from, at - from };
        while (word.length && strchr(".,;:!?'/", word.bytes[word.length - 1]))
            word.length--;
        if (word.length > 4 && (is_page(word) || is_address(word)))
            bag_add(out, hash_bytes(word.bytes, word.length, 3));
    }
}

int bags_unmatched(const struct hash_bag *a, const struct hash_bag *b)
{
    const struct hash_bag *large = a->count >= b->count ? a : b, *small = large == a ? b : a;
    uint32_t taken = 0;
    int unmatched = 0;
    for (int i = 0; i < large->count; i++) {
        int k = 0;
        while (k < small->count && (taken >> k & 1 || small->items[k] != large->items[i]))
            k++;
        if (k < small->count)
            taken |= UINT32_C(1) << k;
        else
            unmatched++;
    }
    return unmatched;
}
