#ifndef CORPORA_TEXT_H
#define CORPORA_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* What corpora ask of pieces of UTF-8 text (base/text.h).
 * Bytes that are not UTF-8 count as one character each. */
struct text_pair {
    struct text source, target;
};

struct text text_trim(struct text t);                   /* without ASCII white space around it */
bool text_equal(struct text a, struct text b);

/* Words are what white space divides.  In scripts that write without spaces each ideograph is a
 * word, and so are three kana, four letters of Thai, Lao, Khmer or Burmese and a Tibetan
 * syllable, so that length ratios mean about the same everywhere. */
struct text_counts {
    int64_t words, characters, longest_word;            /* longest_word in characters */
};
struct text_counts text_count(struct text t);

/* A hash of what is said rather than how it is set: the letters and digits, lower-cased;
 * of all bytes where there is neither. */
uint64_t text_key(struct text t, uint64_t seed);

#endif
