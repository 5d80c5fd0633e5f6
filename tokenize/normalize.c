#include "tokenize/normalize.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/lines.h"
#include "base/memory.h"
#include "base/strbuf.h"

#define FIELD(member) offsetof(struct normalize_config, member)
const struct option normalize_options[] = {
    { "nfc", OPTION_FLAG, FIELD(nfc), "false", 0, 0,
      "compose characters canonically (Unicode NFC)" },
    { "nfkc", OPTION_FLAG, FIELD(nfkc), "false", 0, 0,
      "compose characters and fold compatibility forms (Unicode NFKC)" },
    { "remove-control", OPTION_FLAG, FIELD(remove_control), "false", 0, 0,
      "remove control characters; tabs and line breaks become spaces" },
    { "collapse-space", OPTION_FLAG, FIELD(collapse_space), "false", 0, 0,
      "turn each run of white space into one space" },
    { "trim-space", OPTION_FLAG, FIELD(trim_space), "false", 0, 0,
      "remove white space at both ends" },
    { 0 }
};

bool normalize_wanted(const struct normalize_config *c)
{
    return c->nfc || c->nfkc || c->remove_control || c->collapse_space || c->trim_space;
}

/* ---- composition ---- */

static bool is_ascii(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] & 0x80)
            return false;
    return true;
}

static void compose_valid(struct strbuf *out, const char *text, size_t length, bool compatibility)
{
    utf8proc_uint8_t *composed = NULL;
    utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    if (compatibility)
        options |= UTF8PROC_COMPAT;
    utf8proc_ssize_t got = -1;
    if (!is_ascii(text, length))
        got = utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)length, &composed,
                           options);
    if (got >= 0)
        strbuf_add(out, composed, (size_t)got);
    else
        strbuf_add(out, text, length);
    free(composed);
}

static void compose(struct strbuf *out, const char *text, size_t length, bool compatibility)
{
    while (length) {
        size_t valid = utf8_valid_prefix(text, length);
        compose_valid(out, text, valid, compatibility);
        if (valid < length)
            strbuf_putc(out, text[valid++]);
        text += valid;
        length -= valid;
    }
}

/* ---- characters ---- */

enum sort { VISIBLE, SPACE, CONTROL };

static enum sort sort_of(int32_t c)
{
    if (c == ' ' || (c >= 0x09 && c <= 0x0d) || c == 0x85)
        return SPACE;
    if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xfeff)
        return CONTROL;
    if (c < 0xa0)
        return VISIBLE;
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return SPACE;
    default:                   return VISIBLE;
    }
}

/* White space that is a control character too: all but Zs, Zl and Zp. */
static bool is_control_space(int32_t c)
{
    return c != ' ' && c < 0xa0;
}

/* Walks the characters; a byte that is not UTF-8 counts as a visible character. */
static size_t next_character(enum sort *sort, int32_t *c, const char *text, size_t length)
{
    utf8proc_ssize_t size = utf8proc_iterate((const utf8proc_uint8_t *)text,
                                             (utf8proc_ssize_t)length, c);
    *sort = VISIBLE;
    if (size <= 0)
        return 1;
    *sort = sort_of(*c);
    return (size_t)size;
}

static void filter(struct strbuf *out, const struct normalize_config *config,
                   const char *text, size_t length)
{
    size_t start = out->length, visible_end = start;
    bool after_space = false;
    for (size_t at = 0, size; at < length; at += size) {
        enum sort sort;
        int32_t c;
        size = next_character(&sort, &c, text + at, length - at);
        bool leading = config->trim_space && visible_end == start;
        if (sort == CONTROL && config->remove_control)
            continue;
        if (sort != SPACE)
            strbuf_add(out, text + at, size);
        else if (leading || (config->collapse_space && after_space))
            continue;
        else if (config->collapse_space || (config->remove_control && is_control_space(c)))
            strbuf_putc(out, ' ');
        else
            strbuf_add(out, text + at, size);
        after_space = sort == SPACE;
        if (!after_space)
            visible_end = out->length;
    }
    if (config->trim_space && out->length > visible_end) {
        out->length = visible_end;
        out->text[visible_end] = 0;
    }
}

void normalize_text(struct strbuf *out, const struct normalize_config *config,
                    const char *text, size_t length)
{
    struct strbuf composed = { 0 };
    bool filtered = config->remove_control || config->collapse_space || config->trim_space;
    struct strbuf *first = filtered ? &composed : out;
    if (config->nfc || config->nfkc) {
        compose(first, text, length, config->nfkc);
        text = composed.text;
        length = composed.length;
    } else if (!filtered) {
        strbuf_add(out, text, length);
    }
    if (filtered)
        filter(out, config, text, length);
    strbuf_release(&composed);
}
