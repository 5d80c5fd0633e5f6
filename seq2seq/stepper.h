#ifndef SEQ2SEQ_STEPPER_H
#define SEQ2SEQ_STEPPER_H

#include <stdbool.h>
#include <stdint.h>

/* The tokens that rows may choose from, where these are not all: each row has its own, and the
 * output layer is computed once for all of them together. */
struct candidates {
    uint64_t version;           /* never 0; another one when ids have changed */
    const int32_t *ids;         /* of all rows together, ascending */
    int count;
    const int32_t *const *own;  /* of each row: its places in ids, ascending … */
    const int *own_count;       /* … and how many; at least one */
};

/* Tokens that are not chosen. */
struct barred {
    const int32_t *ids;
    int count;
    const bool *no_eos;         /* of each row: may not end either */
};

/* Anything that can score the next token: search's only view of a model.  A transformer, an
 * LSTM, an ensemble, an int8 model and a three-word toy all implement it.
 *
 * Work happens on rows; a row is one hypothesis of one sentence.
 *
 *     admit    encodes the B packed sources (</s> included in each) and appends one row a
 *              sentence after the rows that exist: row r + b belongs to the b-th of them.  Rows
 *              may be at different positions, so sentences can join a running batch.
 *              max_steps: how many steps those rows may make at most.
 *     step     feeds token[r] to row r (the first one of a sentence is <s>) and tells what follows:
 *              logit (rows,vocab) and lse (rows), overwritten.  The natural-log probability of token
 *              v after row r is logit[r,v] - lse[r].  lse NULL: nobody wants probabilities, only
 *              which token is likelier, so the pass over the vocabulary that finds it is saved.
 *     reorder  row r of the new order continues row parent[r] of the old one.  rows may be fewer
 *              (finished hypotheses are dropped by not being anyone's parent) or more (a beam
 *              opens up).  A row that is its parent's only child costs nothing.
 *     clear    drops all rows and sentences; memory is kept.
 *     limit    from the next step on row r chooses from its own candidates only: logit is
 *              (rows,c->count), of which the first c->own_count[r] of row r mean something: [r,i] is
 *              token c->ids[c->own[r][i]], and lse is over these.  Borrowed; the caller keeps it up
 *              to date with the rows.  NULL: all tokens again.
 *     watch    from the next step on (or no longer) the attention is kept.
 *     attention
 *              how row r of the last step looked at its source: a weight for each of its `count`
 *              tokens, </s> included, that sum to one.  Valid until the next call of any kind.
 *
 *     best     a step of which only the likeliest token of each row is told, the one that step's logits
 *              would say (of equal ones the lowest): -1 where none is a number.
 *
 * The last four are NULL in a stepper that cannot; best is not called while limit or watch is on.
 *
 * A stepper belongs to one thread; the weights behind it may be shared. */
struct stepper {
    int vocab;
    int32_t bos, eos;
    void *state;
    void (*admit)(void *state, const int32_t *source, const int32_t *source_start, int B,
                  int max_steps);
    void (*step)(void *state, const int32_t *token, int rows, float *logit, float *lse);
    void (*reorder)(void *state, const int *parent, int rows);
    void (*clear)(void *state);
    void (*free)(void *state);
    void (*limit)(void *state, const struct candidates *c);
    void (*watch)(void *state, bool on);
    const float *(*attention)(void *state, int row, int count);
    void (*best)(void *state, const int32_t *token, int rows, const struct barred *barred, int32_t *best);
    /* About the most memory that a sentence of so many source tokens takes with so many rows of so many
     * steps, what its encoding takes for a moment counted; and of the weights, which threads share.  NULL: unknown. */
    int64_t (*bytes)(void *state, int source, int rows, int steps);
    int64_t shared_bytes;
    int rows;                   /* that its caches and products like best; 0: any */
    /* Tokens that no text holds, <unk> and <s> among them: search chooses them only when asked. */
    const int32_t *special;
    int special_count;
};

#endif
