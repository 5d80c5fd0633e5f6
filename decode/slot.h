#ifndef DECODE_SLOT_H
#define DECODE_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/search.h"
#include "decode/select.h"
#include "decode/vocabulary.h"

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
    double penalty;             /* what search takes off logp when it compares */
    int32_t node;               /* its last token; -1 before the first */
    int row;                    /* the row, within the sentence, that it continued */
    int part;                   /* its group of the beam, or its number as a sample */
};

struct finished {
    double logp, score;
    int32_t node;               /* the last token before </s>; -1: none */
    int32_t eos_node;           /* when watched: where its attention is */
    float eos_logp;
    bool cut;
};

struct slot {
    int64_t index;
    int64_t cost;               /* its part of batch_tokens */
    int step;                   /* tokens that the live prefixes have */
    int limit, least;           /* tokens: at most, at least */
    int source_count;           /* with </s> */
    const int32_t *prefix;
    int prefix_count;
    struct node *nodes;
    size_t node_count, node_room;
    float *attention;           /* (nodes,source_count) when watched */
    size_t attention_room;
    struct live *live, *next_live;              /* k each; of groups in their order */
    int live_count;             /* rows of the batch; 0: done */
    struct finished *finished;  /* the best k, best first; or every sample in its place */
    int finished_count;
    int *finished_ever;         /* of each group */
    struct rng *rng;            /* of each sample; NULL unless sampled */
    struct own_tokens own;      /* under a shortlist */
};

/* What the ways of advancing need besides the slot: how its scores lie, and scratch memory. */
struct advance {
    const struct search_config *config;
    const struct stepper *model;
    bool watched;
    int first;                  /* the slot's first row in the batch */
    int V;                      /* scores of a row … */
    int stride;                 /* … and from one row to the next */
    const int32_t *ids;         /* the token of each score, ascending; NULL: its place is its token */
    int32_t eos;                /* the place of </s> */
    struct candidate *candidates;       /* 2k */
    double *sum;                        /* k */
    struct sampler sampler;
    struct edit {                       /* a score that was changed */
        float *at, before;
    } *edits;
    size_t edit_count, edit_room;
    int32_t *tokens;                    /* of one prefix */
    size_t token_room;
    double *cover;
    size_t cover_room;
};

static inline int32_t advance_token(const struct advance *a, int place)
{
    return a->ids ? a->ids[place] : place;
}

static inline int advance_place(const struct advance *a, int32_t token)
{
    return a->ids ? ids_find(a->ids, a->V, token) : token;
}

static inline float *advance_row(const struct advance *a, float *logit, int row)
{
    return logit + (size_t)row * (size_t)a->stride;
}

void advance_release(struct advance *a);

void slot_release(struct slot *s);
int64_t slot_cost(const struct sentence *sentence, const struct search_config *config);
void slot_begin(struct slot *s, const struct sentence *sentence, const struct search_config *config);

int32_t slot_token(const struct slot *s, int row);      /* the last one; only after a step */

/* A prefix with one more token: the score at `place` of the row that `from` lives in. */
int32_t slot_add(struct slot *s, const struct advance *a, const struct live *from, int row, int place,
                 float logp);
/* penalty: what comes to that of `from`. */
void slot_finish(struct slot *s, struct advance *a, const struct live *from, int row, float eos_logp,
                 double penalty, bool cut);

/* The next prefixes become the live ones, one token longer. */
void slot_turn(struct slot *s, int live_count);

/* Penalties: change the scores of rows from … to - 1, before a choice; edits are undone down to
 * `mark` after it, so that the model's own scores are what is kept. */
void advance_forbid(struct slot *s, struct advance *a, float *logit, const float *lse, int from, int to);
void advance_change(struct advance *a, float *at, float score);
void advance_undo(struct advance *a, size_t mark);

/* The ways of going one step on, given logit (live_count rows) and lse (live_count), as stepper.h
 * has them. */
void advance_forced(struct slot *s, struct advance *a, float *logit, const float *lse);
void advance_greedy(struct slot *s, struct advance *a, float *logit, const float *lse);
void advance_best(struct slot *s, struct advance *a, int32_t best);     /* the token is known */
void advance_beam(struct slot *s, struct advance *a, float *logit, const float *lse);
void advance_sampled(struct slot *s, struct advance *a, float *logit, const float *lse);

/* Writes the tokens of a finished hypothesis and their log-probabilities, that of </s> last;
 * returns the tokens' count, at most s->step. */
int slot_trace(const struct slot *s, const struct finished *f, int32_t *ids, float *token_logp);
/* The attention of its tokens and of </s>, (count + 1, source_count); only when watched. */
void slot_trace_attention(const struct slot *s, const struct finished *f, int count, float *attention);

#endif
