#ifndef TENSOR_OP_ROWS_H
#define TENSOR_OP_ROWS_H

#include "tensor/ops.h"

/* The rows of the table of operations; each name has name_backward and name_sample. */
#define OP_ROWS(ROW)            \
    ROW(LINEAR, linear)         \
    ROW(GELU, gelu)             \
    ROW(SWIGLU, swiglu)         \
    ROW(LAYERNORM, layernorm)   \
    ROW(RESIDUAL, residual)     \
    ROW(DROPOUT, dropout)       \
    ROW(EMBED, embed)           \
    ROW(CONCAT, concat)         \
    ROW(COMPARE, compare)       \
    ROW(ATTENTION, attention)   \
    ROW(SSRU, ssru)             \
    ROW(LSTM, lstm)             \
    ROW(TANH, tanh)             \
    ROW(ATTENTIVE_DECODER, attentive_decoder)

#define ROW(id, name) OP_##id,
enum { OP_ROWS(ROW) OP_COUNT };
#undef ROW

#define ROW(id, name)                                                   \
    void name##_backward(struct tape *t, struct node *n);               \
    struct tensor *name##_sample(struct tape *t, struct sample *s);
OP_ROWS(ROW)
#undef ROW

#endif
