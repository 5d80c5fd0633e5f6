/* The table of segmenters, and the two that need no search. */
#include "tokenize/segment.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tokenize/model.h"

const struct segmenter segmenters[] = {
    [MODEL_UNIGRAM] = { "unigram", unigram_best, unigram_sample },
    [MODEL_BPE]     = { "bpe",     bpe_best,     bpe_sample },
    [MODEL_WORD]    = { "word",    word_best,    NULL },
    [MODEL_CHAR]    = { "char",    char_best,    NULL },
};

void segments_add(struct segments *s, size_t length, int32_t id)
{
    if (s->count == s->room)
        ARRAY_GROW(s->items, s->room, s->count + 1);
    s->items[s->count++] = (struct segment){ (uint32_t)length, id };
}

void segmentation_release(struct segments *s)
{
    free(s->items);
    *s = (struct segments){ 0 };
}

/* Words start at each U+2581. */
void word_best(struct segments *out, const struct model *m, const char *text, size_t length)
{
    for (size_t start = 0, end; start < length; start = end) {
        end = start + char_length_within(text + start, length - start);
        while (end < length && strncmp(text + end, "\xe2\x96\x81", 3))
            end += char_length_within(text + end, length - end);
        segments_add(out, end - start, model_find(m, text + start, end - start));
    }
}

void char_best(struct segments *out, const struct model *m, const char *text, size_t length)
{
    for (size_t at = 0, size; at < length; at += size) {
        size = trie_longest(&m->user_defined, text + at, length - at);
        if (!size)
            size = char_length_within(text + at, length - at);
        segments_add(out, size, model_find(m, text + at, size));
    }
}
