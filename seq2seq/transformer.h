#ifndef SEQ2SEQ_TRANSFORMER_H
#define SEQ2SEQ_TRANSFORMER_H

#include "seq2seq/model.h"
#include "tensor/tape.h"

/* The transformer's weights, by their numbers in the parameter set, and the sublayers that the
 * teacher-forced pass (transformer.c) and the step-by-step one (transformer_step.c) share. */
struct pair_ref { int weight, bias; };          /* a linear layer, or a norm's gain and bias */

struct layer_refs {
    struct pair_ref norm_self, norm_cross, norm_ffn;
    struct pair_ref qkv, self_out;              /* self-attention */
    struct pair_ref recurrence;                 /* SSRU: gates and inputs, (2D,D) */
    struct pair_ref cross_q, cross_kv, cross_out;
    struct pair_ref ffn_in, ffn_out;
};

struct transformer_refs {
    int source_embed, target_embed;
    int source_positions, target_positions;     /* learned ones; -1 otherwise */
    struct layer_refs *encoder, *decoder;
    struct pair_ref encoder_norm, decoder_norm; /* pre-norm only */
    struct pair_ref output;
    float *sinusoids;                           /* (max_positions,D), or NULL with learned ones */
};

/* Tensors of a forward pass over `tape` for model m. */
struct pass {
    const struct model *m;
    const struct transformer_refs *r;
    struct tape *tape;
};

struct tensor *pass_linear(struct pass *p, struct tensor *x, struct pair_ref ref);
/* What a sublayer reads: the norm of x when pre-norm, x itself when post-norm. */
struct tensor *sublayer_input(struct pass *p, struct tensor *x, struct pair_ref norm);
/* x + dropout(f), normalised when post-norm. */
struct tensor *sublayer_output(struct pass *p, struct tensor *x, struct tensor *f,
                               struct pair_ref norm);
struct tensor *feed_forward(struct pass *p, struct tensor *x, const struct layer_refs *l);
struct tensor *final_norm(struct pass *p, struct tensor *x, struct pair_ref norm);
/* Embedded tokens; place[n] is the position of token n in its sentence. */
struct tensor *embed_tokens(struct pass *p, int table, int positions, const int32_t *id,
                            const int32_t *place, int N);
/* The encoder over B packed sentences: (source tokens, D). */
struct tensor *encode(struct pass *p, const int32_t *source, const int32_t *start, int B);

int transformer_stepper(struct stepper *out, const struct model *m);

#endif
