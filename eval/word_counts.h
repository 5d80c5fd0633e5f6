#ifndef EVAL_WORD_COUNTS_H
#define EVAL_WORD_COUNTS_H

#include <stddef.h>
#include <stdint.h>

#include "eval/diff.h"

struct error;

/* How often words (eval/diff.h; those of letters and digits) come in a text: a table by 64-bit
 * hash. {0} is empty and valid. */
struct word_counts {
    struct word_count {
        uint64_t hash;
        uint32_t count;                 /* 0: a free slot; stops at UINT32_MAX */
    } *slots;
    size_t used, mask;
};

void word_counts_add(struct word_counts *c, const struct diff_words *words);
uint32_t word_counts_find(const struct word_counts *c, uint64_t hash);  /* 0: it does not come */

/* Adds all lines of a file, plain or packed. */
int word_counts_read(struct word_counts *c, const char *path, struct error *err);
void word_counts_release(struct word_counts *c);

#endif
