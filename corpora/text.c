/* Counting and hashing text. */
#include "corpora/text.h"

#include <string.h>
#include <utf8proc.h>

#include "base/hash.h"
#include "corpora/facts.h"

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

struct text_counts text_count(struct text t)
{
    struct text_facts facts;
    text_facts(&facts, t);
    return facts.counts;
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
