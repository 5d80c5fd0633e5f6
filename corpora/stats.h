#ifndef CORPORA_STATS_H
#define CORPORA_STATS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct error;

/* What a corpus is made of.  Words and characters are counted as in corpora/text.h. */
struct side_stats {
    int64_t lines, empty;               /* empty: nothing but white space */
    int64_t words, characters;
    int64_t longest, longest_line;      /* words of the longest line, and its number */
    int64_t duplicates;                 /* lines that came before */
};

struct corpus_stats {
    bool paired;                        /* false: of one file; target, identical … are 0 */
    struct side_stats source, target;
    int64_t identical;                  /* pairs whose sides are the same */
    int64_t duplicates;                 /* pairs that came before */
    int64_t repaired;                   /* lines that were not UTF-8; bad bytes count as U+FFFD */
};

/* Of two line-aligned files, or of `source` alone when target is NULL.  Memory: some 20 bytes a
 * line and side, for duplicates. */
int corpus_stats(struct corpus_stats *out, const char *source, const char *target,
                 struct error *err);

/* {"source": {"lines": …, "empty": …, "words": …, "characters": …, "mean_words": …,
 *  "mean_characters": …, "longest": …, "longest_line": …, "duplicates": …}, "target": {…},
 *  "pairs": …, "identical": …, "duplicates": …, "word_ratio": …, "repaired": …};
 * of one file the members of "source" and "repaired" alone. */
json_t *corpus_stats_json(const struct corpus_stats *stats);

#endif
