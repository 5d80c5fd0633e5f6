/* Facts about text.  A table knows all of a character of the basic plane:
 *
 *     bits 0-3 class   4 divides words   5-7 characters a word in scripts without spaces
 *     8-12 script, of letters
 */
#include "corpora/facts.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>
#include <utf8proc.h>

#define CLASS_MASK 15
#define DIVIDES 16
#define UNSPACED_SHIFT 5
#define UNSPACED_MASK 7
#define SCRIPT_SHIFT 8

static uint16_t known[0x10000];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static_assert(CLASS_COUNT <= 16 && SCRIPT_COUNT <= 32, "the fields of `known` hold them");

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
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        if (c >= scripts[i].first && c <= scripts[i].last)
            return scripts[i].characters;
    return 0;
}

static bool divides_words(int32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xA0 || c == 0x0F0B ||
           c == 0x1680 || (c >= 0x2000 && c <= 0x200B) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

static enum character_class class_of(int32_t c)
{
    if (c == 0xFFFD)
        return CLASS_REPLACEMENT;
    if (c == 0x200B || c == 0x3000 || c == 0x85)
        return c == 0x200B ? CLASS_INVISIBLE : CLASS_SPACE;
    if (c >= '\t' && c <= '\r')
        return CLASS_SPACE;
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU: case UTF8PROC_CATEGORY_LL: case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM: case UTF8PROC_CATEGORY_LO:
        return CLASS_LETTER;
    case UTF8PROC_CATEGORY_ND: case UTF8PROC_CATEGORY_NL: case UTF8PROC_CATEGORY_NO:
        return CLASS_DIGIT;
    case UTF8PROC_CATEGORY_PC: case UTF8PROC_CATEGORY_PD: case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE: case UTF8PROC_CATEGORY_PI: case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO: case UTF8PROC_CATEGORY_SM: case UTF8PROC_CATEGORY_SC:
    case UTF8PROC_CATEGORY_SK: case UTF8PROC_CATEGORY_SO:
        return CLASS_PUNCTUATION;
    case UTF8PROC_CATEGORY_ZS: case UTF8PROC_CATEGORY_ZL: case UTF8PROC_CATEGORY_ZP:
        return CLASS_SPACE;
    case UTF8PROC_CATEGORY_CC:
        return CLASS_CONTROL;
    case UTF8PROC_CATEGORY_CF:          /* the joiners belong to spelling, of Persian, Hindi, emoji … */
        return c == 0x200C || c == 0x200D ? CLASS_OTHER : CLASS_INVISIBLE;
    case UTF8PROC_CATEGORY_CN: case UTF8PROC_CATEGORY_CS: case UTF8PROC_CATEGORY_CO:
        return CLASS_UNASSIGNED;
    default:
        return CLASS_OTHER;
    }
}

static uint16_t describe(int32_t c)
{
    enum character_class class = class_of(c);
    unsigned script = class == CLASS_LETTER ? script_of(c) : SCRIPT_NONE;
    return (uint16_t)((unsigned)class | (divides_words(c) ? DIVIDES : 0) |
                      (unsigned)characters_a_word(c) << UNSPACED_SHIFT | script << SCRIPT_SHIFT);
}

static void fill_table(void)
{
    for (int32_t c = 0; c < 0x10000; c++)
        known[c] = describe(c);
}

/* The character of two bytes or more at p, by the rules of Unicode's table 3-7; its length, or 0. */
static size_t decode(const unsigned char *p, size_t left, int32_t *c)
{
    if (p[0] < 0xC2 || p[0] > 0xF4 || left < 2 || (p[1] & 0xC0) != 0x80)
        return 0;
    if (p[0] < 0xE0) {
        *c = (p[0] & 0x1F) << 6 | (p[1] & 0x3F);
        return 2;
    }
    if (left < 3 || (p[2] & 0xC0) != 0x80)
        return 0;
    if (p[0] < 0xF0) {
        *c = (p[0] & 0x0F) << 12 | (p[1] & 0x3F) << 6 | (p[2] & 0x3F);
        return *c < 0x800 || (*c >= 0xD800 && *c < 0xE000) ? 0 : 3;
    }
    if (left < 4 || (p[3] & 0xC0) != 0x80)
        return 0;
    *c = (p[0] & 0x07) << 18 | (p[1] & 0x3F) << 12 | (p[2] & 0x3F) << 6 | (p[3] & 0x3F);
    return *c < 0x10000 || *c > 0x10FFFF ? 0 : 4;
}

enum character_class character_next(struct text t, size_t *at, int32_t *c)
{
    const unsigned char *p = (const unsigned char *)t.bytes + *at;
    pthread_once(&once, fill_table);
    if (*p < 0x80) {
        ++*at;
        *c = *p;
        return (enum character_class)(known[*p] & CLASS_MASK);
    }
    size_t size = decode(p, t.length - *at, c);
    *at += size ? size : 1;
    if (!size) {
        *c = *p;
        return CLASS_BAD;
    }
    return *c < 0x10000 ? (enum character_class)(known[*c] & CLASS_MASK) : class_of(*c);
}

/* Keeps in mind the word that is being counted. */
struct counting {
    uint32_t of[CLASS_COUNT], script[SCRIPT_COUNT];
    int64_t characters, words, longest_word;
    int64_t word_start;                 /* where, in characters, the current spaced word began */
    int64_t twelfths;                   /* of words in text without spaces */
};

static inline void end_word(struct counting *n)
{
    int64_t word = n->characters - n->word_start;
    if (word > n->longest_word)
        n->longest_word = word;
    n->words += word > 0;
    n->word_start = n->characters + 1;
}

