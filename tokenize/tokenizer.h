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

struct tokenizer *tokenizer_load(const char *path, struct error *err);
void tokenizer_free(struct tokenizer *t);

/* These append to what is there already. */
void tokenizer_encode(const struct tokenizer *t, struct ids *out, const char *text, size_t length);
void tokenizer_encode_pieces(const struct tokenizer *t, struct strbuf *out,
                             const char *text, size_t length);  /* separated by spaces */
void tokenizer_decode(const struct tokenizer *t, struct strbuf *out,
                      const int32_t *ids, size_t count);        /* ids outside 0…V-1 are skipped */
void tokenizer_decode_pieces(const struct tokenizer *t, struct strbuf *out,
                             const char *pieces, size_t length);

/* Subword regularisation (Kudo 2018): one segmentation sampled from the nbest best (-1: all)
 * with probability ∝ p^alpha; for BPE models alpha is the dropout of merges (Provilkov 2020). */
void tokenizer_sample(const struct tokenizer *t, struct ids *out, const char *text, size_t length,
                      int nbest, float alpha, struct rng *rng);

int tokenizer_vocab(const struct tokenizer *t);                 /* V */
const char *tokenizer_piece(const struct tokenizer *t, int32_t id);     /* borrowed */
int32_t tokenizer_id(const struct tokenizer *t, const char *piece);     /* unknown's id when absent */
int32_t tokenizer_unk(const struct tokenizer *t);
int32_t tokenizer_bos(const struct tokenizer *t);
int32_t tokenizer_eos(const struct tokenizer *t);
bool tokenizer_is_control(const struct tokenizer *t, int32_t id);

/* A fingerprint of the pieces and their order: equal ids mean equal pieces. */
uint64_t tokenizer_fingerprint(const struct tokenizer *t);
/* The model file's bytes, to be saved with a model; borrowed. */
const void *tokenizer_bytes(const struct tokenizer *t, size_t *length);

#endif
