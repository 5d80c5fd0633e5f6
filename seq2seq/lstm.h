#ifndef SEQ2SEQ_LSTM_H
#define SEQ2SEQ_LSTM_H

#include "seq2seq/model.h"
#include "tensor/lstm.h"
#include "tensor/tape.h"

/* The LSTM's weights, by their numbers in the parameter set, and what the teacher-forced pass
 * (lstm.c) and the step-by-step one (lstm_step.c) share. */
struct cell_refs {
    int input;                  /* (4H,I); -1 where the input is part of `recurrent` */
    int recurrent;              /* (4H,H), or (4H,2H): see tensor/lstm.h */
    int bias;
};

struct encoder_refs {
    struct cell_refs forward, back;     /* back: bidirectional only */
};

struct lstm_refs {
    int source_embed, target_embed;
    struct encoder_refs *encoder;
    struct cell_refs *decoder;
    int keys_values;            /* (2H,H): W of the score, and the context's part of W_c */
    int attend, attend_bias;    /* (H,H): the decoder state's part of W_c */
    int output, output_bias;
};

/* What the decoder starts from. */
struct lstm_encoded {
    const struct timeline *line;
    struct tensor *kv;                  /* (source tokens, 2H), in the timeline's order */
    struct tensor **h, **c;             /* for each decoder layer, (B,H) */
};

struct lstm_encoded lstm_encode(const struct model *m, struct tape *tape, const int32_t *source,
                                const int32_t *start, int B);
struct tensor *lstm_embed(const struct model *m, struct tape *tape, int table, const int32_t *id,
                          int N);

int lstm_stepper(struct stepper *out, const struct model *m);

#endif
