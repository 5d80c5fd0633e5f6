#ifndef TENSOR_TAPE_H
#define TENSOR_TAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "tensor/kernels.h"
#include "tensor/params.h"

/* Reverse-mode differentiation.  Each op_… function computes its output at once and, when
 * gradients are wanted, records a node; tape_backward walks the nodes backwards.
 *
 *     struct tape tape = { .params = &set, .grads = block, .train = true, .seed = 7 };
 *     struct tensor *x = op_embed(&tape, …);
 *     struct tensor *y = op_linear(&tape, x, w, bias, …);
 *     memcpy(tensor_grad(&tape, y), dy, …);       // from the loss
 *     tape_backward(&tape);                       // adds into block
 *     tape_reset(&tape);
 *
 * Shapes are (rows, cols), rows being packed tokens.  The alphabet: B sentences, S source length,
 * T target length, N rows, D columns (the model's width), H hidden size, F feed-forward width,
 * V vocabulary; a gradient is the name with `d` in front. */
struct tensor {
    float *data;
    float *grad;        /* NULL until something is written there */
    int rows, cols;
    bool constant;      /* no gradient wanted */
    const struct pack *pack;    /* a weight laid out for products (product.h), or NULL */
    const struct packed *packed;        /* a weight to decode with (packed.h), which has no data; or NULL */
};

struct node;
struct tape;

/* A row of the table of operations: its name, its gradient and the sample that the gradient test
 * differentiates.  To add an operation: write op_<name> and <name>_backward next to each other in
 * tensor/<name>.c, a sample, and add a row in ops.c. */
struct sample;
struct op {
    const char *name;
    void (*backward)(struct tape *tape, struct node *node);
    struct tensor *(*sample)(struct tape *tape, struct sample *sample);
};

#define NODE_INPUTS 4

struct node {
    const struct op *op;
    struct node *before;
    struct tensor *in[NODE_INPUTS];
    struct tensor *out;
    struct dropout drop;
    void *more;                 /* what else the backward pass needs; in the arena */
    struct tape_use *uses;      /* parameters that no earlier node uses */
};

struct tape {
    struct arena arena;         /* everything of one pass */
    const struct param_set *params;
    const struct packs *packs;  /* the weights laid out for products, or NULL */
    float *grads;               /* a block of gradients to add into; NULL: inference, no nodes */
    bool train;                 /* dropout is on */
    uint32_t seed;              /* dropout; each use takes the next number */
    uint32_t drops;
    struct node *last;
    struct spare *spares;       /* memory of tensors that are no longer needed */
    /* Called in the backward pass when a parameter's gradient has got its last addition from this
     * tape; NULL: nobody wants to know.  Set before the forward pass. */
    void (*ready)(void *arg, int ref);
    /* Asked at each node of the backward pass: true leaves it there.  NULL: nobody is asked. */
    bool (*stop)(void *arg);
    void *arg;
    unsigned char *used;        /* of each parameter, in the arena */
    struct tape_use *uses;      /* not yet at a node */
};

/* A tensor of the arena, not cleared. */
struct tensor *tensor_new(struct tape *tape, int rows, int cols);
/* A weight as a tensor whose gradient is its place in tape->grads. */
struct tensor *tape_param(struct tape *tape, int ref);
/* Whether the pass has used the parameter; known only with `ready`. */
bool tape_uses(const struct tape *tape, int ref);
/* A tensor over the caller's memory, without gradient. */
struct tensor *tape_constant(struct tape *tape, const float *data, int rows, int cols);

/* Records a node and returns it, or NULL when no gradient is wanted. */
struct node *tape_node(struct tape *tape, const struct op *op, struct tensor *out,
                       struct tensor *a, struct tensor *b, struct tensor *c, struct tensor *d);
/* The dropout of the next use: rate 0 when not training. */
struct dropout tape_dropout(struct tape *tape, float rate);

/* Where to write the gradient of t; *accumulate tells whether to add to it or to overwrite.
 * Weights always accumulate. */
float *tensor_grad_into(struct tape *tape, struct tensor *t, bool *accumulate);
/* The gradient, cleared when new: for scatters and for the loss. */
float *tensor_grad(struct tape *tape, struct tensor *t);

/* Gives the values of t back for other tensors, when no later operation and no backward pass reads
 * them: of a linear layer's result, say, once it was added to something. */
void tensor_done(struct tape *tape, struct tensor *t);

/* Gives back values and gradients as it goes; what `out` of the last node held is gone after it. */
void tape_backward(struct tape *tape);
/* Inference: forgets what was made since the mark. */
struct tape_mark {
    struct arena_mark arena;
    struct spare *spares;
};
struct tape_mark tape_mark(struct tape *tape);
void tape_return(struct tape *tape, struct tape_mark mark);
void tape_reset(struct tape *tape);     /* forgets the pass, keeps the memory */
void tape_release(struct tape *tape);

/* The table; ends with a row without name. */
extern const struct op ops[];

/* The gradient test asks each operation for a sample: the same leaves are handed out again when
 * the sample is run anew. */
struct sample {
    struct tensor *leaf[8];
    int leaves, next;
    uint64_t seed;
};
struct tensor *sample_leaf(struct sample *s, int rows, int cols);

#endif
