/* Escapes and spaces around punctuation. */
#include "corpora/moses.h"

#include <string.h>
#include <strings.h>

#include "base/memory.h"

static const struct { const char *escape; char sign; } escapes[] = {
    { "&amp;", '&' }, { "&#124;", '|' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&apos;", '\'' },
    { "&quot;", '"' }, { "&#91;", '[' }, { "&#93;", ']' }, { "&bar;", '|' }, { "&bra;", '[' },
    { "&ket;", ']' },
};

/* The row of the escape at the start of the text, or -1. */
static int escape_at(const char *at, size_t left)
{
    for (size_t i = 0; i < ARRAY_COUNT(escapes); i++) {
        size_t length = strlen(escapes[i].escape);
        if (left >= length && !memcmp(at, escapes[i].escape, length))
            return (int)i;
    }
    return -1;
}

void moses_unescape(struct strbuf *out, struct text t)
{
    for (size_t at = 0; at < t.length;) {
        const char *sign = memchr(t.bytes + at, '&', t.length - at);
        size_t plain = sign ? (size_t)(sign - t.bytes) - at : t.length - at;
        strbuf_add(out, t.bytes + at, plain);
        at += plain;
        if (!sign)
            return;
        int row = escape_at(sign, t.length - at);
        strbuf_putc(out, row < 0 ? '&' : escapes[row].sign);
        at += row < 0 ? 1 : strlen(escapes[row].escape);
    }
}

/* ---- words divided by single spaces ---- */

static bool is(struct text word, const char *text)
{
    return word.length == strlen(text) && !memcmp(word.bytes, text, word.length);
}

static bool is_any(struct text word, const char *const *list)
{
    for (; *list; list++)
        if (word.length == strlen(*list) && !strncasecmp(word.bytes, *list, word.length))
            return true;
    return false;
}

/* Marks that stand at the end of the word before them. */
static bool joins_left(struct text word)
{
    static const char *const marks[] = {
        ",", ".", "!", "?", ":", ";", ")", "]", "}", "%", "...", "…", "”", "»", "。", "，", "、", NULL
    };
    static const char *const endings[] = { "'s", "'re", "'ve", "'ll", "'d", "'m", "n't", NULL };
    return is_any(word, marks) || is_any(word, endings);
}

static bool joins_right(struct text word)
{
    static const char *const marks[] = { "(", "[", "{", "$", "£", "€", "¿", "¡", "“", "„", "«", NULL };
    return is_any(word, marks);
}

static struct text word_next(struct text *rest)
{
    while (rest->length && *rest->bytes == ' ')
        rest->bytes++, rest->length--;
    const char *space = rest->length ? memchr(rest->bytes, ' ', rest->length) : NULL;
    size_t length = space ? (size_t)(space - rest->bytes) : rest->length;
    struct text word = { rest->bytes, length };
    *rest = (struct text){ rest->bytes + length, rest->length - length };
    return word;
}

static int escapes_in(struct text t)
{
    int count = 0;
    for (size_t at = 0; at < t.length; at++) {
        const char *sign = memchr(t.bytes + at, '&', t.length - at);
        if (!sign)
            break;
        at = (size_t)(sign - t.bytes);
        count += escape_at(sign, t.length - at) >= 0;
    }
    return count;
}

/* What the signs below begin with. */
static bool may_be_trace(char c)
{
    return c == ',' || c == '.' || c == '@' || c == 'n' || c == '\'' || c == ')';
}

/* A colon or semicolon may stand alone in French; a comma or full stop never does. */
int moses_traces(struct text t)
{
    static const char *const signs[] = { ",", ".", "@-@", "n't", "'s", ")", NULL };
    int count = escapes_in(t);
    for (size_t at = 0; at + 1 < t.length; at++) {
        const char *space = memchr(t.bytes + at, ' ', t.length - at);
        if (!space)
            break;
        at = (size_t)(space - t.bytes);
        if (at + 1 >= t.length || !may_be_trace(t.bytes[at + 1]))
            continue;
        struct text rest = { t.bytes + at + 1, t.length - at - 1 };
        if (rest.length)
            count += at > 0 && is_any(word_next(&rest), signs);
    }
    return count;
}

void moses_detokenize(struct strbuf *out, struct text t)
{
    struct strbuf plain = { 0 };
    bool join = true, quoted = false;
    moses_unescape(&plain, t);
    struct text rest = { plain.text ? plain.text : "", plain.length };
    for (struct text word = word_next(&rest); word.length; word = word_next(&rest)) {
        bool dash = is(word, "@-@") || is(word, "@/@"), quote = is(word, "\"");
        if (!join && !dash && !joins_left(word) && !(quote && quoted))
            strbuf_putc(out, ' ');
        strbuf_add(out, dash ? word.bytes + 1 : word.bytes, dash ? 1 : word.length);
        if (quote)
            quoted = !quoted;
        join = dash || joins_right(word) || (quote && quoted);
    }
    strbuf_release(&plain);
}
