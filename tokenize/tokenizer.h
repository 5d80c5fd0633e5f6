#ifndef TOKENIZE_TOKENIZER_H
#define TOKENIZE_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

struct error;
struct strbuf;

/* Text to subword ids and back, with a SentencePiece model behind a C API.
 *
 *     struct tokenizer *t = tokenizer_load("spm.model", err);
 *     struct ids ids = {0};
 *     tokenizer_encode(t, &ids, "A dog runs.", 11);
 *     tokenizer_decode(t, &text, ids.items, ids.count);
 *     tokenizer_free(t);
 *
 * A tokenizer is read-only after loading: threads share it.  Encoding and decoding cannot fail;
 * whatever the bytes, they give what spm_encode and spm_decode of the same model give. */
struct tokenizer;

struct ids {
    int32_t *items;
    size_t count;
    size_t room;
};
void ids_release(struct ids *ids);

/* NULL for a file that is missing, no SentencePiece model, cut short or damaged where that shows
 * (the format has no checksum). */
struct tokenizer *tokenizer_load(const char *path, struct error *err);
/* From the bytes of such a file, which are copied; `path` is for messages. */
struct tokenizer *tokenizer_from_bytes(const void *bytes, size_t length, const char *path,
                                       struct error *err);
void tokenizer_free(struct tokenizer *t);

/* These append to what is there already. */
void tokenizer_encode(const struct tokenizer *t, struct ids *out, const char *text, size_t length);
void tokenizer_encode_pieces(const struct tokenizer *t, struct strbuf *out,
                             const char *text, size_t length);  /* separated by spaces */
void tokenizer_decode(const struct tokenizer *t, struct strbuf *out,
                      const int32_t *ids, size_t count);        /* ids outside 0…V-1 are skipped */
void tokenizer_decode_pieces(const struct tokenizer *t, struct strbuf *out,
                             const char *pieces, size_t length);

/* Subword regularisation: one segmentation, drawn from the caller's generator alone, so that the
 * same state gives the same ids on any thread.
 *   unigram models (Kudo 2018): drawn from the nbest best segmentations, or from all of them for
 *     nbest -1, with probability ∝ p^alpha, p the product of the pieces' probabilities; alpha 0
 *     is uniform, nbest 0 or 1 is tokenizer_encode.  Memory grows with nbest times the length;
 *     on lines beyond 170 kB of text at nbest 64 fewer than nbest are kept.
 *   BPE models (Provilkov et al. 2020): alpha is the probability that a merge is passed over;
 *     0 is tokenizer_encode, 1 gives characters; nbest has no meaning.
 *   word and char models know one segmentation only, which is what they give. */
void tokenizer_sample(const struct tokenizer *t, struct ids *out, const char *text, size_t length,
                      int nbest, float alpha, struct rng *rng);
void tokenizer_sample_pieces(const struct tokenizer *t, struct strbuf *out,
                             const char *text, size_t length,
                             int nbest, float alpha, struct rng *rng);

int tokenizer_vocab(const struct tokenizer *t);                 /* V */
const char *tokenizer_piece(const struct tokenizer *t, int32_t id);     /* borrowed */
int32_t tokenizer_id(const struct tokenizer *t, const char *piece);     /* unknown's id when absent */
int32_t tokenizer_unk(const struct tokenizer *t);
int32_t tokenizer_bos(const struct tokenizer *t);
int32_t tokenizer_eos(const struct tokenizer *t);
int32_t tokenizer_pad(const struct tokenizer *t);               /* these three: -1 when absent */
bool tokenizer_is_control(const struct tokenizer *t, int32_t id);

enum piece_kind {
    PIECE_NORMAL = 1, PIECE_UNKNOWN, PIECE_CONTROL, PIECE_USER_DEFINED, PIECE_UNUSED, PIECE_BYTE
};
enum piece_kind tokenizer_kind(const struct tokenizer *t, int32_t id);
float tokenizer_score(const struct tokenizer *t, int32_t id);
const char *tokenizer_type(const struct tokenizer *t);  /* "unigram", "bpe", "word" or "char" */

/* A fingerprint of the pieces and their order: equal ids mean equal pieces. */
uint64_t tokenizer_fingerprint(const struct tokenizer *t);
/* The model file's bytes, to be saved with a model; borrowed. */
const void *tokenizer_bytes(const struct tokenizer *t, size_t *length);

#endif