static inline void count(struct counting *n, unsigned about)
{
    n->of[about & CLASS_MASK]++;
    n->script[about >> SCRIPT_SHIFT]++;
    if (about & (DIVIDES | UNSPACED_MASK << UNSPACED_SHIFT)) {
        unsigned unspaced = about >> UNSPACED_SHIFT & UNSPACED_MASK;
        end_word(n);
        if (unspaced)
            n->twelfths += 12 / unspaced;
    }
    n->characters++;
}

/* ---- eight ASCII characters at a time ----
 *
 * A mask has the top bit of each byte that is meant.  No byte has its top bit set before, so adding
 * 0x80 - n sets it for bytes of n or more, and carries nothing into the next. */
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define TOPS EACH(0x80)

static inline uint64_t at_least(uint64_t word, unsigned n)
{
    return word + EACH(0x80 - n);
}

static inline uint64_t between(uint64_t word, unsigned low, unsigned high)
{
    return at_least(word, low) & ~at_least(word, high + 1) & TOPS;
}

static inline uint64_t equal(uint64_t word, unsigned c)
{
    return ~at_least(word ^ EACH(c), 1) & TOPS;
}

static inline unsigned marked(uint64_t mask)
{
    return (unsigned)((mask >> 7) * EACH(1) >> 56);
}

/* Bit i for byte i. */
static inline unsigned gathered(uint64_t mask)
{
    return (unsigned)((mask >> 7) * UINT64_C(0x0102040810204080) >> 56);
}

struct signs { uint64_t at, slash, ampersand, angle; };

static void count_words(struct counting *n, uint64_t spaces)
{
    uint64_t inside = n->characters > n->word_start ? 0x80 : 0;
    unsigned divides = gathered(spaces);
    n->words += marked(spaces & (((~spaces & TOPS) << 8) | inside));
    int64_t first = n->characters + __builtin_ctz(divides) - n->word_start;
    if (first > n->longest_word)
        n->longest_word = first;
    for (unsigned rest = divides; n->longest_word < 6 && rest & (rest - 1); rest &= rest - 1) {
        int gap = __builtin_ctz(rest & (rest - 1)) - __builtin_ctz(rest) - 1;
        n->longest_word = gap > n->longest_word ? gap : n->longest_word;
    }
    n->word_start = n->characters + 32 - __builtin_clz(divides);
}

static inline void count_ascii(struct counting *n, struct signs *signs, uint64_t word)
{
    uint64_t letters = between(word | EACH(0x20), 'a', 'z') & at_least(word, 0x40);
    uint64_t spaces = equal(word, ' ') | between(word, '\t', '\r');
    uint64_t controls = (~at_least(word, 0x20) & TOPS & ~spaces) | equal(word, 0x7F);
    unsigned l = marked(letters), d = marked(between(word, '0', '9')), s = marked(spaces),
             c = marked(controls);
    n->of[CLASS_LETTER] += l;
    n->of[CLASS_DIGIT] += d;
    n->of[CLASS_SPACE] += s;
    n->of[CLASS_CONTROL] += c;
    n->of[CLASS_PUNCTUATION] += 8 - l - d - s - c;
    n->script[SCRIPT_LATIN] += l;
    signs->at |= equal(word, '@');
    signs->slash |= equal(word, '/');
    signs->ampersand |= equal(word, '&');
    signs->angle |= equal(word, '<');
    if (spaces)
        count_words(n, spaces);
    n->characters += 8;
}

static void count_one(struct counting *n, struct signs *signs, const unsigned char **at,
                      const unsigned char *end)
{
    const unsigned char *p = *at;
    int32_t code;
    if (*p < 0x80) {
        count(n, known[*p]);
        signs->at |= *p == '@';
        signs->slash |= *p == '/';
        signs->ampersand |= *p == '&';
        signs->angle |= *p == '<';
        *at = p + 1;
        return;
    }
    size_t size = decode(p, (size_t)(end - p), &code);
    if (!size)
        count(n, CLASS_BAD);
    else
        count(n, code < 0x10000 ? known[code] : describe(code));
    *at = p + (size ? size : 1);
}

static void count_all(struct counting *n, struct signs *signs, const unsigned char *p,
                      const unsigned char *end)
{
    while (p < end) {
        uint64_t word;
        if (end - p >= 8) {
            memcpy(&word, p, 8);
            if (!(word & TOPS)) {
                count_ascii(n, signs, word);
                p += 8;
                continue;
            }
        }
        count_one(n, signs, &p, end);
    }
}

void text_facts(struct text_facts *out, struct text t)
{
    const unsigned char *p = (const unsigned char *)t.bytes;
    struct counting n = { 0 };
    struct signs signs = { 0 };
    pthread_once(&once, fill_table);
    *out = (struct text_facts){ 0 };
    if (!t.length)
        return;
    count_all(&n, &signs, p, p + t.length);
    end_word(&n);
    out->counts = (struct text_counts){ n.words + (n.twelfths + 11) / 12, n.characters,
                                        n.longest_word };
    for (int i = 0; i < CLASS_COUNT; i++)
        out->of[i] = n.of[i];
    memcpy(out->script, n.script, sizeof out->script);
    out->script[SCRIPT_NONE] = 0;
    out->has_at = signs.at;
    out->has_slash = signs.slash;
    out->has_ampersand = signs.ampersand;
    out->has_angle = signs.angle;
}

double facts_script_share(const struct text_facts *f, uint32_t scripts)
{
    uint64_t letters = 0, inside = 0;
    for (int s = SCRIPT_LATIN; s < SCRIPT_COUNT; s++) {
        letters += f->script[s];
        inside += scripts >> s & 1 ? f->script[s] : 0;
    }
    return letters ? (double)inside / (double)letters : 1;
}
