/* Text as Python's str methods see it.  Where Python and utf8proc disagree, Python wins: the
 * capital sigma, the dotted capital I, and which control characters are white space. */
#include "eval/text.h"

#include <string.h>
#include <utf8proc.h>

#define BAD_CODE 0xFFFDu

/* ---- code points ---- */

static inline bool is_tail(struct text t, size_t at)
{
    return at < t.length && ((unsigned char)t.bytes[at] & 0xC0) == 0x80;
}

static uint32_t decode(struct text t, size_t *at)
{
    const unsigned char *b = (const unsigned char *)t.bytes + *at;
    size_t i = *at;

    if (b[0] >= 0xC2 && b[0] < 0xE0 && is_tail(t, i + 1)) {
        *at += 2;
        return (b[0] & 0x1Fu) << 6 | (b[1] & 0x3Fu);
    }
    if ((b[0] & 0xF0) == 0xE0 && is_tail(t, i + 1) && is_tail(t, i + 2)) {
        *at += 3;
        return (b[0] & 0x0Fu) << 12 | (b[1] & 0x3Fu) << 6 | (b[2] & 0x3Fu);
    }
    if (b[0] >= 0xF0 && b[0] < 0xF5 && is_tail(t, i + 1) && is_tail(t, i + 2) && is_tail(t, i + 3)) {
        *at += 4;
        return (b[0] & 0x07u) << 18 | (b[1] & 0x3Fu) << 12 | (b[2] & 0x3Fu) << 6 | (b[3] & 0x3Fu);
    }
    *at += 1;
    return BAD_CODE;
}

static inline uint32_t next(struct text t, size_t *at)
{
    unsigned char b = (unsigned char)t.bytes[*at];
    if (b < 0x80) {
        *at += 1;
        return b;
    }
    return decode(t, at);
}

uint32_t text_next(struct text t, size_t *at)
{
    return next(t, at);
}

size_t text_codes(uint32_t *codes, struct text t)
{
    size_t count = 0;
    for (size_t at = 0; at < t.length; )
        codes[count++] = next(t, &at);
    return count;
}

bool code_is_space(uint32_t c)
{
    if (c < 0x80)
        return c == ' ' || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F);
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028
        || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

char code_class(uint32_t c)
{
    static const char first_letter[] = "CLLLLLMMMNNNPPPPPPPSSSSZZZCCCC";
    return first_letter[utf8proc_category((utf8proc_int32_t)c)];
}

/* ---- white space at the ends ---- */

/* Where the code point that ends before `end` begins. */
static size_t step_back(struct text t, size_t end)
{
    size_t at = end - 1;
    while (at > 0 && end - at < 4 && is_tail(t, at))
        at--;
    return at;
}

struct text text_rstrip(struct text t)
{
    while (t.length) {
        size_t last = step_back(t, t.length), at = last;
        if (!code_is_space(next(t, &at)))
            break;
        t.length = last;
    }
    return t;
}

struct text text_strip(struct text t)
{
    size_t at = 0;
    t = text_rstrip(t);
    while (at < t.length) {
        size_t after = at;
        if (!code_is_space(next(t, &after)))
            break;
        at = after;
    }
    return (struct text){ t.bytes + at, t.length - at };
}

/* ---- lower case ---- */

struct range {
    uint32_t first, last;
};

static bool in_ranges(uint32_t c, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}
#define IN_RANGES(c, r) in_ranges(c, r, sizeof(r) / sizeof *(r))

/* Unicode's Case_Ignorable: these categories, and the punctuation within words. */
static bool is_case_ignorable(uint32_t c)
{
    static const struct range within_words[] = {
        { '\'', '\'' }, { '.', '.' }, { ':', ':' }, { 0xB7, 0xB7 }, { 0x387, 0x387 },
        { 0x55F, 0x55F }, { 0x5F4, 0x5F4 }, { 0x2018, 0x2019 }, { 0x2024, 0x2024 },
        { 0x2027, 0x2027 }, { 0xFE13, 0xFE13 }, { 0xFE52, 0xFE52 }, { 0xFE55, 0xFE55 },
        { 0xFF07, 0xFF07 }, { 0xFF0E, 0xFF0E }, { 0xFF1A, 0xFF1A },
    };
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_MN: case UTF8PROC_CATEGORY_ME: case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM: case UTF8PROC_CATEGORY_SK:
        return true;
    default:
        return IN_RANGES(c, within_words);
    }
}

/* Unicode's Cased, of what is not case-ignorable. */
static bool is_cased(uint32_t c)
{
    static const struct range cased_others[] = {
        { 0xAA, 0xAA }, { 0xBA, 0xBA }, { 0x2160, 0x217F }, { 0x24B6, 0x24E9 },
        { 0x1F130, 0x1F149 }, { 0x1F150, 0x1F169 }, { 0x1F170, 0x1F189 },
    };
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_LU: case UTF8PROC_CATEGORY_LL: case UTF8PROC_CATEGORY_LT:
        return true;
    default:
        return IN_RANGES(c, cased_others);
    }
}

/* Unicode's Final_Sigma: a cased letter comes before t[begin … end) and none after it. */
static bool is_final(struct text t, size_t begin, size_t end)
{
    bool cased = false;
    while (begin > 0 && !cased) {
        size_t last = step_back(t, begin), at = last;
        uint32_t c = next(t, &at);
        begin = last;
        if (is_case_ignorable(c))
            continue;
        if (!is_cased(c))
            return false;
        cased = true;
    }
    while (cased && end < t.length) {
        uint32_t c = next(t, &end);
        if (!is_case_ignorable(c))
            return !is_cased(c);
    }
    return cased;
}

static void put_code(struct strbuf *out, uint32_t c)
{
    utf8proc_uint8_t bytes[4];
    utf8proc_ssize_t length = utf8proc_encode_char((utf8proc_int32_t)c, bytes);
    strbuf_add(out, bytes, (size_t)length);
}

static void put_lower(struct strbuf *out, struct text t, size_t *at)
{
    size_t begin = *at;
    uint32_t c = next(t, at);

    if (c == BAD_CODE)
        strbuf_add(out, t.bytes + begin, *at - begin);
    else if (c == 0x130)
        strbuf_puts(out, "i\xCC\x87");
    else if (c == 0x3A3)
        put_code(out, is_final(t, begin, *at) ? 0x3C2 : 0x3C3);
    else
        put_code(out, (uint32_t)utf8proc_tolower((utf8proc_int32_t)c));
}

/* How many bytes from t[at] on are ASCII. */
static size_t ascii_run(struct text t, size_t at)
{
    size_t end = at;
    while (end < t.length && (unsigned char)t.bytes[end] < 0x80)
        end++;
    return end - at;
}

void text_lower(struct strbuf *out, struct text t)
{
    strbuf_reset(out);
    for (size_t at = 0; at < t.length; ) {
        size_t run = ascii_run(t, at), to = out->length;
        strbuf_add(out, t.bytes + at, run);
        for (at += run; to < out->length; to++)
            if (out->text[to] >= 'A' && out->text[to] <= 'Z')
                out->text[to] += 'a' - 'A';
        if (at < t.length)
            put_lower(out, t, &at);
    }
}
