/* Tercom's tokenizer as sacreBLEU has it, regular expressions included where they never match:
 * its rules for runs of kana look for them at the beginning of a line that begins with a space. */
#include "eval/tercom.h"

#include "eval/western.h"

static const struct replacement tercom_entities[] = {
    { "\n-", "" }, { "\n", " " },
    { "&quot;", "\"" }, { "&amp;", "&" }, { "&lt;", "<" }, { "&gt;", ">" },
};

static bool is_asian_punctuation(uint32_t c)
{
    switch (c) {
    case 0x3001: case 0x3002: case 0x3008 ... 0x3011: case 0x3014 ... 0x301F:
    case 0xFF61 ... 0xFF65: case 0x30FB:
    case 0xFF0E: case 0xFF0C: case 0xFF1F: case 0xFF1A: case 0xFF1B: case 0xFF01: case 0xFF02:
    case 0xFF08: case 0xFF09:
        return true;
    default:
        return false;
    }
}

/* Characters that are words.  The range from U+3200 to U+3F22 is sacreBLEU's; U+32FF was meant. */
static bool is_asian_word(uint32_t c)
{
    switch (c) {
    case 0x4E00 ... 0x9FFF: case 0x3200 ... 0x4DBF: case 0x31C0 ... 0x31EF:
    case 0x2E80 ... 0x2EFF: case 0xF900 ... 0xFAFF: case 0xFE30 ... 0xFE4F:
        return true;
    default:
        return is_asian_punctuation(c);
    }
}

static bool is_western_punctuation(uint32_t c)
{
    switch (c) {
    case '.': case ',': case '?': case ':': case ';': case '!': case '"': case '(': case ')':
        return true;
    default:
        return false;
    }
}

static bool goes(uint32_t c, const struct tercom_rules *rules)
{
    return c < 0x80 ? is_western_punctuation(c) : rules->asian_support && is_asian_punctuation(c);
}

/* t without punctuation, at the end of `bare`, which has room for it. */
static struct text without_punctuation(struct strbuf *bare, struct text t,
                                       const struct tercom_rules *rules)
{
    size_t begin = bare->length;
    for (size_t at = 0; at < t.length; ) {
        size_t here = at;
        if (!goes(text_next(t, &at), rules))
            strbuf_add(bare, t.bytes + here, at - here);
    }
    return (struct text){ bare->text + begin, bare->length - begin };
}

static void make_room(struct strbuf *b, size_t length)
{
    strbuf_reset(b);
    ARRAY_GROW(b->text, b->room, length + 1);
}

static void cut_bare(struct tercom *t, struct text segment, const struct tercom_rules *rules)
{
    make_room(&t->bare, segment.length);
    tokens_split(&t->tokens, without_punctuation(&t->bare, segment, rules));
}

/* A word of punctuation alone is gone. */
static void strip_words(struct tercom *t, size_t length, const struct tercom_rules *rules)
{
    size_t kept = 0;
    make_room(&t->bare, length);
    for (size_t i = 0; i < t->tokens.count; i++) {
        struct text word = without_punctuation(&t->bare, t->tokens.items[i], rules);
        t->tokens.items[kept] = word;
        kept += word.length > 0;
    }
    t->tokens.count = kept;
}

void tercom_cut(struct tercom *t, struct text segment, const struct tercom_rules *rules)
{
    static const struct western western = { .padded = true, .possessive = true };
    static const struct western asian = { .padded = true, .possessive = true,
                                          .alone = is_asian_word };
    t->tokens.count = 0;
    segment = text_rstrip(segment);
    if (!rules->case_sensitive) {
        text_lower(&t->lower, segment);
        segment = (struct text){ t->lower.text, t->lower.length };
    }
    if (!rules->normalized) {
        if (rules->no_punct)
            cut_bare(t, segment, rules);
        else
            tokens_split(&t->tokens, segment);
        return;
    }
    segment = replace_entities(&t->tokens.clean, segment, tercom_entities,
                               ARRAY_COUNT(tercom_entities));
    western_cut(&t->tokens, segment, rules->asian_support ? &asian : &western);
    if (rules->no_punct)
        strip_words(t, segment.length, rules);
}

void tercom_cut_reference(struct tercom *t, struct text segment, const struct tercom_rules *rules)
{
    tercom_cut(t, segment, rules);
    if (!rules->normalized)
        return;
    strbuf_reset(&t->joined);
    for (size_t i = 0; i < t->tokens.count; i++) {
        if (i > 0)
            strbuf_putc(&t->joined, ' ');
        strbuf_add(&t->joined, t->tokens.items[i].bytes, t->tokens.items[i].length);
    }
    tercom_cut(t, (struct text){ t->joined.text, t->joined.length }, rules);
}

void tercom_release(struct tercom *t)
{
    tokens_release(&t->tokens);
    strbuf_release(&t->lower);
    strbuf_release(&t->bare);
    strbuf_release(&t->joined);
    *t = (struct tercom){ 0 };
}
