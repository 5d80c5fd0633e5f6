#ifndef EVAL_TOKENIZERS_H
#define EVAL_TOKENIZERS_H

#include "base/memory.h"
#include "base/strbuf.h"
#include "eval/text.h"

/* sacreBLEU's tokenizers.  Each cuts a segment into tokens; none changes the characters of a
 * token, but 13a decodes four HTML entities first. */

/* The tokens of one segment: pieces of the segment or of `clean`.  {0} is valid and empty. */
struct tokens {
    struct text *items;
    size_t count, room;
    struct strbuf clean;                /* the segment rewritten, where a tokenizer rewrites */
};
void tokens_release(struct tokens *tokens);

/* To add a tokenizer: write its cut function, which adds to an empty list and may use
 * `tokens->clean`, and add a row here and its name to tokenizer_names. */
struct tokenizer {
    const char *name;                   /* as in sacreBLEU's --tokenize and signature */
    void (*cut)(struct tokens *tokens, struct text segment);
};
extern const struct tokenizer tokenizers[];
extern const char *const tokenizer_names[];     /* in the same order; NULL at the end */

/* Replaces the tokens by those of a segment, whose white space at the end does not count. */
void tokens_cut(struct tokens *tokens, const struct tokenizer *tokenizer, struct text segment);

/* Adds a token; nothing when it would be empty. */
static inline void tokens_add(struct tokens *tokens, const char *begin, const char *end)
{
    if (begin == end)
        return;
    ARRAY_GROW(tokens->items, tokens->room, tokens->count + 1);
    tokens->items[tokens->count++] = (struct text){ begin, (size_t)(end - begin) };
}

/* Adds what str.split would give. */
void tokens_split(struct tokens *tokens, struct text segment);

#endif
