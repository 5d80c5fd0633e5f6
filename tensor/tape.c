#include "tensor/tape.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "tensor/product.h"

/* ---- memory of tensors ---- */

/* A piece of the arena that waits for a tensor of the same size; most have one of a few. */
struct spare {
    struct spare *next;
    size_t size;
};

static size_t piece_size(const struct tensor *t)
{
    size_t size = ((size_t)t->rows * (size_t)t->cols + 1) * sizeof(float);
    return size > sizeof(struct spare) ? size : sizeof(struct spare);
}

static float *piece_take(struct tape *tape, size_t size)
{
    for (struct spare **at = &tape->spares; *at; at = &(*at)->next)
        if ((*at)->size == size) {
            void *piece = *at;
            *at = (*at)->next;
            return piece;
        }
    return arena_take(&tape->arena, size);
}

static void piece_give(struct tape *tape, float *piece, size_t size)
{
    struct spare *spare = (void *)piece;
    if (!piece)
        return;
    *spare = (struct spare){ tape->spares, size };
    tape->spares = spare;
}

struct tensor *tensor_new(struct tape *tape, int rows, int cols)
{
    struct tensor *t = arena_zeroed(&tape->arena, sizeof *t);
    t->rows = rows;
    t->cols = cols;
    t->data = piece_take(tape, piece_size(t));
    return t;
}

void tensor_done(struct tape *tape, struct tensor *t)
{
    piece_give(tape, t->data, piece_size(t));
    t->data = NULL;
}

/* ---- parameters whose gradients are complete ---- */

struct tape_use {
    struct tape_use *next;
    int ref;
};

/* The first use is the last to be differentiated. */
static void note_use(struct tape *tape, int ref)
{
    if (!tape->used)
        tape->used = arena_zeroed(&tape->arena, tape->params->count);
    if (tape->used[ref])
        return;
    tape->used[ref] = 1;
    struct tape_use *use = arena_zeroed(&tape->arena, sizeof *use);
    *use = (struct tape_use){ tape->uses, ref };
    tape->uses = use;
}

static void tell_ready(struct tape *tape, const struct tape_use *uses)
{
    for (; uses; uses = uses->next)
        tape->ready(tape->arg, uses->ref);
}

bool tape_uses(const struct tape *tape, int ref)
{
    return tape->used && tape->used[ref];
}

/* ---- tensors and nodes ---- */

struct tensor *tape_param(struct tape *tape, int ref)
{
    const struct param *p = &tape->params->items[ref];
    struct tensor *t = arena_zeroed(&tape->arena, sizeof *t);
    t->rows = p->rows;
    t->cols = p->cols;
    t->packed = param_packed(tape->params, ref);
    t->data = t->packed ? NULL : tape->params->block + p->offset;
    t->grad = tape->grads ? tape->grads + p->offset : NULL;
    t->pack = packs_find(tape->packs, ref);
    if (tape->ready && tape->grads)
        note_use(tape, ref);
    return t;
}

struct tensor *tape_constant(struct tape *tape, const float *data, int rows, int cols)
{
    struct tensor *t = arena_zeroed(&tape->arena, sizeof *t);
    t->rows = rows;
    t->cols = cols;
    t->data = (float *)data;
    t->constant = true;
    return t;
}

struct node *tape_node(struct tape *tape, const struct op *op, struct tensor *out,
                       struct tensor *a, struct tensor *b, struct tensor *c, struct tensor *d)
{
    if (!tape->grads)
        return NULL;
    struct node *n = arena_zeroed(&tape->arena, sizeof *n);
    n->op = op;
    n->out = out;
    n->in[0] = a;
    n->in[1] = b;
    n->in[2] = c;
    n->in[3] = d;
    n->before = tape->last;
    n->uses = tape->uses;
    tape->uses = NULL;
    tape->last = n;
    return n;
}

struct dropout tape_dropout(struct tape *tape, float rate)
{
    struct dropout d = { 0, 0 };
    if (tape->train && rate > 0) {
        d.rate = rate;
        d.seed = (uint32_t)rng_mix(((uint64_t)tape->seed << 32) | tape->drops++);
    }
    return d;
}

float *tensor_grad_into(struct tape *tape, struct tensor *t, bool *accumulate)
{
    assert(!t->constant);
    *accumulate = t->grad != NULL;
    if (!t->grad)
        t->grad = piece_take(tape, piece_size(t));
    return t->grad;
}

float *tensor_grad(struct tape *tape, struct tensor *t)
{
    bool accumulate;
    float *grad = tensor_grad_into(tape, t, &accumulate);
    if (!accumulate)
        memset(grad, 0, (size_t)t->rows * t->cols * sizeof(float));
    return grad;
}

void tape_backward(struct tape *tape)
{
    for (struct node *n = tape->last; n && !(tape->stop && tape->stop(tape->arg)); n = n->before) {
        struct tensor *out = n->out;
        if (out->grad)                  /* otherwise nothing depends on it */
            n->op->backward(tape, n);
        piece_give(tape, out->grad, piece_size(out));
        tensor_done(tape, out);
        out->grad = NULL;
        tell_ready(tape, n->uses);
    }
    tell_ready(tape, tape->uses);
    tape->uses = NULL;
    tape->last = NULL;
}

struct tape_mark tape_mark(struct tape *tape)
{
    struct tape_mark mark = { arena_mark(&tape->arena), tape->spares };
    tape->spares = NULL;                /* or pieces after the mark would stand beside those before it */
    return mark;
}

void tape_return(struct tape *tape, struct tape_mark mark)
{
    assert(!tape->last);
    arena_return(&tape->arena, mark.arena);
    tape->spares = mark.spares;
}

void tape_reset(struct tape *tape)
{
    arena_reset(&tape->arena);
    tape->last = NULL;
    tape->spares = NULL;
    tape->used = NULL;
    tape->uses = NULL;
}

void tape_release(struct tape *tape)
{
    arena_release(&tape->arena);
    tape->last = NULL;
    tape->spares = NULL;
    tape->used = NULL;
    tape->uses = NULL;
}

struct tensor *sample_leaf(struct sample *s, int rows, int cols)
{
    if (s->next < s->leaves)
        return s->leaf[s->next++];
    struct rng rng;
    rng_seed(&rng, s->seed, (uint64_t)s->leaves);
    struct tensor *t = xcalloc(1, sizeof *t);
    size_t size = (size_t)rows * cols;
    t->rows = rows;
    t->cols = cols;
    t->data = xmalloc(size * sizeof(float));
    for (size_t i = 0; i < size; i++)
        t->data[i] = (float)(rng_unit(&rng) * 2 - 1);
    assert(s->leaves < 8);
    s->leaf[s->leaves++] = t;
    s->next = s->leaves;
    return t;
}
