/* sacreBLEU's tokenizers without regular expressions (see eval/western.c for how). */
#include "eval/tokenizers.h"

#include <stdlib.h>
#include <string.h>

#include "eval/cutters.h"
#include "eval/western.h"

void tokens_release(struct tokens *tokens)
{
    free(tokens->items);
    strbuf_release(&tokens->clean);
    if (tokens->worker)
        tokens->model->worker_free(tokens->worker);
    *tokens = (struct tokens){ 0 };
}

/* ---- none: split at white space ---- */

void tokens_split(struct tokens *tokens, struct text t)
{
    size_t begin = 0;
    for (size_t at = 0; at < t.length; ) {
        size_t here = at;
        if (!code_is_space(text_next(t, &at)))
            continue;
        tokens_add(tokens, t.bytes + begin, t.bytes + here);
        begin = at;
    }
    tokens_add(tokens, t.bytes + begin, t.bytes + t.length);
}

/* ---- char: every character that is no white space ---- */

static void cut_char(struct tokens *tokens, struct text t)
{
    for (size_t at = 0; at < t.length; ) {
        size_t here = at;
        if (!code_is_space(text_next(t, &at)))
            tokens_add(tokens, t.bytes + here, t.bytes + at);
    }
}

/* ---- 13a: mteval-v13a.pl ---- */

static const struct replacement nist_entities[] = {
    { "<skipped>", "" }, { "-\n", "" }, { "\n", " " },
    { "&quot;", "\"" }, { "&amp;", "&" }, { "&lt;", "<" }, { "&gt;", ">" },
};

static void cut_13a(struct tokens *tokens, struct text t)
{
    static const struct western rules = { .padded = true };
    t = replace_entities(&tokens->clean, t, nist_entities, ARRAY_COUNT(nist_entities));
    western_cut(tokens, t, &rules);
}

/* ---- zh: Chinese characters one by one, the rest by the Western rules ---- */

/* sacreBLEU's ranges as they act.  Two of them mean the planes beyond U+FFFF but are written as
 * '\u20000' … '\u2a6d6', which Python reads as U+2000 followed by '0': characters from U+2001 to
 * U+2A6D count as Chinese, and those of the supplementary planes do not. */
static bool is_chinese(uint32_t c)
{
    static const struct { uint32_t first, last; } ranges[] = {
        { 0x2001, 0x2A6D }, { 0x2E80, 0x2EFF }, { 0x2F00, 0x2FDF }, { 0x2FF0, 0x303F },
        { 0x3100, 0x312F }, { 0x31A0, 0x31BF }, { 0x31C0, 0x31EF }, { 0x3200, 0x4DB5 },
        { 0x4E00, 0x9FBB }, { 0xF900, 0xFA2D }, { 0xFA30, 0xFA6A }, { 0xFA70, 0xFAD9 },
        { 0xFE10, 0xFE1F }, { 0xFE30, 0xFE4F }, { 0xFF00, 0xFFEF },
    };
    for (size_t i = 0; i < ARRAY_COUNT(ranges); i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

static bool is_chinese_token(uint32_t c)
{
    return is_chinese(c) && !code_is_space(c);
}

static void cut_zh(struct tokens *tokens, struct text t)
{
    static const struct western rules = { .alone = is_chinese_token };
    western_cut(tokens, text_strip(t), &rules);
}

/* ---- intl: mteval-v14.pl ---- */

static char class_of(uint32_t code)
{
    if (code < 0x80) {
        if ((code | 0x20) >= 'a' && (code | 0x20) <= 'z')
            return 'L';
        if (code >= '0' && code <= '9')
            return 'N';
    }
    return code_class(code);
}

/* `(\P{N})(\p{P})` → `\1 \2 `    punctuation is a token after a character that is no number,
 *                                unless that character was cut off by this very rule;
 * `(\p{P})(\P{N})` → ` \1 \2`    or before a character that is no number;
 * `(\p{S})` → ` \1 `             a symbol is a token. */
static void cut_intl(struct tokens *tokens, struct text t)
{
    size_t begin = 0, after = 0;
    uint32_t code, next_code = 0;
    char before = 'N', class, next_class = 0;
    bool cut_before = false;

    if (t.length) {
        next_code = text_next(t, &after);
        next_class = class_of(next_code);
    }
    for (size_t here = 0, at; here < t.length; here = at) {
        bool token = false, cut = false, more;
        code = next_code;
        class = next_class;
        at = after;
        more = at < t.length;
        if (more) {
            next_code = text_next(t, &after);
            next_class = class_of(next_code);
        }
        if (class == 'P') {
            cut = before != 'N' && !cut_before;
            token = cut || (more && next_class != 'N');
        } else if (class == 'S') {
            token = true;
        }
        before = class;
        cut_before = cut;
        if (!token && !code_is_space(code))
            continue;
        tokens_add(tokens, t.bytes + begin, t.bytes + here);
        if (token)
            tokens_add(tokens, t.bytes + here, t.bytes + at);
        begin = at;
    }
    tokens_add(tokens, t.bytes + begin, t.bytes + t.length);
}

const struct cutter cutters[] = {
    { "13a",  cut_13a },
    { "none", tokens_split },
    { "char", cut_char },
    { "intl", cut_intl },
    { "zh",   cut_zh },
    { "ja-mecab",  mecab_cut, mecab_open },
    { "ko-mecab",  mecab_cut, mecab_open },
    { "spm",       spm_cut, spm_open },
    { "flores101", spm_cut, spm_open },
    { "flores200", spm_cut, spm_open },
    { "spBLEU-1K", spm_cut, spm_open },
};
const char *const cutter_names[] = { "13a", "none", "char", "intl", "zh", "ja-mecab", "ko-mecab", "spm",
                                     "flores101", "flores200", "spBLEU-1K", NULL };
_Static_assert(ARRAY_COUNT(cutter_names) == ARRAY_COUNT(cutters) + 1, "a name each");

void cutter_model_free(struct cutter_model *model)
{
    if (!model)
        return;
    model->free(model->data);
    free(model->signature);
    free(model);
}

void tokens_cut(struct tokens *tokens, const struct cutter *cutter, struct text segment)
{
    tokens->count = 0;
    cutter->cut(tokens, text_rstrip(segment));
}
