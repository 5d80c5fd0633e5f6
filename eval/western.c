/* Western punctuation without regular expressions.
 *
 * sacreBLEU inserts spaces by substituting one regular expression after another, then splits at
 * white space.  Its matches do not overlap, so a character used by one match is not seen by the
 * next; worked through, each substitution depends on the neighbours of a character and on
 * whether the character before was already cut off by the same substitution.  That makes one
 * pass of local rules, which the comments give beside the expressions. */
#include "eval/western.h"

#include <string.h>

#include "eval/tokenizers.h"

enum byte_kind { LETTER, DIGIT,           /* stay where they are */
                 SPACE, SYMBOL, POINT, DASH, WIDE };

static const unsigned char kinds[256] = {
    ['0' ... '9'] = DIGIT,
    ['\t' ... '\r'] = SPACE, [0x1C ... 0x1F] = SPACE, [' '] = SPACE,
    ['!' ... '&'] = SYMBOL, ['(' ... '+'] = SYMBOL, ['/'] = SYMBOL, [':' ... '@'] = SYMBOL,
    ['[' ... '`'] = SYMBOL, ['{' ... '~'] = SYMBOL,
    ['.'] = POINT, [','] = POINT,
    ['-'] = DASH,
    [0xC2] = WIDE, [0xE1 ... 0xEF] = WIDE,      /* white space and what can be `alone` begin so */
};

static enum byte_kind kind_at(struct text t, size_t at)
{
    return kinds[(unsigned char)t.bytes[at]];
}

/* `'s ` → ` 's `, after symbols got spaces and before points do. */
static bool ends_possessive(struct text t, size_t begin, size_t end)
{
    return end - begin > 2 && t.bytes[end - 2] == '\'' && t.bytes[end - 1] == 's'
        && (end == t.length || t.bytes[end] == ' ' || kind_at(t, end) == SYMBOL);
}

static void add_word(struct tokens *tokens, struct text t, size_t begin, size_t end,
                     const struct western *rules)
{
    if (rules->possessive && ends_possessive(t, begin, end)) {
        tokens_add(tokens, t.bytes + begin, t.bytes + end - 2);
        begin = end - 2;
    }
    tokens_add(tokens, t.bytes + begin, t.bytes + end);
}

/* `([\{-\~\[-\` -\&\(-\+\:-\@\/])` → ` \1 `    a symbol is a token;
 * `([^0-9])([\.,])` → `\1 \2 `                 so is a point or comma after no digit, unless the
 *                                              character before was cut off by this very rule;
 * `([\.,])([^0-9])` → ` \1 \2`                 or before no digit;
 * `([0-9])(-)` → `\1 \2 `                      and a dash after a digit. */
void western_cut(struct tokens *tokens, struct text t, const struct western *rules)
{
    size_t begin = 0, cut_point = SIZE_MAX;     /* cut_point: behind the last point cut by rule 2 */

    for (size_t at = 0;;) {
        while (at < t.length && kind_at(t, at) <= DIGIT)
            at++;
        if (at == t.length)
            break;
        size_t here = at;
        enum byte_kind kind = kind_at(t, at);
        bool space = false, token = false;
        if (kind == WIDE) {
            uint32_t code = text_next(t, &at);
            space = code_is_space(code);
            token = rules->alone && rules->alone(code);
        } else {
            at++;
        }
        switch (kind) {
        case SPACE:
            space = true;
            break;
        case SYMBOL:
            token = true;
            break;
        case POINT:
            if (cut_point != here && (here ? kind_at(t, here - 1) != DIGIT : rules->padded)) {
                cut_point = at;
                token = true;
            }
            token |= at < t.length ? kind_at(t, at) != DIGIT : rules->padded;
            break;
        case DASH:
            token = here && kind_at(t, here - 1) == DIGIT;
            break;
        default:
            break;
        }
        if (!space && !token)
            continue;
        add_word(tokens, t, begin, here, rules);
        if (token)
            tokens_add(tokens, t.bytes + here, t.bytes + at);
        begin = at;
    }
    add_word(tokens, t, begin, t.length, rules);
}

/* ---- entities ---- */

static void replace_all(struct strbuf *b, const char *from, const char *to)
{
    size_t skip = strlen(from), put = strlen(to), kept = 0;
    for (size_t at = 0; at < b->length; ) {
        if (b->length - at >= skip && !memcmp(b->text + at, from, skip)) {
            memcpy(b->text + kept, to, put);
            kept += put;
            at += skip;
        } else {
            b->text[kept++] = b->text[at++];
        }
    }
    b->length = kept;
}

struct text replace_entities(struct strbuf *clean, struct text t,
                             const struct replacement *pairs, size_t count)
{
    if (!memchr(t.bytes, '&', t.length) && !memchr(t.bytes, '<', t.length)
        && !memchr(t.bytes, '\n', t.length))
        return t;
    strbuf_reset(clean);
    strbuf_add(clean, t.bytes, t.length);
    for (size_t i = 0; i < count; i++)
        replace_all(clean, pairs[i].from, pairs[i].to);
    return (struct text){ clean->text, clean->length };
}
