#ifndef SEQ2SEQ_STEP_OUTPUT_H
#define SEQ2SEQ_STEP_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include "tensor/packed.h"

struct candidates;
struct model;

/* The output layer of one decoding step, over the whole vocabulary or over candidates only.
 * One stepper's working memory; {.m = model} is valid and has no candidates. */
struct step_output {
    const struct model *m;
    const struct candidates *limit;     /* NULL: all tokens */
    uint64_t version;                   /* of the candidates whose weights were gathered; 0: none */
    struct packed weight;               /* theirs: (count,D), (count) */
    float *bias;
    size_t bias_room;
};
void step_output_limit(struct step_output *o, const struct candidates *limit);
void step_output_release(struct step_output *o);

/* logit and lse as the stepper's step gives them, of hidden (rows,D); lse may be NULL. */
void step_output(struct step_output *o, float *logit, float *lse, const float *hidden, int rows);

#endif
