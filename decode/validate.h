#ifndef DECODE_VALIDATE_H
#define DECODE_VALIDATE_H

#include <stdint.h>

#include "seq2seq/train.h"

struct error;

/* Validation of a model in training by greedy decoding: BLEU (13a) and chrF2 on text.
 *
 *     struct validator v;
 *     if (validator_open(&v, "dev.en", "dev.de", 500, err) < 0) …
 *     train_model(m, &objective, &(struct train_data){ train, dev, &v }, …);
 *     validator_close(&v);
 *
 * Reads two line-aligned files (plain, gzip, zstd) and keeps their first `limit` pairs; 0: all. */
int validator_open(struct validator *out, const char *source_path, const char *reference_path,
                   int64_t limit, struct error *err);
void validator_close(struct validator *v);

/* Whether weights can be chosen by it: nll, or what `coho eval` measures. */
int validator_knows(const char *metric, struct error *err);

#endif
