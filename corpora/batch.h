#ifndef CORPORA_BATCH_H
#define CORPORA_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct error;
struct kept_block;
struct moment;

/* Sentence pairs packed end to end: no padding.
 *
 * Sentence b of B has the source tokens source[source_start[b] … source_start[b+1]-1], </s>
 * included, and as many input as output tokens on the target side: `input` is <s> y1 … yn and
 * `output` is y1 … yn </s>, both at target_start[b] … target_start[b+1]-1. */
struct batch {
    int B;
    int source_tokens, target_tokens;           /* totals: source_start[B], target_start[B] */
    int32_t *source, *source_start;
    int32_t *input, *output, *target_start;
    int64_t *index;             /* where each sentence stands in its corpus, for stored targets */
    float *weight;              /* a factor for each sentence's loss; all 1 usually */
    int task;                   /* which part of a mixture it came from; 0 usually */
    bool sampled;               /* the targets are a model's own draws, no gold */
    struct batch_room *room;    /* owns the memory */
};

/* {0} is a valid empty batch; memory is kept between uses. */
void batch_reset(struct batch *b);
void batch_release(struct batch *b);

/* Appends a pair.  The ids come without <s> and </s>, which are added here. */
void batch_add(struct batch *b, const int32_t *source, int source_count,
               const int32_t *target, int target_count, int32_t bos, int32_t eos,
               int64_t index, float weight);

/* Appends an example whose target side is labels (corpora/task.h): pairs of a label and the place in
 * the source that it belongs to.  `output` gets the labels, `input` the places. */
void batch_add_labels(struct batch *b, const int32_t *source, int source_count, const int32_t *pairs,
                      int pair_count, int32_t eos, int64_t index, float weight);

/* Divides the sentences of `from` among `count` batches with nearly equal numbers of tokens;
 * the same input gives the same parts, and each part keeps the order of `from`.  Some may stay
 * empty. */
void batch_split(const struct batch *from, struct batch *parts, int count);

/* The same division in pieces: the parts first … first+count-1 of `total`, as one batch.  Dividing
 * that into `count` gives them again.  loads_place is the rule: the part that a sentence of so many
 * tokens on both sides goes to, given what the parts hold so far. */
void batch_share(const struct batch *from, struct batch *to, int first, int count, int total);
int loads_place(int64_t *loads, int count, int tokens);

/* Where training data comes from: the training loop's only view of it.  Gold corpora,
 * pseudo-labelled corpora, mixtures and student samples all implement it. */
struct batch_source {
    void *state;
    /* Where the training stands, told before each `next`; NULL: of no interest. */
    void (*at)(void *state, const struct moment *when);
    /* Fills b with the next batch.  Returns 1, or 0 at the end of an epoch (the call after that
     * starts the next one), or -1. */
    int (*next)(void *state, struct batch *b, struct error *err);
    /* From now on the process wants of each batch only its share, the parts first … first+count-1 of
     * `total` (batch_share).  NULL, or -1: the source cannot, and gives whole batches. */
    int (*share)(void *state, int first, int count, int total);
    /* The exact position as JSON, and back to it: after restore, `next` gives what it would have
     * given at the save. */
    json_t *(*save)(void *state);
    int (*restore)(void *state, const json_t *position, struct error *err);
    int64_t (*sentences)(void *state);          /* an epoch's sentences */
    int64_t (*tokens)(void *state);             /* an epoch's target tokens, </s> included */
    /* What changes with the training beside the position; *count of them.  A source with such cannot go
     * back to a position within a run.  NULL: nothing. */
    const struct kept_block *(*kept)(void *state, int *count);
    /* Of a mixture: the sentences that each of its *count parts has given since the training began.  NULL: it
     * is none. */
    const int64_t *(*drawn)(void *state, int *count);
    uint64_t (*fingerprint)(void *state);       /* of the corpus and its order of sentences */
    void (*free)(void *state);
};

#endif
