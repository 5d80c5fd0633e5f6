#ifndef TOKENIZE_SEGMENT_H
#define TOKENIZE_SEGMENT_H

#include <stddef.h>
#include <stdint.h>

struct model;
struct rng;

/* A prepared text cut into pieces, one after another without gaps. */
struct segments {
    struct segment {
        uint32_t length;        /* bytes */
        int32_t id;
    } *items;
    size_t count, room;
};
void segments_add(struct segments *s, size_t length, int32_t id);
void segmentation_release(struct segments *s);

/* The kinds of SentencePiece model, by enum model_type.  `best` gives what SentencePiece 0.1.97
 * gives, to the last bit of its float arithmetic.  `sample` as in tokenizer_sample; NULL where a
 * kind of model knows one segmentation only. */
struct segmenter {
    const char *name;
    void (*best)(struct segments *out, const struct model *m, const char *text, size_t length);
    void (*sample)(struct segments *out, const struct model *m, const char *text, size_t length,
                   int nbest, double alpha, struct rng *rng);
};
extern const struct segmenter segmenters[];

void unigram_best(struct segments *out, const struct model *m, const char *text, size_t length);
void unigram_sample(struct segments *out, const struct model *m, const char *text, size_t length,
                    int nbest, double alpha, struct rng *rng);
void bpe_best(struct segments *out, const struct model *m, const char *text, size_t length);
void bpe_sample(struct segments *out, const struct model *m, const char *text, size_t length,
                int nbest, double alpha, struct rng *rng);
void word_best(struct segments *out, const struct model *m, const char *text, size_t length);
void char_best(struct segments *out, const struct model *m, const char *text, size_t length);

#endif
