/* The table of edits. */
#include "corpora/edit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/memory.h"
#include "corpora/facts.h"
#include "corpora/moses.h"

#define FIELD(member) offsetof(struct edit_config, member)
const struct option edit_options[] = {
    { "fix-unicode", OPTION_FLAG, FIELD(fix_unicode), "false", 0, 0,
      "compose characters, mend doubly encoded ones, remove control and invisible characters, and "
      "make every kind of space a space" },
    { "fix-quotes", OPTION_FLAG, FIELD(fix_quotes), "false", 0, 0,
      "turn typographic quotation marks and apostrophes into \" and '" },
    { "detokenize", OPTION_FLAG, FIELD(detokenize), "false", 0, 0,
      "undo what Moses' tokenizer did to texts that show it: escapes, @-@, spaces before marks" },
    { 0 }
};

static void put(struct strbuf *out, int32_t c)
{
    uint8_t bytes[4];
    strbuf_add(out, bytes, (size_t)utf8proc_encode_char(c, bytes));
}

static bool is_ascii(struct text t)
{
    for (size_t i = 0; i < t.length; i++)
        if ((unsigned char)t.bytes[i] >= 0x80)
            return false;
    return true;
}

/* ---- Unicode ---- */

/* The byte of Windows-1252 that shows as c, or -1. */
static int windows_byte(int32_t c)
{
    static const uint16_t from_0x80[32] = {
        0x20AC, 0x81, 0x201A, 0x192, 0x201E, 0x2026, 0x2020, 0x2021, 0x2C6, 0x2030, 0x160, 0x2039,
        0x152, 0x8D, 0x17D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
        0x2DC, 0x2122, 0x161, 0x203A, 0x153, 0x9D, 0x17E, 0x178,
    };
    if (c < 0x100)
        return c;
    for (int i = 0; i < 32; i++)
        if (from_0x80[i] == c)
            return 0x80 + i;
    return -1;
}

/* UTF-8 that was taken for Windows-1252 and encoded again, as "Ã¤" for "ä": the character that was
 * meant, and where it ends; -1: none. */
static int32_t mojibake(struct text t, size_t at, int32_t first, size_t *end)
{
    char bytes[4] = { (char)first };
    size_t need = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (first < 0xC2 || first > 0xF4)
        return -1;
    for (size_t i = 1; i < need; i++) {
        int32_t c;
        if (at >= t.length || character_next(t, &at, &c) == CLASS_BAD)
            return -1;
        int byte = windows_byte(c);
        if (byte < 0x80 || byte > 0xBF)
            return -1;
        bytes[i] = (char)byte;
    }
    int32_t meant;
    size_t from = 0;
    enum character_class class = character_next((struct text){ bytes, need }, &from, &meant);
    *end = at;
    return from == need && (class == CLASS_LETTER || class == CLASS_PUNCTUATION || meant == 0xA0)
               ? meant : -1;
}

static void add_mended(struct strbuf *out, struct text t)
{
    for (size_t at = 0; at < t.length;) {
        size_t from = at, end;
        int32_t c, meant;
        enum character_class class = character_next(t, &at, &c);
        if (class == CLASS_SPACE) {
            strbuf_putc(out, ' ');
        } else if (class == CLASS_CONTROL || class == CLASS_INVISIBLE) {
            continue;
        } else if (class == CLASS_BAD) {
            strbuf_puts(out, "\xEF\xBF\xBD");
        } else if ((meant = mojibake(t, at, c, &end)) >= 0) {
            put(out, meant == 0xA0 ? ' ' : meant);
            at = end;
        } else {
            strbuf_add(out, t.bytes + from, at - from);
        }
    }
}

/* Characters that composing leaves alone, whatever stands beside them; of most languages all are
 * such, so that few texts go through the library. */
static bool is_composed(int32_t c)
{
    return c < 0x300 || (c >= 0x410 && c < 0x483) || (c >= 0x2010 && c < 0x2070) ||
           (c >= 0x20A0 && c < 0x20C0) || (c >= 0x3400 && c < 0xA000) || (c >= 0x3001 && c < 0x3041);
}

