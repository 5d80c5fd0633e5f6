#ifndef CORPORA_STORE_H
#define CORPORA_STORE_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct tokenizer;

/* A corpus as ids on disk: memory-mapped, checksummed, larger than memory if need be.  The
 * file's layout is drawn in store_format.h.
 *
 *     if (store_build("train.ids", "train.en", "train.de", spm, spm, threads, err) < 0) …
 *     struct store *s = store_open("train.ids", true, err);
 *     int count;
 *     const int32_t *ids = store_source(s, 0, &count);
 *     store_close(s);
 */
struct store;

/* Encodes two line-aligned text files (plain, gz, zst) on `threads` threads; pair i is line i + 1,
 * empty lines included.  Fails, naming both files, both counts and the first suspicious line,
 * when they are not equally long; an empty corpus and a line that is not UTF-8 are errors too.
 * One tokenizer a side; they may be the same.  Memory stays bounded however long the files. */
int store_build(const char *path, const char *source_text, const char *target_text,
                const struct tokenizer *source, const struct tokenizer *target,
                int threads, struct error *err);

/* The same from memory-resident ids, one pair at a time (used for pseudo-labelled corpora).
 * `path` appears, whole, at the commit.  After a failed add, abort. */
struct store_writer;
struct store_writer *store_writer_new(const char *path, uint64_t source_vocab, uint64_t target_vocab,
                                      struct error *err);
int store_writer_add(struct store_writer *w, const int32_t *source, int source_count,
                     const int32_t *target, int target_count, struct error *err);
int store_writer_commit(struct store_writer *w, struct error *err);     /* frees w */
void store_writer_abort(struct store_writer *w);                        /* frees w */

/* Opens and checks header, size and checksum (`verify` false skips the checksum of the body). */
struct store *store_open(const char *path, bool verify, struct error *err);
void store_close(struct store *s);

const char *store_path(const struct store *s);          /* for messages */
int64_t store_count(const struct store *s);             /* pairs */
int64_t store_target_tokens(const struct store *s);     /* without </s> */
int64_t store_source_tokens(const struct store *s);
uint64_t store_fingerprint(const struct store *s);      /* of the ids and their order */
uint64_t store_source_vocab(const struct store *s);     /* tokenizer_fingerprint of each side */
uint64_t store_target_vocab(const struct store *s);
/* Borrowed ids of pair `index`, and how many. */
const int32_t *store_source(const struct store *s, int64_t index, int *count);
const int32_t *store_target(const struct store *s, int64_t index, int *count);

#endif
