#ifndef EVAL_DIFF_H
#define EVAL_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eval/text.h"

/* What two texts have in common, word by word, for people to look at: words are runs of letters,
 * digits and the marks on them; punctuation, symbols, and the characters of scripts that write
 * without spaces (Chinese, kana, Thai …) stand alone.
 *
 *     struct diff_words a = {0}, b = {0};
 *     diff_read(&a, left);
 *     diff_read(&b, right);
 *     diff_common(in_a, in_b, &a, &b);
 *     for (size_t i = 0; i < a.count; i++)
 *         show(a.items[i].text, in_a[i]);
 *     diff_release(&a); … */
struct diff_word {
    struct text text;                   /* a piece of what was read */
    uint64_t hash;
    bool spaced;                        /* white space stands in front of it */
    bool lettered;                      /* letters or digits, no punctuation */
};

/* {0} is empty and valid. */
struct diff_words {
    struct diff_word *items;
    size_t count, room;
};

void diff_read(struct diff_words *out, struct text t);          /* replaces what was there */
void diff_release(struct diff_words *words);

/* in_a (a->count) and in_b (b->count): true for the words of a longest common subsequence.  Where
 * what lies between the common beginning and the common end has more than DIFF_CELLS_MAX pairs of
 * words, nothing of it counts as common. */
#define DIFF_CELLS_MAX ((size_t)1 << 24)
void diff_common(bool *in_a, bool *in_b, const struct diff_words *a, const struct diff_words *b);

#endif