/* Behind the ASCII at `at` that shows. */
static size_t skip_printable(struct text t, size_t at)
{
    while (at < t.length && (unsigned char)(t.bytes[at] - ' ') < 0x5F)
        at++;
    return at;
}

struct needs { bool mending, composing; };

static struct needs needs_of(struct text t)
{
    struct needs n = { false, false };
    for (size_t at = skip_printable(t, 0); at < t.length && !n.mending; at = skip_printable(t, at)) {
        size_t end;
        int32_t c;
        enum character_class class = character_next(t, &at, &c);
        n.mending = class == CLASS_SPACE || class == CLASS_CONTROL || class == CLASS_INVISIBLE ||
                    class == CLASS_BAD || mojibake(t, at, c, &end) >= 0;
        n.composing = n.composing || !is_composed(c);
    }
    return n;
}

static void compose(struct strbuf *out, struct text t)
{
    uint8_t *composed = NULL;
    utf8proc_ssize_t length = utf8proc_map((const uint8_t *)t.bytes, (utf8proc_ssize_t)t.length, &composed,
                                           UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (length > 0)
        strbuf_add(out, composed, (size_t)length);
    else
        strbuf_add(out, t.bytes, t.length);
    free(composed);
}

static bool fix_unicode(struct strbuf *out, struct text t)
{
    struct strbuf mended = { 0 };
    struct needs needs = needs_of(t);
    if (!needs.mending && !needs.composing)
        return false;
    if (needs.mending)
        add_mended(&mended, t);
    struct text now = needs.mending ? (struct text){ mended.text, mended.length } : t;
    if (now.length)
        compose(out, now);
    strbuf_release(&mended);
    return true;
}

/* ---- quotes ---- */

static char plain_quote(int32_t c)
{
    switch (c) {
    case 0x201C: case 0x201D: case 0x201E: case 0x201F: case 0xAB: case 0xBB: case 0x2033:
        return '"';
    case 0x2018: case 0x2019: case 0x201A: case 0x201B: case 0x2039: case 0x203A: case 0x2032:
        return '\'';
    default:
        return 0;
    }
}

static bool fix_quotes(struct strbuf *out, struct text t)
{
    if (is_ascii(t))
        return false;
    for (size_t at = 0; at < t.length;) {
        size_t from = at;
        int32_t c;
        character_next(t, &at, &c);
        char quote = plain_quote(c);
        if (quote)
            strbuf_putc(out, quote);
        else
            strbuf_add(out, t.bytes + from, at - from);
    }
    return true;
}

/* ---- tokenizers ---- */

static bool detokenize(struct strbuf *out, struct text t)
{
    bool traces = moses_traces(t) > 0;
    if (traces)
        moses_detokenize(out, t);
    return traces;
}

/* ---- the table ---- */

static bool wants_unicode(const struct edit_config *c) { return c->fix_unicode; }
static bool wants_quotes(const struct edit_config *c) { return c->fix_quotes; }
static bool wants_detokenize(const struct edit_config *c) { return c->detokenize; }

const struct edit edits[] = {
    { "unicode", "characters mended", wants_unicode, fix_unicode },
    { "quotes", "quotation marks made plain", wants_quotes, fix_quotes },
    { "detokenized", "traces of a tokenizer undone", wants_detokenize, detokenize },
    { 0 }
};
static_assert(ARRAY_COUNT(edits) <= EDIT_MOST, "raise EDIT_MOST");

bool edits_wanted(const struct edit_config *config)
{
    for (const struct edit *e = edits; e->name; e++)
        if (e->wanted(config))
            return true;
    return false;
}

unsigned edits_apply(struct text *out, struct strbuf scratch[2], struct text t,
                     const struct edit_config *config)
{
    unsigned changed = 0;
    int next = 0;
    for (int i = 0; edits[i].name; i++) {
        struct strbuf *to = &scratch[next];
        if (!edits[i].wanted(config))
            continue;
        strbuf_reset(to);
        if (!edits[i].apply(to, t))
            continue;
        struct text after = { to->text, to->length };
        if (text_equal(after, t))
            continue;
        changed |= 1u << i;
        t = after;
        next = !next;
    }
    *out = t;
    return changed;
}
