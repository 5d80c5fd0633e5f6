#ifndef TOKENIZE_TRAIN_H
#define TOKENIZE_TRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/option.h"
#include "base/strbuf.h"

struct error;

/* Trains a SentencePiece model; the pieces and scores are those of spm_train with the same
 * settings on the same lines.  Several files give one joint vocabulary.  The same files and
 * settings give the same bytes, on any machine; `threads` is one of the settings, because sums of
 * floats depend on how the text is split. */
struct vocab_config {
    int size, type;                     /* type: an index into vocab_types */
    float character_coverage;           /* 0.98 … 1 */
    bool byte_fallback, soft_limit;
    bool split_digits, mix_numbers, mix_scripts, cross_words;
    int normalization;                  /* an index into vocab_normalizations */
    struct strings symbols, controls;
    int unk_id, bos_id, eos_id, pad_id; /* -1: none */
    int max_piece_length;               /* characters */
    int max_line_length;                /* bytes */
    int64_t sample_lines;               /* 0: all */
    int64_t seed;                       /* of the sample */
    int threads;
    bool large_corpus;
    int utf8;                           /* 0 refuse, 1 replace: enum utf8_policy */
};
extern const struct option vocab_options[];
extern const char *const vocab_types[];
extern const char *const vocab_normalizations[];

/* Writes the model to model_path, which appears whole or not at all.  Files are plain, gzip or
 * zstd text, "-" is standard input.  Runs in a child process, so an interrupt ends it and its
 * memory is given back. */
int vocab_train(const char *model_path, const char *const *files, size_t count,
                const struct vocab_config *config, struct error *err);

#endif
