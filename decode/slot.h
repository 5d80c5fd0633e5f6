#ifndef DECODE_SLOT_H
#define DECODE_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/search.h"
#include "decode/select.h"

/* One sentence in the batch: the prefixes that live, and those that have finished.
 *
 * Prefixes are a tree of nodes, each naming its parent, so that a beam never copies tokens:
 *
 *     node      0   1   2   3   4
 *     token     A   an  dog man dog        live: 3 "A man", 4 "an dog"
 *     parent   -1  -1   0   0   1          finished: 2 "A dog"
 */
struct node {
    int32_t parent, token;
    float logp;
};

struct live {
    double logp;
    int32_t node;               /* its last token; -1 before the first */
    int row;                    /* the row, within the sentence, that it continued */
    int sample;                 /* its number, when sampled */
};

struct finished {
    double logp, score;
    int32_t node;               /* the last token before </s>; -1: none */
    float eos_logp;
    bool cut;
};

struct slot {
    int64_t index;
    int64_t cost;               /* its part of batch_tokens */
    int step;                   /* tokens that the live prefixes have */
    int limit;
    const int32_t *prefix;
    int prefix_count;
    struct node *nodes;
    size_t node_count, node_room;
    struct live *live, *next_live;              /* k each */
    int live_count;             /* rows of the batch; 0: done */
    struct finished *finished;  /* the best k, best first; or every sample in its place */
    int finished_count, finished_ever;
    struct rng *rng;            /* of each sample; NULL unless sampled */
};

/* What the ways of advancing need besides the slot. */
struct advance {
    const struct search_config *config;
    int V;
    int32_t eos;
    struct candidate *candidates;       /* 2k */
    double *sum;                        /* k */
    struct sampler sampler;
};

void slot_release(struct slot *s);
int64_t slot_cost(const struct sentence *sentence, const struct search_config *config);
void slot_begin(struct slot *s, const struct sentence *sentence, const struct search_config *config);

int32_t slot_token(const struct slot *s, int row);      /* the last one; only after a step */
int32_t slot_add_node(struct slot *s, int32_t parent, int32_t token, float logp);
void slot_finish(struct slot *s, const struct advance *a, const struct live *from, float eos_logp,
                 bool cut);

/* The ways of going one step on, given logit (live_count,V), which they may overwrite, and lse
 * (live_count), as stepper.h has them. */
void advance_forced(struct slot *s, const struct advance *a, const float *logit, const float *lse);
void advance_greedy(struct slot *s, struct advance *a, float *logit, const float *lse);
void advance_beam(struct slot *s, struct advance *a, float *logit, const float *lse);
void advance_sampled(struct slot *s, struct advance *a, float *logit, const float *lse);

/* Writes the tokens of a finished hypothesis and their log-probabilities, that of </s> last;
 * returns the tokens' count, at most s->step.  */
int slot_trace(const struct slot *s, const struct finished *f, int32_t *ids, float *token_logp);

#endif
