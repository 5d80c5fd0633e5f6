/* A scanner for HTML as it is found. */
#include "corpora/html.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

#include "base/memory.h"
#include "base/strbuf.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_named(struct text t, const char *name)
{
    return t.length == strlen(name) && !strncasecmp(t.bytes, name, t.length);
}

static bool starts(const struct html *h, size_t at, const char *with)
{
    size_t length = strlen(with);
    return h->input.length - at >= length && !strncasecmp(h->input.bytes + at, with, length);
}

/* Where `mark` comes next, or the end. */
static size_t find(const struct html *h, size_t at, const char *mark)
{
    while (at < h->input.length && !starts(h, at, mark))
        at++;
    return at;
}

/* Behind the '>' that ends the tag, quoted ones aside. */
static size_t tag_end(const struct html *h, size_t at)
{
    char quote = 0;
    for (; at < h->input.length; at++) {
        char c = h->input.bytes[at];
        if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '>')
            return at + 1;
        else if ((c == '"' || c == '\'') && h->input.bytes[at - 1] == '=')
            quote = c;
    }
    return at;
}

static struct text slice(const struct html *h, size_t from, size_t to)
{
    return (struct text){ h->input.bytes + from, to - from };
}

static bool is_tag(const struct html *h, size_t at)
{
    size_t next = at + 1;
    if (h->input.bytes[at] != '<' || next >= h->input.length)
        return false;
    if (h->input.bytes[next] == '!' || h->input.bytes[next] == '?')
        return true;
    next += h->input.bytes[next] == '/';
    return next < h->input.length && is_letter(h->input.bytes[next]);
}

/* Skips what a script or style holds: everything up to its closing tag. */
static void skip_raw(struct html *h, const struct html_token *token)
{
    if (html_is(token, "script"))
        h->at = find(h, h->at, "</script");
    else if (html_is(token, "style"))
        h->at = find(h, h->at, "</style");
}

static void tag(struct html *h, struct html_token *out)
{
    size_t end = tag_end(h, h->at + 1), name = h->at + 1, name_end;
    size_t last = h->input.bytes[end - 1] == '>' ? end - 1 : end;
    out->kind = h->input.bytes[name] == '/' ? HTML_CLOSE : HTML_OPEN;
    name += out->kind == HTML_CLOSE;
    for (name_end = name; name_end < last && !is_space(h->input.bytes[name_end]) &&
                          h->input.bytes[name_end] != '/'; name_end++)
        ;
    out->name = slice(h, name, name_end);
    out->attributes = slice(h, name_end, last);
    h->at = end;
    if (out->kind == HTML_OPEN)
        skip_raw(h, out);
}

static void text(struct html *h, struct html_token *out)
{
    size_t from = h->at++;
    while (h->at < h->input.length && !is_tag(h, h->at))
        h->at++;
    *out = (struct html_token){ HTML_TEXT, .text = slice(h, from, h->at) };
}

/* Comments, declarations, processing instructions. */
static void skip_declaration(struct html *h)
{
    if (starts(h, h->at, "<!--")) {
        h->at = find(h, h->at + 4, "-->");
        h->at += h->at < h->input.length ? 3 : 0;
    } else {
        h->at = tag_end(h, h->at + 1);
    }
}

bool html_next(struct html *h, struct html_token *out)
{
    *out = (struct html_token){ 0 };
    while (h->at < h->input.length) {
        if (!is_tag(h, h->at)) {
            text(h, out);
            return true;
        }
        if (h->input.bytes[h->at + 1] != '!' && h->input.bytes[h->at + 1] != '?') {
            tag(h, out);
            return true;
        }
        skip_declaration(h);
    }
    return false;
}

bool html_is(const struct html_token *token, const char *name)
{
    return is_named(token->name, name);
}

/* The next name="value", name='value', name=value or name; false at the end. */
static bool attribute_next(struct text *rest, struct text *name, struct text *value)
{
    const char *at = rest->bytes, *end = rest->bytes + rest->length, *from;
    while (at < end && (is_space(*at) || *at == '/'))
        at++;
    for (from = at; at < end && !is_space(*at) && *at != '='; at++)
        ;
    *name = (struct text){ from, (size_t)(at - from) };
    *value = (struct text){ at, 0 };
    if (at < end && *at == '=') {
        char quote = ++at < end && (*at == '"' || *at == '\'') ? *at++ : 0;
        for (from = at; at < end && (quote ? *at != quote : !is_space(*at)); at++)
            ;
        *value = (struct text){ from, (size_t)(at - from) };
        at += at < end && quote;
    }
    *rest = (struct text){ at, (size_t)(end - at) };
    return name->length || value->length || at < end;
}

bool html_attribute(const struct html_token *token, const char *name, struct text *value)
{
    struct text rest = token->attributes, found;
    while (attribute_next(&rest, &found, value))
        if (is_named(found, name))
            return true;
    return false;
}

static int32_t entity(struct text name)
{
    static const struct { const char *name; int32_t c; } known[] = {
        { "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' }, { "apos", '\'' },
        { "nbsp", 0xA0 }, { "shy", 0xAD }, { "copy", 0xA9 }, { "reg", 0xAE },
        { "ndash", 0x2013 }, { "mdash", 0x2014 }, { "hellip", 0x2026 },
        { "lsquo", 0x2018 }, { "rsquo", 0x2019 }, { "ldquo", 0x201C }, { "rdquo", 0x201D },
        { "laquo", 0xAB }, { "raquo", 0xBB }, { "times", 0xD7 }, { "deg", 0xB0 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        if (is_named(name, known[i].name))
            return known[i].c;
    if (name.length < 2 || *name.bytes != '#')
        return -1;
    bool hex = name.bytes[1] == 'x' || name.bytes[1] == 'X';
    char digits[12] = "", *end;
    if (name.length - 1 - hex >= sizeof digits)
        return -1;
    memcpy(digits, name.bytes + 1 + hex, name.length - 1 - hex);
    long c = strtol(digits, &end, hex ? 16 : 10);
    return *digits && !*end && c > 0 && utf8proc_codepoint_valid((int32_t)c) ? (int32_t)c : -1;
}

/* The length of the entity at the start of the text, its & and ; counted; 0: none. */
static size_t entity_length(struct text t)
{
    for (size_t i = 1; i < t.length && i < 12; i++)
        if (t.bytes[i] == ';')
            return i + 1;
    return 0;
}

void html_decode(struct strbuf *out, struct text raw)
{
    while (raw.length) {
        const char *sign = memchr(raw.bytes, '&', raw.length);
        size_t plain = sign ? (size_t)(sign - raw.bytes) : raw.length;
        strbuf_add(out, raw.bytes, plain);
        raw = (struct text){ raw.bytes + plain, raw.length - plain };
        if (!sign)
            return;
        size_t size = entity_length(raw);
        int32_t c = size ? entity((struct text){ raw.bytes + 1, size - 2 }) : -1;
        uint8_t encoded[4];
        if (c >= 0)
            strbuf_add(out, encoded, (size_t)utf8proc_encode_char(c, encoded));
        else
            strbuf_add(out, raw.bytes, size = 1);
        raw = (struct text){ raw.bytes + size, raw.length - size };
    }
}
