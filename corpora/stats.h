#ifndef CORPORA_STATS_H
#define CORPORA_STATS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct error;
struct import_config;
struct strings;
struct tokenizer;

/* What a corpus is made of.  Words and characters are counted as in corpora/text.h, but for types,
 * which are what ASCII spaces divide. */
#define STATS_LENGTHS 101               /* words of a line: 0 … 99, and more */

struct side_stats {
    int64_t lines, empty;               /* empty: nothing but white space */
    int64_t words, characters;
    int64_t longest, longest_line;      /* words of the longest line, and its number */
    int64_t duplicates;                 /* lines that came before */
    int64_t length[STATS_LENGTHS];      /* lines of so many words */
    int64_t types, hapaxes;             /* different words; those that come once */
    int64_t pieces, unknown;            /* by the vocabulary: tokens, and those that are unknown */
    int vocabulary, used;               /* its pieces, and how many of them the side has; 0: none given */
};

/* How much of held-out texts in the source's language is in the corpus. */
struct overlap_stats {
    int64_t lines, found;               /* lines that are a source, whatever capitals and marks */
    int64_t words, unseen;              /* words whose type the corpus does not have */
    int64_t grams, grams_found;         /* runs of four words */
};

struct corpus_stats {
    bool paired;                        /* false: of one file; target, identical … are 0 */
    struct side_stats source, target;
    int64_t identical;                  /* pairs whose sides are the same */
    int64_t duplicates;                 /* pairs that came before */
    int64_t repaired;                   /* lines that were not UTF-8; bad bytes count as U+FFFD */
    struct overlap_stats overlap;       /* zeros where nothing was held out */
};

/* What more is wanted; all may be NULL. */
struct stats_config {
    const struct tokenizer *source_model, *target_model;
    const struct strings *against;      /* paths of held-out texts */
    const struct import_config *import; /* how the corpus is read; NULL: by the input's name */
};

/* Of what corpora/import.h reads: two line-aligned files, one of both sides, or one side alone.  Bad bytes
 * are mended whatever the import says.  Memory: some 20 bytes a
 * line and side, for duplicates, 40 a type, and with held-out texts 20 a run of four words. */
int corpus_stats(struct corpus_stats *out, const char *source, const char *target,
                 const struct stats_config *config, struct error *err);

/* The words that a line has so that `share` of the lines have no more. */
int stats_percentile(const struct side_stats *s, double share);

/* {"source": {"lines": …, "empty": …, "words": …, "characters": …, "mean_words": …,
 *  "mean_characters": …, "longest": …, "longest_line": …, "duplicates": …, "types": …, "hapaxes": …,
 *  "median_words": …, "words_95": …, "lengths": [lines of 0 words, of 1, …], and with a vocabulary
 *  "pieces": …, "pieces_per_word": …, "unknown_share": …, "vocabulary": …, "used": …}, "target": {…},
 *  "pairs": …, "identical": …, "duplicates": …, "word_ratio": …, "repaired": …, and with held-out texts
 *  "overlap": {"lines": …, "found": …, "unseen_words": …, "grams_found": …}};
 * of one file the members of "source", "overlap" and "repaired" alone. */
json_t *corpus_stats_json(const struct corpus_stats *stats);

#endif
