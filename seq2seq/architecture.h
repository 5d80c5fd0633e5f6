#ifndef SEQ2SEQ_ARCHITECTURE_H
#define SEQ2SEQ_ARCHITECTURE_H

#include "seq2seq/model.h"

/* A row of the table of architectures.  To add one: write seq2seq/<name>.c with these functions
 * and add a row in architecture.c; tests/seq2seq/laws_test.c then checks it like the others. */
struct architecture {
    const char *name;
    size_t refs_size;
    int micro_tokens;           /* tokens that a training worker best takes at a time; 0: all */
    /* Refuses what this architecture cannot be. */
    int (*check)(const struct model_config *c, struct error *err);
    /* Declares every weight into set and fills refs (zeroed, refs_size bytes). */
    void (*declare)(struct param_set *set, void *refs, const struct model_config *c);
    void (*release)(void *refs);
    /* Decoder states before the output layer, (target_tokens, dim). */
    struct tensor *(*hidden)(const struct model *m, struct tape *tape, const struct batch *b);
    /* Encoder states, (source tokens, dim), in the sources' order. */
    struct tensor *(*memory)(const struct model *m, struct tape *tape, const int32_t *source,
                             const int32_t *start, int B);
    /* The output layer's weight (V,dim) and bias (1,V). */
    void (*output)(const void *refs, int *weight, int *bias);
    int (*stepper)(struct stepper *out, const struct model *m);
};
extern const struct architecture *const architectures[];       /* ends with NULL */

/* The weights of a model of that shape, their names and sizes without any numbers; to be released by params_release. */
void architecture_declare(struct param_set *set, const struct model_config *c);

extern const struct architecture transformer_architecture, lstm_architecture;

#endif
