#ifndef DECODE_SHORTLIST_H
#define DECODE_SHORTLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct lexicon;
struct tokenizer;

/* A lexical shortlist: for every source piece the target pieces that it is likeliest to become.
 * A sentence chooses its tokens from the candidates of its own pieces and from the most frequent
 * ones of the language, some hundred in place of the whole vocabulary.
 *
 *     struct shortlist *l = shortlist_open("en-de.shortlist", err);
 *     if (shortlist_check(l, source_tokenizer, target_tokenizer, err) < 0) …
 *     uint64_t *set = xcalloc(set_words(V), sizeof *set);
 *     shortlist_candidates(set, l, source, count, &(struct shortlist_config){ 100, 100 });
 *     shortlist_close(l);
 *
 * The file is memory-mapped and read-only: threads and processes share it. */
struct shortlist;

/* Checks everything, the checksum of the whole file included. */
struct shortlist *shortlist_open(const char *path, struct error *err);
void shortlist_close(struct shortlist *l);

/* Refuses vocabularies other than those that the shortlist was learnt with. */
int shortlist_check(const struct shortlist *l, const struct tokenizer *source,
                    const struct tokenizer *target, struct error *err);

int shortlist_source_pieces(const struct shortlist *l);
int shortlist_target_pieces(const struct shortlist *l);
uint64_t shortlist_fingerprint(const struct shortlist *l);
/* The translations of a source piece, likeliest first, and how many; borrowed. */
const int32_t *shortlist_row(const struct shortlist *l, int32_t source, const float **p, int *count);
const int32_t *shortlist_frequent(const struct shortlist *l, int *count);

struct shortlist_config {
    int best;                   /* translations of each source piece, at most */
    int frequent;               /* most frequent pieces, whatever the source, at most */
};

/* Sets of target pieces: bit id % 64 of word id / 64. */
static inline size_t set_words(int vocab)
{
    return ((size_t)vocab + 63) / 64;
}

static inline void set_add(uint64_t *set, int32_t id)
{
    set[id / 64] |= UINT64_C(1) << (id % 64);
}

/* Adds a sentence's candidates to the set.  With one vocabulary for both sides a source piece is
 * its own candidate too, so that names and numbers can be copied.  Ids outside the vocabulary
 * (</s> apart) are passed over.  </s> is no candidate by itself: add it. */
void shortlist_candidates(uint64_t *set, const struct shortlist *l, const int32_t *source, int count,
                          const struct shortlist_config *config);

/* Writes the file: of each row the at most `best` likeliest that have min_p at least, and the
 * `frequent` most frequent pieces. */
struct shortlist_prune {
    int best, frequent;
    float min_p;
};
int shortlist_write(const char *path, const struct lexicon *lexicon, uint64_t corpus,
                    const struct tokenizer *source, const struct tokenizer *target,
                    const struct shortlist_prune *prune, struct error *err);

#endif
