#ifndef TOKENIZE_MODEL_H
#define TOKENIZE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tokenize/tokenizer.h"
#include "tokenize/trie.h"

struct error;

/* A SentencePiece model file (a protocol buffer, sentencepiece_model.proto) as plain data: what
 * turning text into pieces needs.  Read-only after loading. */
enum model_type { MODEL_UNIGRAM = 1, MODEL_BPE, MODEL_WORD, MODEL_CHAR };

struct piece {
    const char *text;           /* zero-terminated, in model.texts */
    uint32_t length;            /* bytes */
    float score;                /* unigram: log-probability; BPE: minus the merge's rank */
    enum piece_kind kind;
};

/* Normalisation rules: a double array in Darts's format whose values are offsets of
 * zero-terminated replacements.  Empty: no rules. */
struct charsmap {
    const unsigned char *units;         /* 32 bits each, little-endian; unaligned */
    size_t unit_count;
    const char *replacements;
    size_t replacements_length;
};

struct model {
    enum model_type type;
    struct piece *pieces;
    size_t count;
    char *texts;
    int32_t unk;
    float min_score, max_score;         /* of normal pieces */
    bool byte_fallback;
    int32_t bytes[256];                 /* ids of the byte pieces; unk without byte fallback */

    struct trie normal;                 /* normal, user-defined and unused pieces */
    struct trie reserved;               /* unknown, control and byte pieces */
    struct trie user_defined;

    struct charsmap charsmap;           /* points into the file's bytes */
    bool add_dummy_prefix, remove_extra_whitespaces, escape_whitespaces;
    bool space_as_suffix;
};

/* `bytes` must outlive the model.  Files that are cut short, damaged or something else altogether
 * are refused; `path` is for the message. */
int model_parse(struct model *m, const void *bytes, size_t length, const char *path,
                struct error *err);
void model_release(struct model *m);

/* As SentencePiece looks pieces up: reserved ones first; unk when absent. */
int32_t model_find(const struct model *m, const char *text, size_t length);

/* The bytes of the character that starts with `lead`, by its first byte alone. */
static inline size_t char_length(char lead)
{
    return (size_t)"\1\1\1\1\1\1\1\1\1\1\1\1\2\2\3\4"[(unsigned char)lead >> 4];
}

/* The same, but never behind the end of what is left. */
static inline size_t char_length_within(const char *text, size_t left)
{
    size_t length = char_length(*text);
    return length < left ? length : left;
}

#endif
