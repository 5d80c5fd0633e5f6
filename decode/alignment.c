/* Attention, added up over words where words are asked for, to links. */
#include "decode/alignment.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "decode/search.h"
#include "tokenize/tokenizer.h"

const char *const align_names[] = { "none", "pieces", "words", NULL };

static const char space[] = "\xE2\x96\x81";     /* U+2581 */

/* The number of each piece's word; t NULL: every piece is one.  Returns how many there are. */
static int number_words(int *word, const int32_t *ids, int count, const struct tokenizer *t)
{
    int words = 0;
    for (int i = 0; i < count; i++) {
        if (i == 0 || !t || !strncmp(tokenizer_piece(t, ids[i]), space, strlen(space)))
            words++;
        word[i] = words - 1;
    }
    return words;
}

static int heaviest(const double *weight, int count)
{
    int best = 0;
    for (int i = 1; i < count; i++)
        if (weight[i] > weight[best])
            best = i;
    return best;
}

void alignment_append(struct strbuf *out, enum align kind, const struct hypothesis *h,
                      const int32_t *source, const struct tokenizer *source_tokenizer,
                      const struct tokenizer *target_tokenizer)
{
    int S = h->source_count - 1, T = h->count;
    if (kind == ALIGN_NONE || !h->attention || S <= 0 || !T)
        return;
    bool words = kind == ALIGN_WORDS;
    int *from = xcalloc((size_t)S, sizeof *from), *to = xcalloc((size_t)T, sizeof *to);
    int sources = number_words(from, source, S, words ? source_tokenizer : NULL);
    int targets = number_words(to, h->ids, T, words ? target_tokenizer : NULL);
    double *weight = xcalloc((size_t)sources, sizeof *weight);
    for (int t = 0, target = 0; target < targets; target++) {
        memset(weight, 0, (size_t)sources * sizeof *weight);
        for (; t < T && to[t] == target; t++)
            for (int s = 0; s < S; s++)
                weight[from[s]] += (double)h->attention[(size_t)t * (size_t)h->source_count + (size_t)s];
        strbuf_printf(out, "%s%d-%d", target ? " " : "", heaviest(weight, sources), target);
    }
    free(weight);
    free(from);
    free(to);
}
