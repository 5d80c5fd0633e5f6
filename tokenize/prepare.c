/* SentencePiece's own normalisation: the longest rule that matches at the front of what is left
 * gives its replacement, a character without a rule stays. */
#include "tokenize/prepare.h"

#include <string.h>

#include "base/strbuf.h"
#include "tokenize/model.h"

static const char space_sign[] = "\xe2\x96\x81";
static const char replacement_character[] = "\xef\xbf\xbd";

/* What stands at the front of the input: `text` replaces its first `consumed` bytes. */
struct prefix {
    const char *text;
    size_t length, consumed;
};

static uint32_t unit_at(const struct charsmap *c, size_t i)
{
    uint32_t unit;
    memcpy(&unit, c->units + 4 * i, sizeof unit);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    unit = __builtin_bswap32(unit);
#endif
    return unit;
}

static size_t unit_offset(uint32_t unit)
{
    return (unit >> 10) << ((unit & (1u << 9)) >> 6);
}

/* The longest rule at the front of the text: its replacement and length, or length 0. */
static size_t longest_rule(const char **replacement, const struct charsmap *c,
                           const char *text, size_t length)
{
    size_t longest = 0;
    if (!c->unit_count)
        return 0;
    size_t at = unit_offset(unit_at(c, 0));
    for (size_t i = 0; i < length; i++) {
        at ^= (unsigned char)text[i];
        uint32_t unit = unit_at(c, at);
        if ((unit & 0x800000ff) != (unsigned char)text[i])
            break;
        at ^= unit_offset(unit);
        if (unit >> 8 & 1) {
            longest = i + 1;
            *replacement = c->replacements + (unit_at(c, at) & 0x7fffffff);
        }
    }
    return longest;
}

static bool is_trail(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* The bytes of the valid UTF-8 character at the front, or 0. */
static size_t valid_character(const char *text, size_t length)
{
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80)
        return 1;
    if (length >= 2 && (s[0] & 0xe0) == 0xc0)
        return s[0] >= 0xc2 && is_trail(text[1]) ? 2 : 0;
    if (length >= 3 && (s[0] & 0xf0) == 0xe0) {
        unsigned c = (s[0] & 0x0fu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
        bool surrogate = c >= 0xd800 && c < 0xe000;
        return is_trail(text[1]) && is_trail(text[2]) && c >= 0x800 && !surrogate ? 3 : 0;
    }
    if (length >= 4 && (s[0] & 0xf8) == 0xf0) {
        unsigned c = (s[0] & 7u) << 18 | (s[1] & 0x3fu) << 12 | (s[2] & 0x3fu) << 6 | (s[3] & 0x3fu);
        return is_trail(text[1]) && is_trail(text[2]) && is_trail(text[3]) &&
               c >= 0x10000 && c <= 0x10ffff ? 4 : 0;
    }
    return 0;
}

static struct prefix normalize_prefix(const struct model *m, const char *text, size_t length)
{
    const char *replacement;
    size_t consumed = trie_longest(&m->user_defined, text, length);
    if (consumed)
        return (struct prefix){ text, consumed, consumed };
    consumed = longest_rule(&replacement, &m->charsmap, text, length);
    if (consumed)
        return (struct prefix){ replacement, strlen(replacement), consumed };
    consumed = valid_character(text, length);
    if (consumed)
        return (struct prefix){ text, consumed, consumed };
    return (struct prefix){ replacement_character, 3, 1 };
}

static void add_space(struct strbuf *out, const struct model *m)
{
    if (m->escape_whitespaces)
        strbuf_add(out, space_sign, 3);
    else
        strbuf_putc(out, ' ');
}

static void add_escaped(struct strbuf *out, const struct model *m, const char *text, size_t length)
{
    if (!m->escape_whitespaces || !memchr(text, ' ', length)) {
        strbuf_add(out, text, length);
        return;
    }
    for (size_t i = 0; i < length; i++)
        if (text[i] == ' ')
            add_space(out, m);
        else
            strbuf_putc(out, text[i]);
}

static size_t leading_space(const struct model *m, const char *text, size_t length)
{
    size_t at = 0;
    while (at < length) {
        struct prefix p = normalize_prefix(m, text + at, length - at);
        if (p.length != 1 || *p.text != ' ')
            break;
        at += p.consumed;
    }
    return at;
}

static void drop_trailing_space(struct strbuf *out, const struct model *m, size_t start)
{
    const char *space = m->escape_whitespaces ? space_sign : " ";
    size_t size = strlen(space);
    while (out->length - start >= size && !memcmp(out->text + out->length - size, space, size))
        out->length -= size;
    if (out->text)
        out->text[out->length] = 0;
}

/* Whether a prefix goes into the output as it stands in the input. */
static bool is_plain(const struct model *m, const struct prefix *p, const char *at, bool after_space)
{
    bool changes = m->escape_whitespaces || after_space;
    return p->text == at && !(changes && memchr(p->text, ' ', p->length));
}

/* What stays as it is is copied in long runs: text[run … at). */
static void add_normalized(struct strbuf *out, const struct model *m,
                           const char *text, size_t length)
{
    bool after_space = m->remove_extra_whitespaces;
    size_t run = 0;
    for (size_t at = 0; at < length;) {
        struct prefix p = normalize_prefix(m, text + at, length - at);
        if (is_plain(m, &p, text + at, after_space)) {
            at += p.consumed;
            after_space = m->remove_extra_whitespaces && text[at - 1] == ' ';
            continue;
        }
        strbuf_add(out, text + run, at - run);
        run = at += p.consumed;
        for (; after_space && p.length && *p.text == ' '; p.length--)
            p.text++;
        if (p.length) {
            add_escaped(out, m, p.text, p.length);
            after_space = p.text[p.length - 1] == ' ';
        }
        after_space &= m->remove_extra_whitespaces;
    }
    strbuf_add(out, text + run, length - run);
}

void prepare_text(struct strbuf *out, const struct model *m, const char *text, size_t length)
{
    size_t start = out->length;
    size_t skipped = m->remove_extra_whitespaces ? leading_space(m, text, length) : 0;
    if (skipped == length)
        return;
    if (!m->space_as_suffix && m->add_dummy_prefix)
        add_space(out, m);
    add_normalized(out, m, text + skipped, length - skipped);
    if (m->remove_extra_whitespaces)
        drop_trailing_space(out, m, start);
    if (m->space_as_suffix && m->add_dummy_prefix)
        add_space(out, m);
}
