#ifndef TOKENIZE_SENTENCEPIECE_H
#define TOKENIZE_SENTENCEPIECE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct error;
struct ids;
struct strbuf;
struct vocab_config;

/* The SentencePiece library behind a C face, for this module alone: it vouches for model files,
 * decodes, trains, and is the reference that coho's own encoders are tested against.  No C++
 * exception gets through. */
struct spm;

/* NULL: refused.  `path` is for the message. */
struct spm *spm_load(const void *bytes, size_t length, const char *path,
                     struct error *err);
void spm_free(struct spm *sp);

int32_t spm_bos(const struct spm *sp);      /* -1: absent */
int32_t spm_eos(const struct spm *sp);
int32_t spm_pad(const struct spm *sp);

/* What spm_encode and spm_decode do with a line. */
void spm_encode(const struct spm *sp, struct ids *out, const char *text, size_t length);
void spm_encode_pieces(const struct spm *sp, struct strbuf *out, const char *text, size_t length);
void spm_decode(const struct spm *sp, struct strbuf *out, const int32_t *ids, size_t count);
void spm_decode_pieces(const struct spm *sp, struct strbuf *out,
                       const char *pieces, size_t length);

/* Trains a model from the lines that next() gives (1 a line, 0 the end, -1 after an error) and
 * appends the model file's bytes.  On some inputs the library ends the process. */
int spm_train(struct strbuf *model, const struct vocab_config *config,
              int (*next)(void *arg, const char **text, size_t *length), void *arg,
              struct error *err);

#ifdef __cplusplus
}
#endif

#endif
