#ifndef EVAL_TOKENIZERS_H
#define EVAL_TOKENIZERS_H

#include "base/memory.h"
#include "base/strbuf.h"
#include "eval/text.h"

/* sacreBLEU's tokenizers.  Each cuts a segment into tokens; none changes the characters of a
 * token, but 13a decodes four HTML entities first. */

struct error;

/* What a tokenizer learnt from files: read-only after `open`, shared by threads. */
struct cutter_model {
    char *signature;                    /* as in "tok:…" */
    void *data;
    void (*worker_free)(void *worker);
    void (*free)(void *data);
};
void cutter_model_free(struct cutter_model *model);

/* Where to find them; each may be NULL. */
struct cutter_files {
    const char *spm_model;
    const char *mecab_dictionary, *mecab_library;
};

/* The tokens of one segment: pieces of the segment or of `clean`.  {0} is valid and empty. */
struct tokens {
    struct text *items;
    size_t count, room;
    struct strbuf clean;                /* the segment rewritten, where a tokenizer rewrites */
    const struct cutter_model *model;   /* borrowed; of the tokenizers that have one */
    void *worker;
};
void tokens_release(struct tokens *tokens);

/* To add a tokenizer: write its cut function, which adds to an empty list and may use
 * `tokens->clean`, and add a row here and its name to cutter_names.  Those that need a model or a
 * dictionary have `open`, which leaves it in *model, and what a thread needs of its own they keep in
 * tokens->worker. */
struct cutter {
    const char *name;                   /* as in sacreBLEU's --tokenize */
    void (*cut)(struct tokens *tokens, struct text segment);
    int (*open)(struct cutter_model **model, const char *name, const struct cutter_files *files,
                struct error *err);
};
extern const struct cutter cutters[];
extern const char *const cutter_names[];        /* in the same order; NULL at the end */

/* Replaces the tokens by those of a segment, whose white space at the end does not count. */
void tokens_cut(struct tokens *tokens, const struct cutter *cutter, struct text segment);

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
